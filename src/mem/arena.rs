//! Heap memory that is allocated piece by piece. All of it is freed at once, except for a last piece that no other call
//! uses.

#![allow(unsafe_code)]

use super::atomic_ref::AtomicRef;
use super::bump::BumpAllocator;
use super::heap::{alloc_static, free};
use crate::kernel::Kernel;

/// Heap memory for values that are found without a lock. A value cannot be freed while another core may read it, and so
/// all of them are freed together, when the owner of the arena is destroyed. Only a value that no other core has seen
/// is freed earlier, by [`release_last`](Self::release_last).
///
/// The calls of an arena come one after the other, also those of different cores: each happens before the next. The
/// caller ensures it, by the [turn](super::turn) of a block pool for example.
pub struct Arena<K: Kernel> {
    kernel: K,
    /// The header of the piece that was allocated last.
    last: AtomicRef<Header>,
}

/// The beginning of each piece.
struct Header {
    /// The header of the piece that was allocated before this one.
    before: Option<&'static Header>,
}

/// A value in an arena. The header lies at the start of the memory, so its address is that of the memory.
#[repr(C)]
struct Piece<T> {
    header: Header,
    value: T,
}

impl<K: Kernel> Arena<K> {
    /// Makes an empty arena.
    pub const fn new(kernel: K) -> Self {
        Arena { kernel, last: AtomicRef::new() }
    }

    /// Allocates memory for a value as [`heap::alloc_static`](super::heap::alloc_static) does, with `tail_bytes` bytes
    /// after the value. `make` must not call this arena.
    ///
    /// Context: thread.
    pub fn alloc<T>(&self, tail_bytes: usize, make: impl FnOnce(&mut BumpAllocator) -> T) -> Option<&'static T> {
        let header = Header { before: self.last.get() };
        let piece = alloc_static(self.kernel, tail_bytes, |tail| Piece { header, value: make(tail) })?;
        self.last.set(Some(&piece.header));
        Some(&piece.value)
    }

    /// Frees the memory of the value that was allocated last. The value is not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// That value is not used any more, and has not been freed. Every earlier call of this arena happens before this
    /// one, and this one happens before every later call.
    pub unsafe fn release_last(&self) {
        let Some(header) = self.last.get() else { return };
        self.last.set(header.before);
        // SAFETY: `alloc_static` returned the piece that begins with this header. It is freed this once, because it is
        // not the last one any more.
        unsafe { free(self.kernel, header) }
    }

    /// Frees all memory. The values are not dropped.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// No value of the arena is used any more. The order of calls is as for [`release_last`](Self::release_last).
    pub unsafe fn release(&self) {
        while self.last.get().is_some() {
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
                arena.alloc(tail_bytes, |tail| tail.slice_of((0..length).map(|index| 100 * length + index))).unwrap()
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
        // SAFETY: no piece is used any more.
        unsafe {
            arena.release();
            arena.release_last();
        }
        assert_eq!(heap_blocks(), before, "nothing is left to free");
    }
}
