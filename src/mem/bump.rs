//! An allocator for slices that follow a value in the same memory.

#![allow(unsafe_code)]

use core::mem::{align_of, size_of};
use core::ptr::NonNull;
use core::slice;

/// Returns the bytes that [`BumpAllocator::slice_of`] needs at most for `length` values, whatever slices precede
/// them: memory of the sum of several such sizes has room for all of these slices.
pub const fn slice_bytes<T>(length: usize) -> usize {
    // Multiples of a pointer's size, so that the sum keeps the memory's alignment. A higher one may need a gap.
    let gap = align_of::<T>().saturating_sub(align_of::<usize>());
    (size_of::<T>() * length).next_multiple_of(align_of::<usize>()) + gap
}

/// Allocates slices from a piece of memory, one after the other. A slice is not freed separately: all of them are freed
/// together with the memory.
pub struct BumpAllocator {
    next: NonNull<u8>,
    left: usize,
}

impl BumpAllocator {
    /// Makes an allocator for the `left` bytes from `next` on.
    ///
    /// # Safety
    /// The bytes are valid memory that is aligned for a pointer and used by no other code. The code that frees them
    /// guarantees that no slice of this allocator is used any more.
    pub(super) unsafe fn new(next: NonNull<u8>, left: usize) -> Self {
        BumpAllocator { next, left }
    }

    /// Allocates a slice of the values that `values` returns. The slice is shorter if the memory does not suffice.
    pub fn slice_of<T>(&mut self, values: impl ExactSizeIterator<Item = T>) -> &'static [T] {
        const { assert!(size_of::<T>() != 0) }
        let gap = self.next.addr().get().wrapping_neg() % align_of::<T>();
        let Some(left) = self.left.checked_sub(gap) else { return &[] };
        let most = values.len().min(left / size_of::<T>());
        self.left = left - most * size_of::<T>();
        // SAFETY: at least `gap` bytes were left.
        let start = unsafe { self.next.add(gap) }.cast::<T>();
        // SAFETY: `most` values lie within the bytes after the gap.
        self.next = unsafe { start.add(most) }.cast();
        let mut made = 0;
        for value in values.take(most) {
            // SAFETY: it is one of the `most` values. The gap aligned them, and no other slice has their bytes.
            unsafe { start.add(made).write(value) };
            made += 1;
        }
        // SAFETY: the first `made` values are written, and stay as long as the memory.
        unsafe { slice::from_raw_parts(start.as_ptr(), made) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: usize = size_of::<usize>();

    #[test]
    fn a_slice_of_aligned_values_begins_at_their_alignment() {
        #[repr(align(64))]
        struct Line(#[allow(dead_code)] u8);
        for skipped in 0..9 {
            let memory: &'static mut [usize; 64] = std::boxed::Box::leak(std::boxed::Box::new([0; 64]));
            let start = NonNull::from(&mut *memory).cast::<u8>();
            // SAFETY: the memory stays, and this test does not use it otherwise.
            let mut rest = unsafe { BumpAllocator::new(start, skipped * WORD + slice_bytes::<Line>(2)) };
            assert_eq!(rest.slice_of(0..skipped).len(), skipped);
            let lines = rest.slice_of([Line(0), Line(0)].into_iter());
            assert!(lines.len() == 2 && lines.as_ptr().addr().is_multiple_of(64));
        }
    }

    /// Makes an allocator for the first `left` bytes of memory that stays.
    fn allocator(left: usize) -> (BumpAllocator, usize) {
        let memory: &'static mut [usize; 8] = std::boxed::Box::leak(std::boxed::Box::new([0; 8]));
        let start = NonNull::from(&mut *memory).cast::<u8>();
        assert!(left <= 8 * WORD);
        // SAFETY: the memory is aligned for a pointer, has `left` bytes, and is never freed.
        (unsafe { BumpAllocator::new(start, left) }, start.addr().get())
    }

    #[test]
    fn slices_follow_each_other_and_each_begins_aligned() {
        let (mut allocator, start) = allocator(8 * WORD);
        let bytes = allocator.slice_of(0..3u8);
        let words = allocator.slice_of([7usize, 8].into_iter());
        let pair = allocator.slice_of([[1u32; 2]].into_iter());
        assert_eq!((bytes, words, pair), (&[0, 1, 2][..], &[7, 8][..], &[[1; 2]][..]));
        assert_eq!(bytes.as_ptr().addr(), start);
        assert_eq!(words.as_ptr().addr(), start + WORD);
        assert_eq!(pair.as_ptr().addr(), start + 3 * WORD);
    }

    #[test]
    fn slice_bytes_suffice_whatever_precedes_the_slice() {
        for count in 0..=2 * WORD {
            let (mut allocator, _) = allocator(slice_bytes::<u8>(count) + slice_bytes::<usize>(2));
            assert_eq!(allocator.slice_of(0..count as u8).len(), count);
            assert_eq!(allocator.slice_of(0..2usize), [0, 1]);
        }
    }

    #[test]
    fn a_slice_ends_where_the_memory_does() {
        let (mut allocator, _) = allocator(3 * WORD + 2);
        assert_eq!(allocator.slice_of(0..2usize), [0, 1]);
        assert_eq!(allocator.slice_of([5u8; 9 * WORD].into_iter()), [5; WORD + 2]);
        assert!(allocator.slice_of(0..1usize).is_empty());
    }
}
