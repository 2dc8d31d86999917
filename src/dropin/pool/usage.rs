//! How much of a pool is in use, and which requests it could not serve.

use super::Pool;
use crate::dropin::page_map::TimeLeft;
use crate::kernel::{Kernel, PAGE_SHIFT};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::bitmaps::BitmapWord;

/// How much of a pool is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The bytes in use.
    pub used: usize,
    /// The bytes in the longest free run.
    pub longest_free: usize,
}

/// The failed requests that the pool could have served if it had had enough free memory.
pub(super) struct Failures {
    count: AtomicUsize,
    /// The size of the largest such request, in bytes.
    largest: AtomicUsize,
}

impl Failures {
    /// Makes the record of a pool of which no request has failed.
    pub(super) const fn new() -> Self {
        Failures { count: AtomicUsize::new(0), largest: AtomicUsize::new(0) }
    }

    /// Resets the record to that of a new pool.
    pub(super) fn forget(&self) {
        self.count.store(0, Relaxed);
        self.largest.store(0, Relaxed);
    }
}

impl<K: Kernel> Pool<K> {
    /// Returns the number of pages.
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// Returns the bitmap of pages in use and the bitmap of the first pages of buffers. Both may change at any time.
    ///
    /// Context: any.
    pub(crate) fn bitmaps(&self) -> (&'static [BitmapWord], &'static [BitmapWord]) {
        let map = self.lock();
        (map.used(), map.starts())
    }

    /// Returns how much of the pool is in use.
    ///
    /// Context: any.
    pub fn usage(&self) -> Usage {
        let map = self.lock_settled(TimeLeft::ForAnything);
        Usage { used: map.used_pages() << PAGE_SHIFT, longest_free: map.longest_free() << PAGE_SHIFT }
    }

    /// Returns the peak: the highest number of bytes that were in use at the same time since the pool was installed.
    ///
    /// Context: any.
    pub fn peak(&self) -> usize {
        self.lock().peak() << PAGE_SHIFT
    }

    /// Returns the number of failed requests whose flags this pool serves, and the size of the largest in bytes. A
    /// request that another pool served did not fail.
    ///
    /// Context: any.
    pub fn failures(&self) -> (usize, usize) {
        (self.failures.count.load(Relaxed), self.failures.largest.load(Relaxed))
    }

    /// Counts a failed request of `size` bytes.
    ///
    /// Context: any.
    pub(crate) fn count_failure(&self, size: usize) {
        self.failures.count.fetch_add(1, Relaxed);
        self.failures.largest.fetch_max(size, Relaxed);
    }
}
