//! An allocator for slices that follow a value in the same memory.

#![allow(unsafe_code)]

use core::mem::{align_of, size_of};
use core::ptr::NonNull;
use core::slice;

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
    /// The bytes are valid memory that is aligned for a pointer and used by no other code. The code that frees them guarantees
    /// that no slice of this allocator is used any more.
    pub(super) unsafe fn new(next: NonNull<u8>, left: usize) -> Self {
        BumpAllocator { next, left }
    }

    /// Allocates a slice of `length` values, where `make` returns the value for each index. The slice is shorter if the memory
    /// does not suffice, or if `make` returns `None` for an index.
    pub fn slice_with<T>(&mut self, length: usize, mut make: impl FnMut(usize) -> Option<T>) -> &'static [T] {
        const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>() != 0) }
        let most = length.min(self.left / size_of::<T>());
        let bytes = (most * size_of::<T>()).next_multiple_of(align_of::<usize>()).min(self.left);
        let start = self.next.cast::<T>();
        self.left -= bytes;
        // SAFETY: `bytes` bytes were left, and `most` values lie within them. They are aligned for a pointer, and so for `T`:
        // every slice takes a multiple of a pointer's size, or the rest. The slice consists of the values that were written.
        unsafe {
            self.next = self.next.add(bytes);
            let mut length = 0;
            while length < most
                && let Some(value) = make(length)
            {
                start.add(length).write(value);
                length += 1;
            }
            slice::from_raw_parts(start.as_ptr(), length)
        }
    }
}
