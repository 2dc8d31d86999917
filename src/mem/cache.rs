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
    let (mask, end) = (line.wrapping_neg(), va.wrapping_add(size));
    let (first, last) = (va.wrapping_add(line - 1) & mask, end & mask);
    if first < last {
        kernel.cache_invalidate(first, last - first);
    }
    let mut edge = va;
    loop {
        if edge & mask != edge {
            kernel.cache_flush_and_drop(edge & mask, line);
        }
        if edge == end {
            return;
        }
        edge = end;
    }
}
