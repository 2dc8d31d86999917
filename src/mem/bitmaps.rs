//! Three bitmaps of one length, one after the other in memory.
//!
//! C may read the first one, a pool's map, while it changes. The words are therefore atomics. A load or store with
//! `Relaxed` compiles to the same instruction as one of a plain word: the pool's lock orders the accesses of this
//! library, and C gets no order.
//!
//! One address and one length serve for all three. Three slices instead, each with its own check, add 460 bytes to the
//! size of the linked core on aarch64, which `ci/bench` prints.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::slice;

/// A word of a bitmap. It is always an atomic of `core`: C reads the words of the first bitmap.
pub type BitmapWord = core::sync::atomic::AtomicUsize;

/// Three bitmaps, each of the same number of words.
#[derive(Clone, Copy)]
pub struct Bitmaps {
    first: NonNull<BitmapWord>,
    word_count: usize,
}

// SAFETY: the value acts as a shared reference to a slice of atomics, which is `Send` and `Sync`.
unsafe impl Send for Bitmaps {}
// SAFETY: as for `Send`.
unsafe impl Sync for Bitmaps {}

impl Bitmaps {
    /// Makes bitmaps of `word_count` words each, which begin at `first`.
    ///
    /// # Safety
    /// `3 * word_count` atomics lie at `first`, and stay as long as this value or a reference from it is used.
    pub(super) unsafe fn new(first: NonNull<BitmapWord>, word_count: usize) -> Self {
        Bitmaps { first, word_count }
    }

    /// Returns word `index` of each bitmap; `None` if there is no such word.
    pub fn word_of_each(&self, index: usize) -> Option<[&'static BitmapWord; 3]> {
        // The three lengths are one number, so the compiler makes one check of the three.
        Some([self.bitmap::<0>().get(index)?, self.bitmap::<1>().get(index)?, self.bitmap::<2>().get(index)?])
    }

    /// Returns all words of bitmap `NUMBER`: 0, 1 or 2. It is a constant, so that another number does not compile.
    pub fn bitmap<const NUMBER: usize>(&self) -> &'static [BitmapWord] {
        const { assert!(NUMBER < 3) }
        // SAFETY: the number is less than 3, so these words lie in the `3 * word_count` that the caller of `new`
        // guarantees for as long as the reference is used.
        unsafe { slice::from_raw_parts(self.first.add(NUMBER * self.word_count).as_ptr(), self.word_count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering::Relaxed;

    #[test]
    fn three_bitmaps_lie_apart_and_end_after_their_last_word() {
        let memory: &'static [BitmapWord; 6] =
            std::boxed::Box::leak(std::boxed::Box::new([const { BitmapWord::new(0) }; 6]));
        // SAFETY: the six atomics are three times two words, and are never freed.
        let bitmaps = unsafe { Bitmaps::new(NonNull::from(memory).cast(), 2) };
        for index in 0..2 {
            let [first, second, third] = bitmaps.word_of_each(index).unwrap();
            first.store(10 + index, Relaxed);
            second.store(20 + index, Relaxed);
            third.store(30 + index, Relaxed);
        }
        let values = |bitmap: &[BitmapWord]| [bitmap[0].load(Relaxed), bitmap[1].load(Relaxed)];
        assert_eq!(values(bitmaps.bitmap::<0>()), [10, 11]);
        assert_eq!(values(bitmaps.bitmap::<1>()), [20, 21]);
        assert_eq!(values(bitmaps.bitmap::<2>()), [30, 31]);
        for past in [2, 3, 6, usize::MAX] {
            assert!(bitmaps.word_of_each(past).is_none(), "{past}");
        }
    }
}
