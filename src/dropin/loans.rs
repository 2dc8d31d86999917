//! The record of lent memory, for the calls of `additions::lending`: memory of `reusable` regions that borrowers use
//! which do not own the region.

use core::ffi::c_void;

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::pool::Pool;
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::atomics::{AtomicBool, AtomicUsize};
use crate::mem::hook::Hook;
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;

/// A borrower's function, which is asked to give memory back. Its parameters are the memory, its size in bytes, and
/// [`Lent::argument`].
pub type Reclaim = unsafe extern "C" fn(memory: *mut c_void, size: usize, argument: *mut c_void);

/// Memory that is lent.
#[derive(Clone, Copy)]
pub struct Lent<K: Kernel> {
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
pub struct Loan<K: Kernel> {
    /// The lent memory; `None` while the entry has none.
    pub lent: IrqLock<Option<Lent<K>>>,
    /// Set while the entry belongs to a borrower: from before its memory is allocated until it was given back.
    pub is_taken: AtomicBool,
    /// The pool, while the borrower's function is called.
    pub asked_for: AtomicRef<Pool<K>>,
    /// The entry that was made before this one.
    pub next: Option<&'static Loan<K>>,
}

/// The record of all lent memory. `D` is [`Dma`](crate::dropin::registry::Dma), which is above this file.
pub struct Lending<K: Kernel, D: 'static> {
    /// Makes borrowers give memory back until the regions of the device can serve its request. Returns the address and
    /// the handle of the allocated buffer. Not set until the first call that borrows.
    pub(crate) make_room: Hook<MakeRoom<D>>,
    /// The entry that was made last.
    pub last: AtomicRef<Loan<K>>,
    /// The turn of calls that make an entry.
    pub turn: Turn,
    /// The number of owners that wait for their memory. While it is not zero, no memory is lent.
    pub waiting: AtomicUsize,
    /// The number of owners' requests for which borrowers did not give back enough memory.
    pub failed_reclaims: AtomicUsize,
}

/// See [`Lending::make_room`].
pub(crate) type MakeRoom<D> = fn(&D, &BufferRequest) -> Option<(Va, Handle)>;

impl<K: Kernel, D> Lending<K, D> {
    /// Makes a record without entries.
    pub const fn new() -> Self {
        Lending {
            make_room: Hook::new(),
            last: AtomicRef::new(),
            turn: Turn::new(),
            waiting: AtomicUsize::new(0),
            failed_reclaims: AtomicUsize::new(0),
        }
    }
}
