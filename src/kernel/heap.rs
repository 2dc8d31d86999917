//! The heap: memory for the library's own bookkeeping.

#![allow(unsafe_code)]

/// The kernel's heap.
///
/// # Safety
///
/// [`heap_alloc`](Heap::heap_alloc) returns null, or memory of at least the requested size that is zeroed, aligned for
/// a pointer, and used by no other code until [`heap_free`](Heap::heap_free) receives it.
pub unsafe trait Heap {
    /// Allocates `size` bytes, which is not zero. The memory is zeroed and aligned for a pointer. Returns null if the
    /// heap has no room.
    ///
    /// Context: thread.
    fn heap_alloc(&self, size: usize) -> *mut u8;

    /// Frees memory of [`heap_alloc`](Heap::heap_alloc).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `memory` was returned by `heap_alloc`, has not been freed, and is not used any more.
    unsafe fn heap_free(&self, memory: *mut u8);
}
