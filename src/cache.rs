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
#[inline(always)]
pub fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line = kernel.cache_line().max(1);
    let end = va.wrapping_add(size);
    let head = va & (line - 1) != 0;
    let tail = end & (line - 1) != 0;
    let first = va & !(line - 1);
    let last = end & !(line - 1);
    if head {
        kernel.cache_flush_and_drop(first, line);
    }
    if tail && !(head && first == last) {
        kernel.cache_flush_and_drop(last, line);
    }
    let inner = if head { first.wrapping_add(line) } else { first };
    if last > inner {
        kernel.cache_invalidate(inner, last - inner);
    }
}
