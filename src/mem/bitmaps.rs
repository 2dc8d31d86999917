//! Three bitmaps of one length, one after the other in memory.
//!
//! C may read the first one, a pool's map, while it changes. The words are therefore atomics. They are accessed with
//! `Relaxed`, which costs no more than a plain access: the pool's lock orders the accesses of this library, and C gets
//! no order.
//!
//! One address and one length serve for all three. Three slices instead, each with its own check, add 460 bytes to the
//! linked core on aarch64.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::slice;

/// A word of a bitmap. It is always an atomic of `core`: C reads it.
pub type BitmapWord = core::sync::atomic::AtomicUsize;

/// Three bitmaps, each of the same number of words.
#[derive(Clone, Copy)]
pub struct Bitmaps {
    first: NonNull<BitmapWord>,
    word_count: usize,
}

// SAFETY: the value acts as references to atomics that are never freed.
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
    pub fn words_at(&self, index: usize) -> Option<[&'static BitmapWord; 3]> {
        // The three lengths are one number, so the compiler makes one check of the three.
        Some([self.words::<0>().get(index)?, self.words::<1>().get(index)?, self.words::<2>().get(index)?])
    }

    /// Returns the words of one bitmap: 0 is the first, 2 the last.
    pub fn words<const BITMAP: usize>(&self) -> &'static [BitmapWord] {
        const { assert!(BITMAP < 3) }
        // SAFETY: the bitmap has `word_count` words, and the caller of `new` guarantees that they stay.
        unsafe { slice::from_raw_parts(self.first.add(BITMAP * self.word_count).as_ptr(), self.word_count) }
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
            let words = bitmaps.words_at(index).unwrap();
            (1..).zip(words).for_each(|(bitmap, word)| word.store(10 * bitmap + index, Relaxed));
        }
        let words = [bitmaps.words::<0>(), bitmaps.words::<1>(), bitmaps.words::<2>()];
        let words = words.map(|words| words.iter().map(|word| word.load(Relaxed)).collect::<std::vec::Vec<_>>());
        assert_eq!(words, [[10, 11], [20, 21], [30, 31]]);
        for past in [2, 3, 6, usize::MAX] {
            assert!(bitmaps.words_at(past).is_none(), "{past}");
        }
    }
}
