//! The calls that lend the memory of a `reusable` region; `dropin::lending` has the record of it. A borrower, which
//! does not own the region, uses memory of it, and gives it back when an owner needs it.
//!
//! If an owner's request finds no room, it calls the functions of the borrowers, in the owner's thread and in the order
//! of the addresses, until there is room. A borrower's function may return before the memory is given back, which then
//! happens in another thread. The request waits for that, for at most [`RECLAIM_TICKS`] ticks in total. After that, it
//! logs the borrowers that still have memory, and fails in this region.

use core::ptr::with_exposed_provenance_mut;

use crate::dropin::lending::{Lent, Loan, MakeRoom, Reclaim};
use crate::dropin::pool::{Pools, flags_for};
use crate::dropin::registry::Dma;
use crate::dropin::translate::{BufferRequest, MapOps};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::log::{Level, Line};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, Release, SeqCst},
    fence,
};
use crate::mem::heap::place;
use crate::mem::lock::IrqLock;
use crate::text::apart;

/// The number of ticks for which an owner's request waits for borrowers to give memory back.
const RECLAIM_TICKS: usize = 100;
/// The number of ticks after which the borrowers are asked again. This also asks a borrower whose call overlapped with
/// the start of the owner's wait.
const ASK_AGAIN: usize = 10;
/// The highest number of borrowers that a failed request logs.
const MAX_LOGGED: usize = 4;
/// The device in a call of a borrower, which has no device. (No device lies at an odd address.)
const BORROWER: Device = Device::at(1);

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
        let pages = size.checked_sub(1).map(|last| (last >> PAGE_SHIFT) + 1)?;
        if !self.kernel.can_sleep() {
            self.count_refused();
            return None;
        }
        self.lending.make_room.set(&(Dma::make_room as MakeRoom<Dma<K>>));
        let loan = self.free_loan()?;
        // The entry was taken before `waiting` is read. An owner that begins to wait later finds the entry (see
        // `may_get_memory_back`).
        fence(SeqCst);
        if self.lending.waiting.load(SeqCst) == 0 {
            for pool in self.pools().filter(|pool| pool.is_reusable()) {
                let flags = flags_for(pool.flags(), Flags::empty());
                if let Some(page) = pool.allocate_pages(pages)
                    && let Some(va) = pool.map_buffer(page, pages, flags)
                {
                    let (va, pa) = (va.get(), pool.pa_of(page));
                    *loan.lent.lock(self.kernel) = Some(Lent { pool, pa, va, size, reclaim, argument });
                    return Some(va);
                }
            }
        }
        loan.is_taken.store(0, Release);
        None
    }

    /// Gives back memory that was borrowed.
    ///
    /// Context: any; thread for a region larger than the view limit.
    ///
    /// # Errors
    /// [`Error::Foreign`] if no borrowed memory begins at `va`; [`Error::Context`] if the memory has its own mapping
    /// and the caller may not sleep. The error is counted and logged, and nothing is changed.
    pub fn give_back_memory(&self, va: Va) -> Result<(), Error> {
        for loan in self.loans() {
            let mut lent = loan.lent.lock(self.kernel);
            if let Some(memory) = lent.take_if(|memory| memory.va == va) {
                drop(lent);
                let result = self.free(BORROWER, memory.size, va, 0, Flags::empty(), MapOps::UNTRANSLATED);
                if result == Err(Error::Context) {
                    // The memory has its own mapping, which cannot be removed in this context. The borrower keeps the
                    // memory.
                    *loan.lent.lock(self.kernel) = Some(memory);
                } else {
                    loan.is_taken.store(0, Release);
                }
                return result;
            }
        }
        self.refuse(Error::Foreign, crate::log::Name::NONE, 0, va, 0);
        Err(Error::Foreign)
    }

    /// Takes a free entry of the record, or makes a new one; `None` if the heap has no room for it.
    fn free_loan(&self) -> Option<&'static Loan<K>> {
        let take = |loan: &&Loan<K>| loan.is_taken.compare_exchange(0, 1, SeqCst, Relaxed).is_ok();
        if let Some(loan) = self.loans().find(take) {
            return Some(loan);
        }
        let _turn = self.lending.turn.take(self.kernel)?;
        let loan = place(self.kernel, 0, |_| Loan {
            lent: IrqLock::new(None),
            is_taken: AtomicUsize::new(1),
            next: self.lending.last.get(),
        })?;
        self.lending.last.set(Some(loan));
        Some(loan)
    }

    /// Returns the entries of the record.
    fn loans(&self) -> impl Iterator<Item = &'static Loan<K>> + use<K> {
        core::iter::successors(self.lending.last.get(), |loan| loan.next)
    }

    /// Serves an owner's request with memory that borrowers give back. Returns `None` if they do not give back enough
    /// in time, or if the caller may not sleep.
    fn make_room(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        if !self.kernel.can_sleep() || !self.pools().any(|pool| pool.is_reusable() && pool.is_owned_by(request.device))
        {
            return None;
        }
        // While `waiting` is not zero, no memory is lent, so that other borrowers cannot take what is given back.
        self.lending.waiting.fetch_add(1, SeqCst);
        fence(SeqCst);
        let found = self.reclaim(request);
        self.lending.waiting.fetch_sub(1, SeqCst);
        if found.is_none() {
            self.log_borrowers(request);
        }
        found
    }

    /// Asks the borrowers to give memory back, at once and then every [`ASK_AGAIN`] ticks. Ends when the request is
    /// served, when no borrower can give back any more, or after [`RECLAIM_TICKS`] ticks.
    fn reclaim(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        let search = || self.allocate_from_pools(request, Pools::Owned).ok();
        for tick in 0..RECLAIM_TICKS {
            let mut from = 0;
            while tick % ASK_AGAIN == 0
                && let Some(memory) = self.next_lent(request, from)
            {
                let [va, argument] = [memory.va, memory.argument].map(with_exposed_provenance_mut);
                // SAFETY: the caller of `borrow_memory` allows this call.
                #[allow(unsafe_code)]
                unsafe {
                    (memory.reclaim)(va, memory.size, argument)
                }
                if let Some(found) = search() {
                    return Some(found);
                }
                from = memory.pa.saturating_add(1);
            }
            if !self.may_get_memory_back(request) {
                break;
            }
            self.kernel.pause();
            if let Some(found) = search() {
                return Some(found);
            }
        }
        search()
    }

    /// Returns whether a borrower has memory that the request can use, or is just getting or giving back any memory.
    ///
    /// A borrower takes an entry and then reads `waiting`. An owner writes `waiting` and then reads the entries. Under
    /// SeqCst, at least one of them reads the other's write: either the borrower gets no memory, or the owner waits for
    /// it.
    fn may_get_memory_back(&self, request: &BufferRequest) -> bool {
        let may_return = |loan: &Loan<K>| match *loan.lent.lock(self.kernel) {
            Some(memory) => can_serve(&memory, request),
            None => loan.is_taken.load(SeqCst) != 0,
        };
        self.loans().any(may_return)
    }

    /// Returns the lent memory with the lowest physical address from `from` on, in a pool that the device of the
    /// request owns and that is large enough for the request.
    fn next_lent(&self, request: &BufferRequest, from: Pa) -> Option<Lent<K>> {
        let lent = self.loans().filter_map(|loan| *loan.lent.lock(self.kernel));
        lent.filter(|memory| memory.pa >= from && can_serve(memory, request)).min_by_key(|memory| memory.pa)
    }

    /// Logs the borrowers that did not give memory back although an owner waited for it: at most [`MAX_LOGGED`].
    #[cold]
    fn log_borrowers(&self, request: &BufferRequest) {
        let mut from = 0;
        for _ in 0..MAX_LOGGED {
            let Some(memory) = self.next_lent(request, from) else { return };
            let values =
                &[memory.reclaim as usize, memory.argument, memory.size.next_multiple_of(PAGE_SIZE), memory.pa];
            let _names = self.read_names();
            let format = apart!("borrower 0x%lx (0x%lx) keeps %lu bytes at 0x%lx");
            self.kernel.log(Level::Error, &Line::about(memory.pool.name(), format, values));
            from = memory.pa.saturating_add(1);
        }
    }
}

/// Returns whether the request may be served if this memory is given back: its device owns the pool, and the pool is
/// large enough.
fn can_serve<K: Kernel>(memory: &Lent<K>, request: &BufferRequest) -> bool {
    memory.pool.is_owned_by(request.device) && request.size <= memory.pool.size()
}
