//! Data-cache maintenance that loses nobody's bytes.

use crate::kernel::{Kernel, PAGE_SIZE, Va};

/// Writes dirty lines of `[va, va + size)` to memory. Any context.
pub fn flush<K: Kernel>(kernel: K, va: Va, size: usize) {
    kernel.cache_flush(va, size);
}

/// Writes dirty lines that `[va, va + size)` touches to memory, and drops them. Any context.
pub fn flush_and_drop<K: Kernel>(kernel: K, va: Va, size: usize) {
    let mask = kernel.cache_line_max().wrapping_neg();
    let end = va.wrapping_add(size);
    let mut at = va & mask;
    while at < end {
        // The kernel may mask interrupts for each call.
        let step = (PAGE_SIZE - at % PAGE_SIZE).min(end - at);
        kernel.cache_flush_and_drop(at, step);
        at = at.wrapping_add(step);
    }
}

/// Drops the lines of `[va, va + size)`, so that the next read comes from memory. Any context.
///
/// A line that the range fills only partly holds bytes of its neighbours: it is written back before it is dropped
/// (as Linux's `dma_map` operations do on arm64, `dcache_inval_poc`). Which lines these are is decided by the largest line
/// of the system: an outer cache with longer lines drops the neighbour's bytes too.
#[inline(always)] // Of what every image links, one function calls it.
pub fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line = kernel.cache_line_max();
    if (va | size) & (line - 1) == 0 {
        return kernel.cache_invalidate(va, size);
    }
    invalidate_with_edges(kernel, va, size, line);
}

/// [`invalidate`] for a range that fills its first or last line only partly.
#[inline(never)]
fn invalidate_with_edges<K: Kernel>(kernel: K, va: Va, size: usize, line: usize) {
    let (mask, end) = (line.wrapping_neg(), va.wrapping_add(size));
    let (first, last) = (va & mask, end.wrapping_sub(1) & mask);
    if first == last {
        return kernel.cache_flush_and_drop(first, line);
    }
    // The whole lines in between.
    let (mut whole, mut whole_end) = (first, last.wrapping_add(line));
    if va != first {
        whole = first.wrapping_add(line);
        kernel.cache_flush_and_drop(first, line);
    }
    if end != whole_end {
        whole_end = last;
        kernel.cache_flush_and_drop(last, line);
    }
    if whole != whole_end {
        kernel.cache_invalidate(whole, whole_end.wrapping_sub(whole));
    }
}
