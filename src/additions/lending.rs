//! The calls that lend the memory of a `reusable` region; `dropin::loans` has the record of it. A borrower, which
//! does not own the region, uses memory of it, and gives it back when an owner needs it.
//!
//! If an owner's request finds no room, it calls the functions of the borrowers, in the owner's thread and in the order
//! of the addresses, until there is room. A borrower's function may return before the memory is given back, which then
//! happens in another thread. The request waits for that, for at most [`RECLAIM_TICKS`] ticks in total. After that, it
//! logs the borrowers that still have memory, and fails in this region.

use core::ptr::with_exposed_provenance_mut;

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::loans::{Lent, Loan, MakeRoom, Reclaim};
use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::{Pool, Pools, flags_for};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Pa, Va};
use crate::log::{Level, Line, Name};
use crate::mem::atomics::{
    AtomicBool,
    Ordering::{Relaxed, Release, SeqCst},
    fence,
};
use crate::mem::heap::place;
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
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
        if size == 0 {
            return None;
        }
        if !self.kernel.can_sleep() {
            self.count_refused();
            return None;
        }
        self.lending.make_room.set(&(Dma::make_room as MakeRoom<Dma<K>>));
        let loan = self.take_free_loan()?;
        let Some(memory) = self.lend(size, reclaim, argument) else {
            loan.is_taken.store(false, Release);
            return None;
        };
        *loan.lent.lock(self.kernel) = Some(memory);
        Some(memory.va)
    }

    /// Allocates and maps memory for a borrower that has taken an entry; `None` if an owner waits for memory, or if no
    /// region has room.
    fn lend(&self, size: usize, reclaim: Reclaim, argument: usize) -> Option<Lent<K>> {
        // The borrower took its entry before this fence, and reads `waiting` after it. An owner adds to `waiting`
        // before the fence in `make_room`, and reads the entries after it. So at least one of them reads what the other
        // wrote: nothing is lent, or the owner waits for this borrower. Without the fences both could miss it: a new
        // entry is published with `Release` and found with `Acquire`, which do not order it with `waiting`.
        fence(SeqCst);
        if self.lending.waiting.load(SeqCst) != 0 {
            return None;
        }
        let pages = size.div_ceil(PAGE_SIZE);
        self.pools().filter(|pool| pool.is_reusable()).find_map(|pool| {
            let page = pool.allocate_pages(pages)?;
            let va = pool.map_buffer(page, pages, flags_for(pool.flags(), Flags::empty()))?.get();
            Some(Lent { pool, pa: pool.pa_of(page), va, size, reclaim, argument })
        })
    }

    /// Gives back memory that was borrowed.
    ///
    /// Context: any; thread for a region larger than the view limit.
    ///
    /// # Errors
    /// [`Error::Foreign`] if no borrowed memory begins at `va`; [`Error::Context`] if the memory has its own mapping
    /// and the caller may not sleep. The error is counted and logged, and nothing is changed.
    pub fn give_back_memory(&self, va: Va) -> Result<(), Error> {
        let Some((loan, memory)) = self.take_lent(va) else {
            self.refuse(Error::Foreign, Name::NONE, 0, va, 0);
            return Err(Error::Foreign);
        };
        let result = self.free(BORROWER, memory.size, va, 0, Flags::empty(), MapOps::UNTRANSLATED);
        match result {
            // The memory has its own mapping, which cannot be removed in this context. The borrower keeps the memory.
            Err(Error::Context) => *loan.lent.lock(self.kernel) = Some(memory),
            _ => loan.is_taken.store(false, Release),
        }
        result
    }

    /// Takes the memory at `va` out of its entry, which stays taken; `None` if no borrowed memory begins there.
    fn take_lent(&self, va: Va) -> Option<(&'static Loan<K>, Lent<K>)> {
        self.loans().find_map(|loan| {
            let memory = loan.lent.lock(self.kernel).take_if(|memory| memory.va == va)?;
            Some((loan, memory))
        })
    }

    /// Takes a free entry of the record, or makes a new one; `None` if the heap has no room for it.
    fn take_free_loan(&self) -> Option<&'static Loan<K>> {
        let free = self.loans().find(|loan| !loan.is_taken.swap(true, SeqCst));
        if free.is_some() {
            return free;
        }
        let _turn = self.lending.turn.take(self.kernel)?;
        let loan = place(self.kernel, 0, |_| Loan {
            lent: IrqLock::new(None),
            is_taken: AtomicBool::new(true),
            asked_for: AtomicRef::new(),
            next: self.lending.last.get(),
        })?;
        self.lending.last.set(Some(loan));
        Some(loan)
    }

    /// Returns the entries of the record.
    fn loans(&self) -> impl Iterator<Item = &'static Loan<K>> + use<K> {
        core::iter::successors(self.lending.last.get(), |loan| loan.next)
    }

    /// Returns the number of owners' requests for which borrowers did not give back enough memory.
    ///
    /// Context: any.
    pub fn failed_reclaims(&self) -> usize {
        self.lending.failed_reclaims.load(Relaxed)
    }

    /// Serves an owner's request with memory that borrowers give back. Returns `None` if they do not give back enough
    /// in time, or if the caller may not sleep.
    fn make_room(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        let BufferRequest { ops, device, mask, .. } = *request;
        // Whether the device reaches the pool is asked once, and not for each borrower: it may need a search of ranges.
        let may_lend = |pool| may_serve(pool, request) && self.can_reach_page_of(pool, ops, device, mask);
        if !self.kernel.can_sleep() || !self.pools().any(|pool| pool.is_reusable() && may_lend(pool)) {
            return None;
        }
        // While `waiting` is not zero, no memory is lent, so that other borrowers cannot take what is given back.
        self.lending.waiting.fetch_add(1, SeqCst);
        // A borrower took an entry before the fence in `lend`, and reads `waiting` after it. The entries are read after
        // this fence. So the borrower reads that an owner waits, or `may_get_memory_back` finds its entry.
        fence(SeqCst);
        let found = self.reclaim(request);
        self.lending.waiting.fetch_sub(1, SeqCst);
        if found.is_none() {
            self.lending.failed_reclaims.fetch_add(1, Relaxed);
            self.log_borrowers(request);
        }
        found
    }

    /// Asks the borrowers to give memory back, at once and then every [`ASK_AGAIN`] ticks. Ends when the request is
    /// served, when no borrower can give back any more, or after [`RECLAIM_TICKS`] ticks.
    fn reclaim(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        for tick in 0..RECLAIM_TICKS {
            if tick % ASK_AGAIN == 0
                && let Some(found) = self.ask_borrowers(request)
            {
                return Some(found);
            }
            if !self.may_get_memory_back(request) {
                return self.allocate_owned(request);
            }
            self.kernel.pause();
            if let Some(found) = self.allocate_owned(request) {
                return Some(found);
            }
        }
        None
    }

    /// Calls the functions of the borrowers, in the order of the addresses, until the request can be served. Calls none
    /// while another call asks a borrower of the same pool: this one may be a call of that borrower's function, which
    /// would be called again without end.
    fn ask_borrowers(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        let is_asked = |loan: &Loan<K>| loan.asked_for.get().is_some_and(|pool| may_serve(pool, request));
        if self.loans().any(is_asked) {
            return None;
        }
        let mut from = 0;
        while let Some((loan, memory)) = self.next_lent(request, from) {
            let [va, argument] = [memory.va, memory.argument].map(with_exposed_provenance_mut);
            loan.asked_for.set(Some(memory.pool));
            // SAFETY: the caller of `borrow_memory` allows this call.
            #[allow(unsafe_code)]
            unsafe {
                (memory.reclaim)(va, memory.size, argument)
            }
            loan.asked_for.set(None);
            if let Some(found) = self.allocate_owned(request) {
                return Some(found);
            }
            from = memory.pa.saturating_add(1);
        }
        None
    }

    /// Serves the request from the regions that its device owns, if they have room.
    fn allocate_owned(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        self.allocate_from_pools(request, Pools::Owned).ok()
    }

    /// Returns whether a borrower has memory that the request can use, or is just getting or giving back any memory.
    fn may_get_memory_back(&self, request: &BufferRequest) -> bool {
        let may_return = |loan: &Loan<K>| {
            // The lock is released before `may_serve`, which asks the kernel for the device's node.
            let lent = *loan.lent.lock(self.kernel);
            lent.map_or_else(|| loan.is_taken.load(SeqCst), |memory| may_serve(memory.pool, request))
        };
        self.loans().any(may_return)
    }

    /// Returns the lent memory with the lowest physical address from `from` on, in a pool that may serve the request,
    /// and its entry.
    fn next_lent(&self, request: &BufferRequest, from: Pa) -> Option<(&'static Loan<K>, Lent<K>)> {
        let lent = self.loans().filter_map(|loan| Some((loan, (*loan.lent.lock(self.kernel))?)));
        let usable = lent.filter(|(_, memory)| memory.pa >= from && may_serve(memory.pool, request));
        usable.min_by_key(|(_, memory)| memory.pa)
    }

    /// Logs the borrowers that did not give memory back although an owner waited for it: at most [`MAX_LOGGED`].
    #[cold]
    fn log_borrowers(&self, request: &BufferRequest) {
        let mut from = 0;
        for _ in 0..MAX_LOGGED {
            let Some((_, memory)) = self.next_lent(request, from) else { return };
            let values =
                &[memory.reclaim as usize, memory.argument, memory.size.next_multiple_of(PAGE_SIZE), memory.pa];
            let _names = self.read_names();
            let format = apart!("borrower 0x%lx (0x%lx) keeps %lu bytes at 0x%lx");
            self.kernel.log(Level::Error, &Line::about(memory.pool.name(), format, values));
            from = memory.pa.saturating_add(1);
        }
    }
}

/// Returns whether the request may be served if memory of this pool is given back: its device owns the pool, which has
/// the properties that the flags ask for, and is large enough.
fn may_serve<K: Kernel>(pool: &Pool<K>, request: &BufferRequest) -> bool {
    pool.serves_from(request.device, request.flags, Pools::Owned) && request.size <= pool.size()
}
