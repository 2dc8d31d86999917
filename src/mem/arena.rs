//! Heap memory that is allocated piece by piece. All of it is freed at once, except for a last piece that no other call
//! uses.

#![allow(unsafe_code)]

use core::ptr::NonNull;

use super::atomics::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};
use super::bump::BumpAllocator;
use super::heap::{free, place};
use crate::kernel::Kernel;

/// Heap memory for values that are found without a lock. A value cannot be freed while another core may read it, and so
/// all of them are freed together, when the owner of the arena is destroyed. Only a value that no other core has seen
/// is freed earlier, by [`release_last`](Self::release_last).
pub struct Arena<K: Kernel> {
    kernel: K,
    last: AtomicPtr<u8>,
}

/// A value in an arena, preceded by the address of the piece that was allocated before it, or null.
#[repr(C)]
struct Piece<T> {
    before: AtomicPtr<u8>,
    value: T,
}

impl<K: Kernel> Arena<K> {
    /// Makes an empty arena.
    pub const fn new(kernel: K) -> Self {
        Arena { kernel, last: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Places a value in the heap as [`place`] does. The caller makes one call at a time.
    ///
    /// Context: thread.
    pub fn place<T>(&self, after: usize, make: impl FnOnce(&mut BumpAllocator) -> T) -> Option<&'static T> {
        let before = AtomicPtr::new(self.last.load(Acquire));
        let piece = place(self.kernel, after, |after| Piece { before, value: make(after) })?;
        self.last.store(core::ptr::from_ref(piece).cast_mut().cast(), Release);
        Some(&piece.value)
    }

    /// Frees the memory of the value that was placed last. The value is not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// That value is not used any more, it has not been freed, and no other call of this arena runs meanwhile.
    pub unsafe fn release_last(&self) {
        let Some(memory) = NonNull::new(self.last.load(Acquire)) else { return };
        // SAFETY: every piece begins with the address of the piece before it. `place` returned it, and it is freed this
        // once. The pieces that remain begin with the one before.
        unsafe {
            self.last.store(memory.cast::<AtomicPtr<u8>>().as_ref().load(Acquire), Release);
            free(self.kernel, memory.as_ptr());
        }
    }

    /// Frees all memory. The values are not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// No value of the arena is used any more, and no other call of this arena runs meanwhile.
    pub unsafe fn release(&self) {
        while !self.last.load(Acquire).is_null() {
            // SAFETY: the caller guarantees for every value what `release_last` demands for the last.
            unsafe { self.release_last() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{HeapOnly, heap_blocks};

    #[test]
    fn each_piece_stays_until_all_are_freed_once() {
        let before = heap_blocks();
        let arena = Arena::new(HeapOnly);
        let pieces: std::vec::Vec<_> = (1..=5)
            .map(|length| {
                let after = length * size_of::<usize>();
                arena.place(after, |after| after.slice_with(length, |index| Some(100 * length + index))).unwrap()
            })
            .collect();
        for (piece, length) in pieces.iter().zip(1..=5) {
            assert!(piece.iter().copied().eq((0..length).map(|index| 100 * length + index)));
        }
        assert_eq!(heap_blocks(), before + 5);
        // SAFETY: the last piece is not used any more.
        unsafe { arena.release_last() };
        assert_eq!(heap_blocks(), before + 4);
        // SAFETY: no piece is used any more.
        unsafe { arena.release() };
        assert_eq!(heap_blocks(), before);
        // SAFETY: as above.
        unsafe {
            arena.release();
            arena.release_last();
        }
        assert_eq!(heap_blocks(), before, "nothing is left to free");
    }
}
