//! Data-cache maintenance that preserves the bytes next to a range.
//!
//! These functions compute with the number of bytes that are left, and compare no end addresses: the end of a range at
//! the top of the address space is zero.

use crate::kernel::{Kernel, PAGE_SIZE, Va};

/// Writes dirty lines that contain a byte of `[va, va + size)` to memory, and removes them from the cache. The range is
/// not empty.
///
/// Context: any.
pub fn flush_and_invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let mask = kernel.cache_line_max().wrapping_neg();
    let mut at = va & mask;
    let mut left = size + (va - at);
    while left != 0 {
        // At most one page per call, because the kernel may mask interrupts during a call.
        let step = (PAGE_SIZE - at % PAGE_SIZE).min(left);
        kernel.cache_flush_and_invalidate(at, step);
        at = at.wrapping_add(step);
        left -= step;
    }
}

/// Removes the lines of `[va, va + size)`, so that the next read comes from memory. The range is not empty.
///
/// A line that is only partly in the range also holds bytes of a neighbour. It is flushed before it is invalidated, as
/// Linux does on arm64 (`dcache_inval_poc`). The size of the largest line of any cache decides which lines these are:
/// an outer cache with longer lines would otherwise lose bytes of a neighbour.
///
/// Context: any.
///
/// # Safety
/// As for [`Cache::cache_invalidate`](crate::kernel::Cache::cache_invalidate), for the bytes of the range.
#[allow(unsafe_code)]
#[inline(always)] // With this, a sync call needs no stack frame if its buffer begins at the start of a line.
pub unsafe fn invalidate<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line_offset_mask = kernel.line_offset_mask();
    if va & line_offset_mask != 0 {
        // SAFETY: the caller guarantees that a byte that was written since the last flush may be lost.
        return unsafe { invalidate_from_within_line(kernel, va, size) };
    }
    let mut whole_lines = size;
    let in_last_line = size & line_offset_mask;
    if in_last_line != 0 {
        whole_lines -= in_last_line;
        kernel.cache_flush_and_invalidate_line(va.wrapping_add(whole_lines));
        if whole_lines == 0 {
            return;
        }
    }
    // SAFETY: these lines lie within the range, for which the caller guarantees it.
    unsafe { kernel.cache_invalidate(va, whole_lines) };
}

/// Does what [`invalidate`] does, for a range that does not begin at the start of a line.
///
/// # Safety
/// As for [`invalidate`].
#[allow(unsafe_code)]
unsafe fn invalidate_from_within_line<K: Kernel>(kernel: K, va: Va, size: usize) {
    let line_offset_mask = kernel.line_offset_mask();
    if line_offset_mask == usize::MAX {
        // SAFETY: the caller guarantees that a byte that was written since the last flush may be lost.
        return unsafe { invalidate_lines_of_any_size(kernel, va, size) };
    }
    kernel.cache_flush_and_invalidate_line(va);
    let in_first_line = line_offset_mask + 1 - (va & line_offset_mask);
    if in_first_line < size {
        // SAFETY: this is the rest of the range, for which the caller guarantees it. It begins at the start of a line,
        // so `invalidate` does not call this function again.
        unsafe { invalidate(kernel, va.wrapping_add(in_first_line), size - in_first_line) }
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
    let end = va.wrapping_add(size);
    let (in_first_line, in_last_line) = (va.wrapping_neg() & (line - 1), end & (line - 1));
    if in_first_line != 0 {
        kernel.cache_flush_and_invalidate(va & line.wrapping_neg(), line);
    }
    if in_last_line != 0 {
        kernel.cache_flush_and_invalidate(end - in_last_line, line);
    }
    if size > in_first_line + in_last_line {
        let whole_lines = size - in_first_line - in_last_line;
        // SAFETY: these lines lie within the range, for which the caller guarantees it.
        unsafe { kernel.cache_invalidate(va.wrapping_add(in_first_line), whole_lines) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{HeapOnly, invalidated};

    /// Buffers that end at the top of the address space: how far below the top they begin, their size,
    /// and the bytes of their lines.
    const AT_THE_TOP: [(usize, usize, usize); 5] =
        [(64, 64, 64), (3 * PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE), (100, 36, 64), (100, 100, 128), (200, 200, 256)];

    fn bytes_invalidated_by(act: impl FnOnce()) -> usize {
        let before = invalidated();
        act();
        invalidated() - before
    }

    #[test]
    fn a_buffer_that_ends_at_the_top_of_the_address_space_is_invalidated_to_its_last_line() {
        for (distance, size, bytes) in AT_THE_TOP {
            let va = distance.wrapping_neg();
            let message = std::format!("{size} bytes, {distance} below the top");
            assert_eq!(bytes_invalidated_by(|| flush_and_invalidate(HeapOnly, va, size)), bytes, "{message}");
            // SAFETY: `HeapOnly` only counts.
            #[allow(unsafe_code)]
            unsafe {
                assert_eq!(bytes_invalidated_by(|| invalidate(HeapOnly, va, size)), bytes, "{message}");
                let any_size = || invalidate_lines_of_any_size(HeapOnly, va, size);
                assert_eq!(bytes_invalidated_by(any_size), bytes, "{message}, lines of any size");
            }
        }
    }
}
