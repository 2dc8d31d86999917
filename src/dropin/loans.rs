//! The record of lent memory, for the calls of `additions::lending`: memory of `reusable` regions that borrowers use
//! which do not own the region.

use core::ffi::c_void;

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::pool::Pool;
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::AtomicUsize;
use crate::mem::hook::Hook;
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

/// An entry of the record. It is never freed: after the memory is given back, the entry is reused.
pub struct Entry<K: Kernel> {
    /// What the entry is used for.
    state: IrqLock<EntryState<K>>,
    /// The pool, while the borrower's function is called. It is set with the turn [`Lending::turn`] held. `state` does
    /// not suffice for that: the function may give the memory back before it returns.
    pub asked_for: AtomicRef<Pool<K>>,
    /// The entry that was made before this one.
    next: Option<&'static Entry<K>>,
}

/// What an entry is used for.
#[derive(Clone, Copy)]
pub enum EntryState<K: Kernel> {
    /// Nothing: the next borrower claims the entry.
    Free,
    /// A borrower is getting memory, or giving it back.
    Changing,
    /// A borrower has this memory.
    Lent(LentMemory<K>),
}

impl<K: Kernel> Entry<K> {
    /// Makes a changing entry, which is the caller's.
    pub const fn changing(next: Option<&'static Entry<K>>) -> Self {
        Entry { state: IrqLock::new(EntryState::Changing), asked_for: AtomicRef::new(), next }
    }

    /// Makes a free entry a changing one, which is the caller's; returns false if the entry is not free.
    pub fn claim(&self, kernel: K) -> bool {
        let mut state = self.state.lock(kernel);
        let is_free = matches!(*state, EntryState::Free);
        if is_free {
            *state = EntryState::Changing;
        }
        is_free
    }

    /// If the memory at `va` is lent, makes its entry a changing one, which is the caller's, and returns the memory.
    /// `None` if the entry has other memory, or none.
    pub fn claim_lent(&self, kernel: K, va: Va) -> Option<LentMemory<K>> {
        let mut state = self.state.lock(kernel);
        match *state {
            EntryState::Lent(memory) if memory.va == va => {
                *state = EntryState::Changing;
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
            EntryState::Free => false,
            EntryState::Changing => true,
            EntryState::Lent(memory) => is_usable(memory.pool),
        }
    }

    /// Returns the memory that is lent; `None` in the other states.
    pub fn memory(&self, kernel: K) -> Option<LentMemory<K>> {
        match *self.state.lock(kernel) {
            EntryState::Lent(memory) => Some(memory),
            EntryState::Free | EntryState::Changing => None,
        }
    }

    /// Ends the change of an entry that the caller has claimed.
    pub fn set(&self, kernel: K, state: EntryState<K>) {
        *self.state.lock(kernel) = state;
    }
}

/// The record of all lent memory. `D` is [`Dma`](crate::dropin::registry::Dma), which is above this file.
pub struct Lending<K: Kernel, D: 'static> {
    /// Makes borrowers give memory back until the regions of the device can serve its request. Returns the address and
    /// the handle of the allocated buffer. Not set until the first call that borrows.
    pub(crate) make_room: Hook<MakeRoom<D>>,
    /// The entry that was made last.
    pub last: AtomicRef<Entry<K>>,
    /// The turn of calls that make an entry, or choose whose borrower is asked.
    pub turn: Turn,
    /// The number of owners that wait for their memory. While it is not zero, no memory is lent, so that no borrower
    /// takes what another one gives back.
    ///
    /// A borrower claims its entry, passes a fence, and reads this number. An owner adds to this number, passes a
    /// fence, and reads the entries. So at least one of them reads what the other wrote: nothing is lent, or the owner
    /// waits for this borrower. Without the fences both could miss it: a new entry is published with `Release` and
    /// found with `Acquire`, which do not order it with this number.
    pub waiting: AtomicUsize,
    /// The number of owners' requests for which borrowers did not give back enough memory.
    pub failed_waits: AtomicUsize,
}

/// See [`Lending::make_room`].
pub(crate) type MakeRoom<D> = fn(&D, &BufferRequest) -> Option<(Va, Handle)>;

impl<K: Kernel, D> Lending<K, D> {
    /// Returns the entries, the newest first.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry<K>> + use<K, D> {
        core::iter::successors(self.last.get(), |entry| entry.next)
    }

    /// Makes a record without entries.
    pub const fn new() -> Self {
        Lending {
            make_room: Hook::new(),
            last: AtomicRef::new(),
            turn: Turn::new(),
            waiting: AtomicUsize::new(0),
            failed_waits: AtomicUsize::new(0),
        }
    }
}
