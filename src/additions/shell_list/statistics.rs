//! The figures of a pool.

use super::buffers::BufferSizes;
use crate::dropin::pool::{self, Pool};
use crate::kernel::Kernel;

/// How much of a pool is in use, and which requests it could not serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statistics {
    /// Bytes of the pool, in whole pages.
    pub total: usize,
    /// Bytes in use.
    pub used: usize,
    /// The most bytes that were in use at once.
    pub peak: usize,
    /// Bytes in the longest free run.
    pub longest_free: usize,
    /// The number of buffers in use.
    pub buffers: usize,
    /// [Failed requests](pool::Failures).
    pub failed: usize,
    /// Bytes of the largest such request.
    pub largest_failed: usize,
}

impl<K: Kernel> Pool<K> {
    /// Returns the pool's figures. They are read one after the other, while other callers may allocate and free.
    ///
    /// Context: any.
    pub fn statistics(&self) -> Statistics {
        let pool::Usage { used, longest_free } = self.usage();
        let pool::Failures { count: failed, largest: largest_failed } = self.failures();
        let buffers = BufferSizes::of(self).count();
        Statistics { total: self.size(), used, peak: self.peak(), longest_free, buffers, failed, largest_failed }
    }
}
