//! Data-cache maintenance that loses nobody's bytes.

use crate::kernel::{Kernel, Va};

/// Writes dirty lines of `[va, va + size)` to memory. Any context.
pub fn flush<K: Kernel>(kernel: K, va: Va, size: usize) {
    kernel.cache_flush(va, size);
}

/// Drops the lines of `[va, va + size)`, so that the next read comes from memory. Any context.
///
/// A line that the range fills only partly holds bytes of its neighbours: it is written back before it is dropped
/// (as Linux's `dma_map` operations do on arm64, `dcache_inval_poc`).
#[inline(never)]
pub fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line = kernel.cache_line();
    let end = va.wrapping_add(size);
    let mut first = va & line.wrapping_neg();
    let last = end & line.wrapping_neg();
    if first != va {
        kernel.cache_flush_and_drop(first, line);
        first = first.wrapping_add(line);
    }
    if last != end {
        kernel.cache_flush_and_drop(last, line);
    }
    if last > first {
        kernel.cache_invalidate(first, last - first);
    }
}
