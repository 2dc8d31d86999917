//! What the shell command `list_dma_pool` shows with an option: `-v` the buffers of each pool, `-m` a map of each pool.
//! The figures of a pool that `-v` shows are also those of `rt_dma_pool_statistics`.
//!
//! Both options read the bitmaps of a pool without its lock. If other callers allocate or free meanwhile, the output
//! may contain these changes or not.

mod buffers;
mod map;
mod statistics;

pub use statistics::Statistics;

use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE};
use crate::text::apart;
use buffers::Buffers;

impl<K: Kernel> Dma<K> {
    /// Prints for each pool: the amount of memory in use, the failed requests, and the sizes of its buffers.
    ///
    /// Context: thread.
    pub fn list_details(&self) {
        for pool in self.pools() {
            self.print_head(pool);
            let Statistics { used, peak, longest_free, failed, largest_failed, .. } = pool.statistics();
            let format = apart!("    KiB: %lu in use, %lu at most, %lu in the longest free run\n");
            self.kernel.print(format, &[used >> 10, peak >> 10, longest_free >> 10]);
            if failed != 0 {
                // Rounded up, so that a request of a few bytes is not 0 KiB.
                let largest = largest_failed.div_ceil(1 << 10);
                self.kernel
                    .print(apart!("    requests that failed: %lu, the largest of %lu KiB\n"), &[failed, largest]);
            }
            self.print_sizes(pool);
        }
    }

    /// Prints how many buffers of each size a pool has, from the smallest size to the largest.
    fn print_sizes(&self, pool: &Pool<K>) {
        let mut last = 0;
        // Each round searches for the next size, so that no memory is needed to remember sizes.
        while let Some((pages, count)) = Buffers::of(pool).next_size(last) {
            self.kernel.print(apart!("    %8lu x %lu KiB\n"), &[count, pages * (PAGE_SIZE >> 10)]);
            last = pages;
        }
    }

    /// Prints the line with which each pool begins.
    fn print_head(&self, pool: &Pool<K>) {
        let _names = self.read_names();
        let region = pool.region();
        let values = [region.name.argument(), region.start, region.end, pool.size() >> 10];
        self.kernel.print(apart!("%s [0x%lx, 0x%lx] %lu KiB\n"), &values);
    }
}
