//! What the shell command `list_dma_pool` shows with an option: `-v` the buffers of each pool, `-m` a map of each pool.
//! The figures of a pool that `-v` shows are also those of `rt_dma_pool_statistics`.
//!
//! Both options read the bitmaps of a pool without its lock. If other callers allocate or free meanwhile, the output
//! may contain these changes or not.

mod buffers;
mod page_maps;
mod statistics;

pub use statistics::Statistics;

use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE};
use crate::text::{kib, text};
use buffers::BufferSizes;

impl<K: Kernel> Dma<K> {
    /// Prints for each pool: the amount of memory in use, the failed requests, and the sizes of its buffers.
    ///
    /// Context: thread.
    pub fn print_details(&self) {
        for pool in self.pools() {
            self.print_head(pool);
            let Statistics { used, peak, longest_free, failed, largest_failed, .. } = pool.statistics();
            let [used, peak, longest_free] = [used, peak, longest_free].map(kib);
            let text =
                text!("    KiB: %lu in use, %lu at most, %lu in the longest free run\n", used, peak, longest_free);
            self.kernel.print(text);
            if failed != 0 {
                // Rounded up, so that a request of a few bytes is not 0 KiB.
                let largest = largest_failed.div_ceil(1 << 10);
                self.kernel.print(text!("    requests that failed: %lu, the largest of %lu KiB\n", failed, largest));
            }
            self.print_sizes(pool);
        }
    }

    /// Prints how many buffers of each size a pool has, from the smallest size to the largest.
    fn print_sizes(&self, pool: &Pool<K>) {
        let mut last = 0;
        // Each round searches for the next size, so that no memory is needed to remember sizes.
        while let Some(pages) = BufferSizes::of(pool).filter(|size| *size > last).min() {
            let count = BufferSizes::of(pool).filter(|size| *size == pages).count();
            // Since the search, other callers may have freed the last buffer of this size.
            if count > 0 {
                self.kernel.print(text!("    %8lu x %lu KiB\n", count, kib(pages * PAGE_SIZE)));
            }
            last = pages;
        }
    }

    /// Prints the line with which each pool begins.
    fn print_head(&self, pool: &Pool<K>) {
        let reader = self.name_readers.enter();
        let (start, end) = pool.installed_range();
        self.kernel.print(text!("%s [0x%lx, 0x%lx] %lu KiB\n", pool.name(&reader), start, end, kib(pool.size())));
    }
}
