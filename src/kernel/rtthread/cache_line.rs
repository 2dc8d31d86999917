//! The cache lines of aarch64: their size, and maintenance of one.
//!
//! The instructions are inline, so that a call that maintains the lines at the ends of a buffer calls only one function
//! of the port, the one for the lines between them.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::kernel::Va;

/// What [`line_offset_mask`] returns: all ones until [`set_if_of_one_size`] sets it. The first core that does so sets
/// it for all cores, so the smallest lines of all cores must have one size.
static LINE_OFFSET_MASK: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Implements [`Cache::line_offset_mask`](crate::kernel::Cache::line_offset_mask).
pub fn line_offset_mask() -> usize {
    LINE_OFFSET_MASK.load(Relaxed)
}

/// Makes [`line_offset_mask`] return the bits of the offset within a line from now on, if all lines have one size: if
/// the smallest line of this core's caches is as large as `largest`, the largest line of any cache of the system.
pub fn set_if_of_one_size(largest: usize) {
    let ctr: usize;
    // SAFETY: the instruction only reads CTR_EL0, which describes the caches.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
    // DminLine: base-two logarithm of the words in the smallest line.
    let smallest = 4 << (ctr >> 16 & 0xf);
    // Usually stored once (two cores may both store the same value): each store takes the word's cache line from the
    // other cores.
    if smallest == largest && line_offset_mask() == usize::MAX {
        LINE_OFFSET_MASK.store(largest - 1, Relaxed);
    }
}

/// Implements [`Cache::cache_flush_and_invalidate_line`](crate::kernel::Cache::cache_flush_and_invalidate_line).
pub fn flush_and_invalidate_line(va: Va) {
    // SAFETY: no byte that a processor wrote is lost: the line is written to memory before it is removed.
    unsafe { asm!("dc civac, {}", "dsb sy", in(reg) va, options(nostack, preserves_flags)) };
}
