//! The calls that lend the memory of a `reusable` region; `dropin::loans` has the records of it. A borrower, which
//! does not own the region, uses memory of it, and gives it back when an owner needs it. This file has the calls of
//! borrowers, `wait` the wait of an owner.

mod wait;

use crate::dropin::loans::{LentMemory, LoanRecord, LoanState, Loans, Reclaim};
use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::with_pool_flags;
use crate::dropin::refusals::NO_NUMBER;
use crate::dropin::registry::{Dma, MakeRoom};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SIZE, Va};
use crate::log::Name;
use crate::mem::atomics::{
    Ordering::{Acquire, Relaxed, SeqCst},
    fence,
};
use crate::mem::heap::alloc_static;

impl<K: Kernel> Dma<K> {
    /// Borrows `size` bytes of a `reusable` region, cached and mapped, and returns their address. When an owner of the
    /// region needs the memory, `reclaim` is called with it, `size` and `argument`. Returns `None` if no region has
    /// room, if an owner waits for memory, if the heap has no room for the record, or if the caller may not sleep.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `reclaim` may be called with these arguments from now on, in any thread and more than once, also just after the
    /// memory was given back.
    #[allow(unsafe_code)]
    pub unsafe fn borrow_memory(&self, size: usize, reclaim: Reclaim, argument: usize) -> Option<Va> {
        if size == 0 {
            return None;
        }
        if !self.may_sleep_or_count() {
            return None;
        }
        self.make_room.set(&(Dma::make_room as MakeRoom<K>));
        let record = self.loans.reserve_record(self.kernel)?;
        let memory = self.lend(size, reclaim, argument);
        record.set(self.kernel, memory.map_or(LoanState::Free, LoanState::Lent));
        memory.map(|memory| memory.va)
    }

    /// Allocates and maps memory for a borrower that has reserved a record; `None` if an owner waits for memory, or if
    /// no region has room.
    fn lend(&self, size: usize, reclaim: Reclaim, argument: usize) -> Option<LentMemory<K>> {
        if self.loans.has_waiting_owner() {
            return None;
        }
        let pages = size.div_ceil(PAGE_SIZE);
        self.pools().filter(|pool| pool.is_reusable()).find_map(|pool| {
            let page = pool.allocate_pages(pages)?;
            let va = pool.map_buffer(page, pages, with_pool_flags(pool.flags(), Flags::empty()))?.get();
            Some(LentMemory { pool, pa: pool.pa_of(page), va, size, reclaim, argument })
        })
    }

    /// Gives back memory that was borrowed.
    ///
    /// Context: any; thread for memory that has its own mapping, which memory of a region that is mapped linearly never
    /// has.
    ///
    /// # Errors
    /// [`Error::NoBuffer`] if no borrowed memory begins at `va`; [`Error::Context`] if the memory has its own mapping
    /// and the caller may not sleep. Then nothing is changed. Otherwise an error of [`Dma::free`]: the memory was freed
    /// before, against the rules, and the loan ends all the same. Every error is counted, and logged where the caller
    /// may sleep.
    pub fn give_back_memory(&self, va: Va) -> Result<(), Error> {
        let Some((record, memory)) = self.claim_loan(va) else {
            self.refuse(Error::NoBuffer, Name::NONE, [va, 0], NO_NUMBER);
            return Err(Error::NoBuffer);
        };
        // A borrower has no device. None is needed: the handle is not checked, because it is zero.
        let result = self.free(Device::NONE, memory.size, va, 0, Flags::empty(), MapOps::UNTRANSLATED);
        let state = match result {
            // The memory has its own mapping, which cannot be removed in this context. The borrower keeps the memory.
            Err(Error::Context) => LoanState::Lent(memory),
            Ok(()) | Err(_) => LoanState::Free,
        };
        record.set(self.kernel, state);
        result
    }

    /// Claims the record of the memory at `va`; `None` if no borrowed memory begins there.
    fn claim_loan(&self, va: Va) -> Option<(&'static LoanRecord<K>, LentMemory<K>)> {
        self.loans.records().find_map(|record| Some((record, record.claim(self.kernel, va)?)))
    }

    /// Returns the number of owners' requests for which borrowers did not give back enough memory.
    ///
    /// Context: any.
    pub fn failed_waits(&self) -> usize {
        self.loans.failed_waits.load(Relaxed)
    }
}

impl<K: Kernel> Loans<K> {
    /// Reserves a free record, or makes a new one; `None` if the heap has no room for it.
    ///
    /// Context: thread.
    pub fn reserve_record(&self, kernel: K) -> Option<&'static LoanRecord<K>> {
        let reserved = self.records().find(|record| record.reserve(kernel));
        if reserved.is_some() {
            return reserved;
        }
        let _turn = self.turn.take(kernel)?;
        let record = alloc_static(kernel, 0, |_| LoanRecord::reserved(self.newest.get()))?;
        self.newest.set(Some(record));
        Some(record)
    }

    /// Returns whether an owner waits for its memory. The caller has reserved a record: an owner that begins to wait
    /// after the answer finds it. [`waiting`](Loans::waiting) explains the orders.
    pub fn has_waiting_owner(&self) -> bool {
        fence(SeqCst);
        self.waiting.load(Acquire) != 0
    }
}
