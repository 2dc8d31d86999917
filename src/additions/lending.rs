//! Lending: others than the owners of a `reusable` region borrow its memory, and give it back when an owner needs it.
//!
//! An owner's request that finds no room calls the borrowers' functions, in the owner's thread, from the lowest address on,
//! until there is room. A borrower whose function returns without giving back may still do so from another thread: the
//! request waits for that, for at most [`PATIENCE`] ticks in all. Then it logs the borrowers that still have memory, and
//! fails in this region.

use core::mem::size_of;

use crate::dropin::lending::{Lending, Lent, Loan, Reclaim};
use crate::dropin::registry::Dma;
use crate::dropin::request::Missed;
use crate::dropin::translate::{MapOps, Request};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::log::{Level, Line};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, Release, SeqCst},
    fence,
};
use crate::mem::heap::HeapMemory;
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;
use crate::text::apart;

/// How many ticks an owner's request waits for memory that borrowers do not give back at once.
const PATIENCE: usize = 100;
/// After how many ticks a borrower is asked again. A call that borrowed memory while the owner began to wait is asked then.
const ASK_AGAIN: usize = 10;
/// The most borrowers that a request logs because they keep memory.
const MOST_NAMED: usize = 4;
/// Stands for the device of a borrower, which has none: no device lies at an odd address.
const BORROWER: Device = Device(1);

impl<K: Kernel> Dma<K> {
    /// Borrows `size` bytes of a `reusable` region, cached and mapped, and returns their address. `ask` is called with
    /// `reclaim` and `argument` when an owner of the region needs the memory. `None` if no region has room, an owner waits
    /// for memory, the heap has no room for the record, or the caller may not sleep.
    ///
    /// Context: thread.
    pub fn borrow_memory(&self, size: usize, ask: Reclaim, reclaim: usize, argument: usize) -> Option<Va> {
        let pages = size.checked_sub(1).map(|last| (last >> PAGE_SHIFT) + 1)?;
        if !self.kernel.can_sleep() {
            self.count_refused();
            return None;
        }
        let lending = self.lending()?;
        let loan = self.free_loan(lending)?;
        // After the place was taken: an owner that begins to wait afterwards finds the place. See `is_any_out`.
        fence(SeqCst);
        if lending.waiting.load(SeqCst) == 0 {
            for pool in self.pools().filter(|pool| pool.is_reusable()) {
                let flags = pool.flags_for(Flags::empty());
                if let Some(page) = pool.take(pages)
                    && let Some(va) = pool.map_buffer(page, pages, flags)
                {
                    let (va, pa) = (va.get(), pool.pa_of(page));
                    *loan.lent.lock(self.kernel) = Some(Lent { pool, pa, va, size, ask, reclaim, argument });
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
    /// [`Error::Foreign`] if no borrowed memory begins at `va`. It is counted and logged, and changes nothing.
    pub fn give_back_memory(&self, va: Va) -> Result<(), Error> {
        let loans = self.lending.get().into_iter().flat_map(loans);
        for loan in loans {
            let mut lent = loan.lent.lock(self.kernel);
            if let Some(memory) = lent.take_if(|memory| memory.va == va) {
                drop(lent);
                let result = self.free(MapOps::NonCoherent, BORROWER, memory.size, va, 0, Flags::empty());
                if result == Err(Error::Context) {
                    // Its own mapping cannot be removed here: the borrower still has it.
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

    /// The record, which the first borrower makes.
    fn lending(&self) -> Option<&'static Lending<K, Dma<K>>> {
        if let Some(lending) = self.lending.get() {
            return Some(lending);
        }
        let _installer = self.installer()?;
        if let Some(lending) = self.lending.get() {
            return Some(lending);
        }
        let lending = HeapMemory::new(self.kernel, size_of::<Lending<K, Dma<K>>>())?.place(|_| Lending {
            make_room: Dma::make_room,
            last: AtomicRef::new(),
            turn: Turn::new(),
            waiting: AtomicUsize::new(0),
        })?;
        self.lending.set(Some(lending));
        Some(lending)
    }

    /// A place for a borrower: a free one, or a new one.
    fn free_loan(&self, lending: &Lending<K, Dma<K>>) -> Option<&'static Loan<K>> {
        let take = |loan: &&Loan<K>| loan.is_taken.compare_exchange(0, 1, SeqCst, Relaxed).is_ok();
        if let Some(loan) = loans(lending).find(take) {
            return Some(loan);
        }
        let _turn = lending.turn.take(self.kernel)?;
        let loan = HeapMemory::new(self.kernel, size_of::<Loan<K>>())?.place(|_| Loan {
            lent: IrqLock::new(None),
            is_taken: AtomicUsize::new(1),
            next: lending.last.get(),
        })?;
        lending.last.set(Some(loan));
        Some(loan)
    }

    /// Makes room for an owner's request by what borrowers give back, and serves it. `None` where the caller may not sleep.
    fn make_room(&self, lending: &Lending<K, Dma<K>>, request: &Request) -> Option<(Va, usize)> {
        if !self.kernel.can_sleep() || !self.pools().any(|pool| pool.is_reusable() && pool.is_owned_by(request.device))
        {
            return None;
        }
        // From here on nothing is lent, so that what comes back is the owner's.
        lending.waiting.fetch_add(1, SeqCst);
        fence(SeqCst);
        let found = self.reclaim(lending, request);
        lending.waiting.fetch_sub(1, SeqCst);
        if found.is_none() {
            self.name_borrowers(lending, request);
        }
        found
    }

    /// Asks the borrowers, again every [`ASK_AGAIN`] ticks, until the request is served, nothing is lent, or the patience ends.
    fn reclaim(&self, lending: &Lending<K, Dma<K>>, request: &Request) -> Option<(Va, usize)> {
        let search = || self.search(request, true, &mut Missed::Full);
        for tick in 0..PATIENCE {
            let mut from = 0;
            while tick % ASK_AGAIN == 0
                && let Some(memory) = self.next_lent(lending, request, from)
            {
                (memory.ask)(memory.va, memory.size, memory.reclaim, memory.argument);
                if let Some(found) = search() {
                    return Some(found);
                }
                from = memory.pa.saturating_add(1);
            }
            if !self.is_any_out(lending, request) {
                break;
            }
            self.kernel.pause();
            if let Some(found) = search() {
                return Some(found);
            }
        }
        search()
    }

    /// Whether a borrower has memory that the request may need, is about to get some, or is giving some back.
    ///
    /// A borrower takes a place, then reads `waiting`; an owner writes `waiting`, then reads the places. Under SeqCst at least
    /// one of them sees the other's write: either nothing is lent, or the owner waits for it.
    fn is_any_out(&self, lending: &Lending<K, Dma<K>>, request: &Request) -> bool {
        let is_out = |loan: &Loan<K>| match *loan.lent.lock(self.kernel) {
            Some(memory) => is_in_question(&memory, request),
            None => loan.is_taken.load(SeqCst) != 0,
        };
        loans(lending).any(is_out)
    }

    /// The lent memory with the lowest physical address from `from` on, in a pool that the request's device owns and that is
    /// large enough for the request.
    fn next_lent(&self, lending: &Lending<K, Dma<K>>, request: &Request, from: Pa) -> Option<Lent<K>> {
        let lent = loans(lending).filter_map(|loan| *loan.lent.lock(self.kernel));
        lent.filter(|memory| memory.pa >= from && is_in_question(memory, request)).min_by_key(|memory| memory.pa)
    }

    /// Logs which borrowers keep memory that an owner waited for in vain.
    #[cold]
    fn name_borrowers(&self, lending: &Lending<K, Dma<K>>, request: &Request) {
        let mut from = 0;
        for _ in 0..MOST_NAMED {
            let Some(memory) = self.next_lent(lending, request, from) else { return };
            let values = &[memory.reclaim, memory.argument, memory.size.next_multiple_of(PAGE_SIZE), memory.pa];
            let _names = self.read_names();
            let format = apart!("borrower 0x%lx (0x%lx) keeps %lu bytes at 0x%lx");
            self.kernel.log(Level::Error, &Line::about(memory.pool.name(), format, values));
            from = memory.pa.saturating_add(1);
        }
    }
}

/// The places of the record.
fn loans<K: Kernel>(lending: &Lending<K, Dma<K>>) -> impl Iterator<Item = &'static Loan<K>> + use<K> {
    core::iter::successors(lending.last.get(), |loan| loan.next)
}

/// Whether the request may need this memory: its device owns the region, and the region is large enough.
fn is_in_question<K: Kernel>(memory: &Lent<K>, request: &Request) -> bool {
    memory.pool.is_owned_by(request.device) && request.size <= memory.pool.size()
}
