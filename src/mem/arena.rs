//! Heap memory that is allocated piece by piece. All of it is freed at once, except for a last piece that no other call
//! uses.

#![allow(unsafe_code)]

use core::ptr::NonNull;

use super::atomics::{AtomicPtr, Ordering::Relaxed};
use super::bump::BumpAllocator;
use super::heap::{free, place};
use crate::kernel::Kernel;

/// Heap memory for values that are found without a lock. A value cannot be freed while another core may read it, and so
/// all of them are freed together, when the owner of the arena is destroyed. Only a value that no other core has seen
/// is freed earlier, by [`release_last`](Self::release_last).
///
/// The calls of an arena come one after the other, also those of different cores: each happens before the next. The
/// caller ensures it, by the [turn](super::turn) of a block pool for example. So [`Relaxed`] suffices here.
pub struct Arena<K: Kernel> {
    kernel: K,
    /// The piece that was placed last, or null.
    last: AtomicPtr<u8>,
}

/// A value in an arena, preceded by the address of the piece that was placed before it, or null.
#[repr(C)]
struct Piece<T> {
    before: *mut u8,
    value: T,
}

impl<K: Kernel> Arena<K> {
    /// Makes an empty arena.
    pub const fn new(kernel: K) -> Self {
        Arena { kernel, last: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Places a value in the heap as [`heap::place`](super::heap::place) does, with `tail_bytes` bytes after it. `make`
    /// must not call this arena.
    ///
    /// Context: thread.
    pub fn place<T>(&self, tail_bytes: usize, make: impl FnOnce(&mut BumpAllocator) -> T) -> Option<&'static T> {
        let before = self.last.load(Relaxed);
        let piece = place(self.kernel, tail_bytes, |tail| Piece { before, value: make(tail) })?;
        self.last.store(core::ptr::from_ref(piece).cast_mut().cast(), Relaxed);
        Some(&piece.value)
    }

    /// Frees the memory of the value that was placed last. The value is not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// That value is not used any more, and has not been freed. Every earlier call of this arena happens before this
    /// one, and this one happens before every later call.
    pub unsafe fn release_last(&self) {
        let Some(piece) = NonNull::new(self.last.load(Relaxed)) else { return };
        // SAFETY: a piece begins with the address of the piece before it, which was written before this call.
        let before = unsafe { piece.cast::<*mut u8>().read() };
        self.last.store(before, Relaxed);
        // SAFETY: `place` returned the piece. It is freed this once, because it is not the last one any more.
        unsafe { free(self.kernel, piece.as_ptr()) }
    }

    /// Frees all memory. The values are not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// No value of the arena is used any more. The order of calls is as for [`release_last`](Self::release_last).
    pub unsafe fn release(&self) {
        while !self.last.load(Relaxed).is_null() {
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
                let tail_bytes = length * size_of::<usize>();
                arena.place(tail_bytes, |tail| tail.slice_with(length, |index| Some(100 * length + index))).unwrap()
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
