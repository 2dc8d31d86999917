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
    /// Every pool with this number ([`Pool::order`](crate::dropin::pool::Pool::order)) or a higher one is later;
    /// [`NOT_YET`] before the first direct mapping.
    end: AtomicUsize,
}

/// No direct mapping was made yet: every pool is early.
const NOT_YET: usize = usize::MAX;

impl EarlyPools {
    /// Makes the value of a system without direct mappings.
    pub const fn new() -> Self {
        EarlyPools { end: AtomicUsize::new(NOT_YET) }
    }

    /// Returns whether the `size` bytes from `pa` on may be mapped directly: no pool contains any of them. Notes the
    /// first direct mapping.
    ///
    /// A pool may be installed over the bytes at this moment. Either it is seen here, or it is a later one:
    ///
    /// | the first direct map | an installation on another core |
    /// | --- | --- |
    /// | 1. notes which pools are early | a. lists the pool |
    /// | 2. looks for a pool with the bytes | |
    ///
    /// If `a` comes before 2, the look sees the pool; otherwise `a` comes after 1, and the pool is a later one. Every
    /// other direct map first reads that the early pools are noted, and then looks.
    pub fn admit_direct<K: Kernel>(&self, dma: &Dma<K>, pa: Pa, size: usize) -> bool {
        let is_first = self.end.load(Acquire) == NOT_YET;
        let is_outside_all_pools = || dma.pool_in(pa, pa.saturating_add(size)).is_none();
        if is_first && is_outside_all_pools() {
            self.note_first(dma);
        }
        is_outside_all_pools()
    }

    /// Notes that the first direct mapping is made.
    #[cold]
    fn note_first<K: Kernel>(&self, dma: &Dma<K>) {
        let end = dma.pools().last().map_or(0, |pool| pool.order() + 1);
        self.end.fetch_min(end, AcqRel);
    }

    /// Returns whether an early pool contains any of the `size` bytes from `pa` on.
    pub fn contain_any<K: Kernel>(&self, dma: &Dma<K>, pa: Pa, size: usize) -> bool {
        let end = pa.saturating_add(size);
        let later = self.end.load(Acquire);
        dma.pools().any(|pool| pool.is_older_than(later) && pa < pool.end() && pool.start() < end)
    }
}
