//! The pools that were there before the first direct mapping.

use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire},
};

/// Which pools were installed before the first direct mapping was made, and have not been uninstalled since.
///
/// A mapping of an early pool's memory always has a record. A later pool may have been installed over memory that was
/// mapped directly, and that has no record.
pub struct EarlyPools {
    /// Every pool with this number ([`Pool::order`](crate::dropin::pool::Pool::order)) or a higher one is later; [`NOT_YET`]
    /// before the first direct mapping.
    end: AtomicUsize,
}

/// No direct mapping was made yet: every pool is early.
const NOT_YET: usize = usize::MAX;

impl EarlyPools {
    pub const fn new() -> Self {
        EarlyPools { end: AtomicUsize::new(NOT_YET) }
    }

    /// Whether no direct mapping was made yet, so that every pool is early.
    pub fn are_all(&self) -> bool {
        self.end.load(Acquire) == NOT_YET
    }

    /// Notes that the first direct mapping is made.
    #[cold]
    pub fn end<K: Kernel>(&self, dma: &Dma<K>) {
        let end = dma.pools().last().map_or(0, |pool| pool.order() + 1);
        self.end.fetch_min(end, AcqRel);
    }

    /// Whether an early pool contains any of the `size` bytes from `pa` on.
    pub fn touch<K: Kernel>(&self, dma: &Dma<K>, pa: Pa, size: usize) -> bool {
        let end = pa.saturating_add(size);
        let later = self.end.load(Acquire);
        dma.pools().any(|pool| pool.is_older_than(later) && pa < pool.end() && pool.start() < end)
    }
}
