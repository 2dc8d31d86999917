//! How much of a pool is in use, and which requests it could not serve.

use super::Pool;
use crate::dropin::page_map::TimeLeft;
use crate::kernel::{Kernel, PAGE_SHIFT};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

/// How much of a pool is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The bytes in use.
    pub used: usize,
    /// The bytes in the longest free run.
    pub longest_free: usize,
}

/// The failed requests that the pool may serve by their flags, or as a pool of their device, whatever their size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failures {
    /// The number of such requests.
    pub count: usize,
    /// The size of the largest, in bytes.
    pub largest: usize,
}

/// Counts the failed requests of a pool: see [`Failures`].
pub(super) struct FailureCounter {
    count: AtomicUsize,
    largest: AtomicUsize,
}

impl FailureCounter {
    /// Makes the counter of a pool of which no request has failed.
    pub(super) const fn new() -> Self {
        FailureCounter { count: AtomicUsize::new(0), largest: AtomicUsize::new(0) }
    }

    /// Resets the counter to that of a new pool.
    pub(super) fn reset(&self) {
        self.count.store(0, Relaxed);
        self.largest.store(0, Relaxed);
    }
}

impl<K: Kernel> Pool<K> {
    /// Returns how much of the pool is in use.
    ///
    /// Context: any.
    pub fn usage(&self) -> Usage {
        // The longest free run is read from the tree, which must be exact.
        let map = self.lock_settled(TimeLeft::ForSearch);
        Usage { used: map.used_pages() << PAGE_SHIFT, longest_free: map.longest_free() << PAGE_SHIFT }
    }

    /// Returns the peak: the highest number of bytes that were in use at the same time since the pool was installed.
    ///
    /// Context: any.
    pub fn peak(&self) -> usize {
        self.lock().peak() << PAGE_SHIFT
    }

    /// Returns the [failed requests](Failures). A request that another pool served did not fail.
    ///
    /// Context: any.
    pub fn failures(&self) -> Failures {
        Failures { count: self.failures.count.load(Relaxed), largest: self.failures.largest.load(Relaxed) }
    }

    /// Counts a failed request of `size` bytes.
    ///
    /// Context: any.
    pub(crate) fn count_failure(&self, size: usize) {
        self.failures.count.fetch_add(1, Relaxed);
        self.failures.largest.fetch_max(size, Relaxed);
    }
}
