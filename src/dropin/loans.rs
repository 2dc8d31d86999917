//! The records of lent memory, for the calls of `additions::lending`: a borrower uses memory of a `reusable` region,
//! which it does not own.

use core::ffi::c_void;

use crate::dropin::pool::Pool;
use crate::kernel::{Kernel, Pa, Va};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::AtomicUsize;
use crate::mem::lock::IrqLock;
use crate::mem::turn::Turn;

/// A borrower's function, which is asked to give memory back. Its parameters are the memory, its size in bytes, and
/// [`LentMemory::argument`].
pub type Reclaim = unsafe extern "C" fn(memory: *mut c_void, size: usize, argument: *mut c_void);

/// Memory that is lent.
#[derive(Clone, Copy)]
pub struct LentMemory<K: Kernel> {
    /// The pool to which the memory belongs.
    pub pool: &'static Pool<K>,
    /// The physical address of the memory.
    pub pa: Pa,
    /// The address of the memory for the processor.
    pub va: Va,
    /// The size of the memory in bytes.
    pub size: usize,
    /// The borrower's function.
    pub reclaim: Reclaim,
    /// The address that `reclaim` receives as its argument.
    pub argument: usize,
}

/// The record of one loan. It is never freed: after the memory is given back, the record is used for another loan.
pub struct LoanRecord<K: Kernel> {
    /// What the record is used for.
    state: IrqLock<LoanState<K>>,
    /// The pool, while the borrower's function is called. It is set with the turn [`Loans::turn`] held, and cleared
    /// without it. `state` does not suffice for that: the function may give the memory back before it returns.
    pub asked_for: AtomicRef<Pool<K>>,
    /// The record that was made before this one.
    next: Option<&'static LoanRecord<K>>,
}

/// What a record is used for.
#[derive(Clone, Copy)]
pub enum LoanState<K: Kernel> {
    /// Nothing: the next borrower may reserve the record.
    Free,
    /// A borrower is getting memory, or giving it back.
    Changing,
    /// A borrower has this memory.
    Lent(LentMemory<K>),
}

impl<K: Kernel> LoanRecord<K> {
    /// Makes a record that is reserved for the caller, which then sets its state. `next` is the one made before.
    pub const fn reserved(next: Option<&'static LoanRecord<K>>) -> Self {
        LoanRecord { state: IrqLock::new(LoanState::Changing), asked_for: AtomicRef::new(), next }
    }

    /// Reserves the record for the caller, which then [sets](Self::set) its state. Returns false, and changes nothing,
    /// if the record is not free.
    pub fn reserve(&self, kernel: K) -> bool {
        let mut state = self.state.lock(kernel);
        let is_free = matches!(*state, LoanState::Free);
        if is_free {
            *state = LoanState::Changing;
        }
        is_free
    }

    /// If this is the record of the memory at `va`, claims it and returns the memory: of several calls, one gets it.
    /// The caller then [sets](Self::set) the state. Returns `None` if the record has other memory, or none.
    pub fn claim(&self, kernel: K, va: Va) -> Option<LentMemory<K>> {
        let mut state = self.state.lock(kernel);
        match *state {
            LoanState::Lent(memory) if memory.va == va => {
                *state = LoanState::Changing;
                Some(memory)
            }
            _ => None,
        }
    }

    /// Returns whether a borrower has memory of a pool that `is_usable`, or is just getting or giving back any memory.
    pub fn may_give_back(&self, kernel: K, is_usable: impl FnOnce(&Pool<K>) -> bool) -> bool {
        // The lock is released before `is_usable`, which may ask the kernel for the node of a device.
        let state = *self.state.lock(kernel);
        match state {
            LoanState::Free => false,
            LoanState::Changing => true,
            LoanState::Lent(memory) => is_usable(memory.pool),
        }
    }

    /// Returns the memory that is lent; `None` in the other states.
    pub fn memory(&self, kernel: K) -> Option<LentMemory<K>> {
        match *self.state.lock(kernel) {
            LoanState::Lent(memory) => Some(memory),
            LoanState::Free | LoanState::Changing => None,
        }
    }

    /// Sets the state of a record that the caller has reserved or claimed.
    pub fn set(&self, kernel: K, state: LoanState<K>) {
        *self.state.lock(kernel) = state;
    }
}

/// The records of all lent memory.
pub struct Loans<K: Kernel> {
    /// The record that was made last.
    pub newest: AtomicRef<LoanRecord<K>>,
    /// The turn of calls that make a record, or choose whose borrower is asked.
    pub turn: Turn,
    /// The number of owners that wait for their memory. While it is not zero, no memory is lent, so that no borrower
    /// takes what another one gives back.
    ///
    /// A borrower reserves its record, passes a fence, and reads this number. An owner adds to this number, passes a
    /// fence, and reads the records. So at least one of them reads what the other wrote: nothing is lent, or the owner
    /// waits for this borrower. Without the fences both could miss it: a new record is published with `Release` and
    /// found with `Acquire`, which do not order it with this number.
    ///
    /// An owner leaves with release. A borrower or the next owner reads the smaller number with acquire, so it also
    /// sees what the earlier owner wrote to the records: that it asks their borrowers for nothing any more.
    pub waiting: AtomicUsize,
    /// The number of owners' requests for which borrowers did not give back enough memory.
    pub failed_waits: AtomicUsize,
}

impl<K: Kernel> Loans<K> {
    /// Makes the value of a system in which no memory was lent.
    pub const fn new() -> Self {
        Loans {
            newest: AtomicRef::new(),
            turn: Turn::new(),
            waiting: AtomicUsize::new(0),
            failed_waits: AtomicUsize::new(0),
        }
    }

    /// Returns the records, the newest first.
    pub fn records(&self) -> impl Iterator<Item = &'static LoanRecord<K>> + use<K> {
        core::iter::successors(self.newest.get(), |record| record.next)
    }
}
