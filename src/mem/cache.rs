//! Data-cache maintenance that preserves the bytes next to a range.

use crate::kernel::{Kernel, PAGE_SIZE, Va};

/// Writes dirty lines of `[va, va + size)` to memory.
///
/// Context: any.
pub fn flush<K: Kernel>(kernel: K, va: Va, size: usize) {
    kernel.cache_flush(va, size);
}

/// Writes dirty lines that contain a byte of `[va, va + size)` to memory, and drops them.
///
/// Context: any.
pub fn flush_and_drop<K: Kernel>(kernel: K, va: Va, size: usize) {
    let mask = kernel.cache_line_max().wrapping_neg();
    let end = va.wrapping_add(size);
    let mut at = va & mask;
    while at < end {
        // A page at a time: the kernel may mask interrupts during a call.
        let step = (PAGE_SIZE - at % PAGE_SIZE).min(end - at);
        kernel.cache_flush_and_drop(at, step);
        at = at.wrapping_add(step);
    }
}

/// Drops the lines of `[va, va + size)`, so that the next read comes from memory.
///
/// A line that is only partly in the range also holds bytes of a neighbour. It is written to memory before it is dropped, as
/// Linux does on arm64 (`dcache_inval_poc`). The size of the largest line decides which lines these are: an outer cache
/// with longer lines drops the neighbour's bytes, too.
///
/// Context: any.
///
/// # Safety
/// As for [`Kernel::cache_invalidate`], for the bytes of the range.
#[allow(unsafe_code)]
#[inline(always)] // A sync call of whole lines needs no stack frame then.
pub unsafe fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line = kernel.cache_line_max();
    if (va | size) & (line - 1) == 0 {
        // SAFETY: the caller guarantees it.
        return unsafe { kernel.cache_invalidate(va, size) };
    }
    // SAFETY: the caller guarantees it.
    unsafe { invalidate_with_edges(kernel, va, size, line) };
}

/// Does what [`invalidate`] does, for a range whose first or last line is only partly in it.
///
/// # Safety
/// As for [`invalidate`].
#[allow(unsafe_code)]
#[inline(never)] // Out of the way of the sync calls, whose buffers mostly consist of whole lines.
unsafe fn invalidate_with_edges<K: Kernel>(kernel: K, va: Va, size: usize, line: usize) {
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
        // SAFETY: these lines lie within the range, for which the caller guarantees it.
        unsafe { kernel.cache_invalidate(whole, whole_end.wrapping_sub(whole)) };
    }
}
