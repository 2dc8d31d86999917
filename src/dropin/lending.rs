//! The record of memory of `reusable` regions that is lent to others than the regions' owners. The functions over it are an
//! addition; this file is what an owner's request needs to reach them.

use crate::dropin::pool::Pool;
use crate::dropin::translate::Request;
use crate::kernel::{Kernel, Pa, Va};
use crate::mem::atomics::AtomicUsize;
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;

/// Asks a borrower to give memory back: its address, its size in bytes, and the borrower's argument.
pub type Reclaim = fn(Va, usize, reclaim: usize, argument: usize);

/// Memory that a borrower has.
#[derive(Clone, Copy)]
pub struct Lent<K: Kernel> {
    /// The pool that the memory belongs to.
    pub pool: &'static Pool<K>,
    /// Its physical address.
    pub pa: Pa,
    /// Its address for the processor.
    pub va: Va,
    /// Its size in bytes.
    pub size: usize,
    /// Asks the borrower for it.
    pub ask: Reclaim,
    /// The borrower's function and its argument: `ask` receives both.
    pub reclaim: usize,
    /// See `reclaim`.
    pub argument: usize,
}

/// A place in the record. It is never freed, and kept for the next borrower.
pub struct Loan<K: Kernel> {
    /// `None`: free.
    pub lent: IrqLock<Option<Lent<K>>>,
    /// Whether a borrower has the place: from before the memory is found until it was given back.
    pub is_taken: AtomicUsize,
    /// The place that was made before this one.
    pub next: Option<&'static Loan<K>>,
}

/// All memory that is lent. `D` is the system's DMA memory, which this file does not know.
pub struct Lending<K: Kernel, D> {
    /// Makes room for a request in the regions of its device; returns the buffer and its handle.
    pub(crate) make_room: fn(&D, &Lending<K, D>, &Request) -> Option<(Va, usize)>,
    /// The place that was made last.
    pub last: AtomicRef<Loan<K>>,
    /// The right to make a place.
    pub turn: Turn,
    /// Owners that wait for their memory. Meanwhile nothing is lent.
    pub waiting: AtomicUsize,
}
