//! The pools that have been in the list since before the first direct mapping.

use crate::additions::streaming::locate::touches_pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire},
};

/// Which pools are *early*: installed before the first direct mapping was made, and never uninstalled.
///
/// A mapping of an early pool's memory always has a record. Every other pool is *later*: it may have been installed
/// over memory that was mapped directly, and that has no record. A pool that has ever been uninstalled counts as later
/// too, because its memory may have been mapped directly before it was installed again.
pub struct EarlyPools {
    /// The least number ([`Pool::order`](crate::dropin::pool::Pool::order)) of the pools that were not in the list when
    /// the first direct mapping was made; [`NO_DIRECT_MAPPING_YET`] before. Every pool from this number on is later.
    first_later: AtomicUsize,
}

/// No direct mapping was made yet: every pool that was never uninstalled is early.
const NO_DIRECT_MAPPING_YET: usize = usize::MAX;

impl EarlyPools {
    /// Makes the value of a system without direct mappings.
    pub const fn new() -> Self {
        EarlyPools { first_later: AtomicUsize::new(NO_DIRECT_MAPPING_YET) }
    }

    /// Returns whether the `size` bytes from `pa` on may be mapped directly: no pool contains any of them. Notes the
    /// first direct mapping.
    ///
    /// A pool may be installed over the bytes at this moment. Either it is seen here, or it is a later one:
    ///
    /// | the first direct map | an installation on another core |
    /// | --- | --- |
    /// | 1. reads the last pool of the list, and notes that every pool after it is later | a. lists the pool |
    /// | 2. looks for a pool with the bytes | |
    ///
    /// If `a` comes before 2, the look sees the pool; otherwise `a` comes after 1, and the pool is a later one. Every
    /// other direct map first reads that the early pools are noted, and then looks.
    ///
    /// The first map looks before step 1 too. This look only prevents that a map of pool memory notes a direct mapping
    /// that is not made.
    pub fn admit_direct<K: Kernel>(&self, dma: &Dma<K>, pa: Pa, size: usize) -> bool {
        let is_first = self.first_later.load(Acquire) == NO_DIRECT_MAPPING_YET;
        if is_first && !touches_pool(dma, pa, size) {
            self.note_first(dma);
        }
        !touches_pool(dma, pa, size)
    }

    /// Notes that the first direct mapping is made.
    #[cold]
    fn note_first<K: Kernel>(&self, dma: &Dma<K>) {
        let first_later = dma.pools().last().map_or(0, |pool| pool.order() + 1);
        self.first_later.fetch_min(first_later, AcqRel);
    }

    /// Returns whether an early pool contains any of the `size` bytes from `pa` on.
    pub fn contain_any<K: Kernel>(&self, dma: &Dma<K>, pa: Pa, size: usize) -> bool {
        let end = pa.saturating_add(size);
        let first_later = self.first_later.load(Acquire);
        dma.pools().any(|pool| pool.is_older_than(first_later) && pa < pool.end() && pool.start() < end)
    }
}
