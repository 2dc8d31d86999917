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
    let mut at = va & mask;
    // Not compared with the end of the range, which is zero for a range at the top of the address space.
    let mut left = size + (va - at);
    while left != 0 {
        // A page at a time: the kernel may mask interrupts during a call.
        let step = (PAGE_SIZE - at % PAGE_SIZE).min(left);
        kernel.cache_flush_and_drop(at, step);
        at = at.wrapping_add(step);
        left -= step;
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
#[inline(always)] // A sync call of a buffer that begins on a line needs no stack frame then.
pub unsafe fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let within_line = kernel.within_line();
    if va & within_line != 0 {
        // SAFETY: the caller guarantees it.
        return unsafe { invalidate_from_within_line(kernel, va, size) };
    }
    let mut whole_lines = size;
    let in_last_line = size & within_line;
    if in_last_line != 0 {
        whole_lines -= in_last_line;
        kernel.cache_flush_and_drop_line(va.wrapping_add(whole_lines));
        if whole_lines == 0 {
            return;
        }
    }
    // SAFETY: these lines lie within the range, for which the caller guarantees it.
    unsafe { kernel.cache_invalidate(va, whole_lines) };
}

/// Does what [`invalidate`] does, for a range that does not begin on a line.
///
/// # Safety
/// As for [`invalidate`].
#[allow(unsafe_code)]
#[inline(never)]
unsafe fn invalidate_from_within_line<K: Kernel>(kernel: K, va: Va, size: usize) {
    let within_line = kernel.within_line();
    if within_line == usize::MAX {
        // SAFETY: the caller guarantees it.
        return unsafe { invalidate_lines_of_any_size(kernel, va, size) };
    }
    kernel.cache_flush_and_drop_line(va);
    let (next, end) = ((va | within_line).wrapping_add(1), va.wrapping_add(size));
    if next < end {
        // SAFETY: the rest of the range, for which the caller guarantees it.
        unsafe { invalidate(kernel, next, end - next) }
    }
}

/// Does what [`invalidate`] does, where lines have different sizes, or their size is not known yet.
///
/// # Safety
/// As for [`invalidate`].
#[allow(unsafe_code)]
#[cold]
#[inline(never)]
unsafe fn invalidate_lines_of_any_size<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line = kernel.cache_line_max();
    let (mask, end) = (line.wrapping_neg(), va.wrapping_add(size));
    // The whole lines.
    let (mut first, last) = (va & mask, end & mask);
    if va != first {
        kernel.cache_flush_and_drop(first, line);
        first = first.wrapping_add(line);
    }
    if end != last {
        kernel.cache_flush_and_drop(last, line);
    }
    if first < last {
        // SAFETY: these lines lie within the range, for which the caller guarantees it.
        unsafe { kernel.cache_invalidate(first, last - first) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{HeapOnly, dropped};

    #[test]
    fn a_buffer_that_ends_at_the_top_of_the_address_space_is_dropped_to_its_last_line() {
        for (distance, size, bytes) in [(64, 64, 64), (3 * PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE), (100, 36, 64)] {
            let before = dropped();
            flush_and_drop(HeapOnly, distance.wrapping_neg(), size);
            assert_eq!(dropped() - before, bytes, "{size} bytes, {distance} below the top");
        }
    }
}
