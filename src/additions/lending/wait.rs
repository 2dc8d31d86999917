//! The wait of an owner for memory that is lent.
//!
//! If an owner's request finds no room, it calls the functions of the borrowers, in the owner's thread and in the order
//! of the addresses, until there is room. A borrower's function may return before the memory is given back, which then
//! happens in another thread. The request waits for that, for at most [`MAX_PAUSES`] pauses in total. After that, it
//! logs the borrowers that still have memory, and fails in this region.

use core::ptr::with_exposed_provenance_mut;

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::loans::{LentMemory, LoanRecord, Loans};
use crate::dropin::pool::{Pool, SearchedPools};
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, PAGE_SIZE, Pa, Va};
use crate::log::{Level, Line};
use crate::mem::atomics::{
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use crate::text::text;

/// The number of [pauses](crate::kernel::Threads::pause), each of one tick, for which an owner's request waits for
/// borrowers to give memory back.
const MAX_PAUSES: usize = 100;
/// The number of pauses after which the borrowers are asked again. This also asks a borrower whose call overlapped with
/// the start of the owner's wait.
const PAUSES_BETWEEN_ASKS: usize = 10;
/// The highest number of borrowers that a failed request logs.
const MAX_LOGGED: usize = 4;

impl<K: Kernel> Dma<K> {
    /// The function of `MakeRoom`: serves an owner's request with memory that borrowers give back. Returns `None` if
    /// they do not give back enough in time, or if the caller may not sleep.
    pub(super) fn make_room(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        if !self.kernel.can_sleep() || !self.pools().any(|pool| pool.is_reusable() && self.can_help(pool, request)) {
            return None;
        }
        self.loans.begin_waiting();
        let found = self.wait_for_borrowers(request);
        self.loans.end_waiting();
        if found.is_none() {
            self.loans.failed_waits.fetch_add(1, Relaxed);
            self.log_borrowers(request);
        }
        found
    }

    /// Returns whether the request is served if enough memory of this pool is given back: its device owns the pool,
    /// which has the properties that the flags ask for, and would have room for the request if it were empty.
    fn can_help(&self, pool: &Pool<K>, request: &BufferRequest) -> bool {
        pool.serves_among(request.device, request.flags, SearchedPools::Owned) && self.has_place_for(pool, request)
    }

    /// Returns whether the pool, if it were empty, would have room for the request: at the alignment, and where the
    /// device reaches all of it.
    fn has_place_for(&self, pool: &Pool<K>, request: &BufferRequest) -> bool {
        let BufferRequest { ops, device, size, mask, align, .. } = *request;
        let mut parts = self.bus(ops, device).reachable(pool.start(), pool.end() - 1, mask);
        parts.any(|part| part.has_room(size, align))
    }

    /// Asks the borrowers to give memory back, at once and then every [`PAUSES_BETWEEN_ASKS`] pauses. Ends when the
    /// request is served, when no borrower can give back any more, or after [`MAX_PAUSES`] pauses.
    fn wait_for_borrowers(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        for pauses in 0..MAX_PAUSES {
            if pauses % PAUSES_BETWEEN_ASKS == 0
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

    /// Calls the functions of the borrowers, in the order of the addresses, until the request can be served, or until
    /// another call [asks a borrower](Self::begin_asking) whose memory could serve it.
    fn ask_borrowers(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        let mut from = 0;
        while let Some((record, memory)) = self.next_lent(request, from) {
            if !self.begin_asking(record, memory.pool, request) {
                return None;
            }
            let va = with_exposed_provenance_mut(memory.va);
            let argument = with_exposed_provenance_mut(memory.argument);
            // SAFETY: the caller of `borrow_memory` allows this call.
            #[allow(unsafe_code)]
            unsafe {
                (memory.reclaim)(va, memory.size, argument)
            }
            record.asked_for.set(None);
            if let Some(found) = self.allocate_owned(request) {
                return Some(found);
            }
            from = memory.pa.saturating_add(1);
        }
        None
    }

    /// Records that the borrower of `record` is asked for memory of `pool`, and returns true. Returns false if another
    /// call is asking a borrower whose memory could help the request: this call may be one of that borrower's function,
    /// which would be called again without end.
    ///
    /// The turn makes the check and the store one step, so that of two owners only one asks. Until the borrower was
    /// asked, and [`ask_borrowers`](Self::ask_borrowers) clears the record, no other owner stores here: its check would
    /// find this record. Nothing is lent while `Loans::waiting` is not zero.
    fn begin_asking(&self, record: &LoanRecord<K>, pool: &'static Pool<K>, request: &BufferRequest) -> bool {
        let Some(_turn) = self.loans.turn.take(self.kernel) else { return false };
        let is_asked = |other: &LoanRecord<K>| other.asked_for.get().is_some_and(|pool| self.can_help(pool, request));
        if self.loans.records().any(is_asked) {
            return false;
        }
        record.asked_for.set(Some(pool));
        true
    }

    /// Serves the request from the regions that its device owns, if they have room.
    fn allocate_owned(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        self.allocate_from_pools(request, SearchedPools::Owned).ok()
    }

    /// Returns whether a borrower has memory that the request can use, or is just getting or giving back any memory.
    fn may_get_memory_back(&self, request: &BufferRequest) -> bool {
        let is_usable = |pool: &Pool<K>| self.can_help(pool, request);
        self.loans.records().any(|record| record.may_give_back(self.kernel, is_usable))
    }

    /// Returns the lent memory with the lowest physical address from `from` on, in a pool that
    /// [can help](Self::can_help), and its record.
    fn next_lent(&self, request: &BufferRequest, from: Pa) -> Option<(&'static LoanRecord<K>, LentMemory<K>)> {
        // Each pool is checked once, however much memory of it is lent: the check may read ranges of the device's bus.
        let usable = self.pools().filter(|pool| self.can_help(pool, request));
        let lent = usable.flat_map(|pool| self.lent_memory().filter(|(_, memory)| core::ptr::eq(memory.pool, pool)));
        lent.filter(|(_, memory)| memory.pa >= from).min_by_key(|(_, memory)| memory.pa)
    }

    /// Returns the memory that is lent, with its records.
    fn lent_memory(&self) -> impl Iterator<Item = (&'static LoanRecord<K>, LentMemory<K>)> {
        self.loans.records().filter_map(|record| Some((record, record.memory(self.kernel)?)))
    }

    /// Logs the borrowers that did not give memory back although an owner waited for it: at most [`MAX_LOGGED`].
    #[cold]
    fn log_borrowers(&self, request: &BufferRequest) {
        let mut from = 0;
        for _ in 0..MAX_LOGGED {
            let Some((_, memory)) = self.next_lent(request, from) else { return };
            let (reclaim, size) = (memory.reclaim as usize, memory.size.next_multiple_of(PAGE_SIZE));
            let text =
                text!("borrower 0x%lx (0x%lx) keeps %lu bytes at 0x%lx", reclaim, memory.argument, size, memory.pa);
            let reader = self.name_readers.enter();
            self.kernel.log(Level::Error, &Line::about(memory.pool.name(&reader), text));
            from = memory.pa.saturating_add(1);
        }
    }
}

impl<K: Kernel> Loans<K> {
    /// Notes that an owner waits for its memory. After that, the owner looks at the records.
    /// [`waiting`](Loans::waiting) explains the orders.
    pub fn begin_waiting(&self) {
        self.waiting.fetch_add(1, Acquire);
        fence(SeqCst);
    }

    /// Notes that an owner waits no longer.
    pub fn end_waiting(&self) {
        self.waiting.fetch_sub(1, Release);
    }
}
