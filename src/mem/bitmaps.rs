//! Three bitmaps of one length, one after the other in memory.
//!
//! C may read the first one, a pool's map, while it changes. The words are therefore atomics. They are accessed with
//! `Relaxed`, which costs no more than a plain access: the pool's lock orders the accesses of this library, and C gets no
//! order.
//!
//! One address and one length serve for all three. Three slices instead, each with its own check, add 460 bytes to the
//! linked core on aarch64.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::slice;

use core::sync::atomic::AtomicUsize;

/// Three bitmaps, each of the same number of words.
#[derive(Clone, Copy)]
pub struct Bitmaps {
    first: NonNull<AtomicUsize>,
    words: usize,
}

// SAFETY: the value acts as references to atomics that are never freed.
unsafe impl Send for Bitmaps {}
// SAFETY: as for `Send`.
unsafe impl Sync for Bitmaps {}

impl Bitmaps {
    /// Makes bitmaps of `words` words each, which begin at `first`.
    ///
    /// # Safety
    /// `3 * words` atomics lie at `first`, and stay as long as this value or a reference from it is used.
    pub(super) unsafe fn new(first: NonNull<AtomicUsize>, words: usize) -> Self {
        Bitmaps { first, words }
    }

    /// Passes word `index` of each bitmap to `look` and returns the result; returns `past_the_end` if there is no such
    /// word.
    #[inline(always)]
    pub fn at<R>(&self, index: usize, past_the_end: R, look: impl FnOnce([&'static AtomicUsize; 3]) -> R) -> R {
        if index >= self.words {
            return past_the_end;
        }
        // SAFETY: each bitmap has a word `index`, by the check above; the caller of `new` guarantees that the words stay.
        let word = |bitmap: usize| unsafe { self.first.add(bitmap * self.words + index).as_ref() };
        look([word(0), word(1), word(2)])
    }

    /// Returns the words of one bitmap: 0 is the first, 2 the last.
    pub fn words<const BITMAP: usize>(&self) -> &'static [AtomicUsize] {
        const { assert!(BITMAP < 3) }
        // SAFETY: the bitmap has `words` words, and the caller of `new` guarantees that they stay.
        unsafe { slice::from_raw_parts(self.first.add(BITMAP * self.words).as_ptr(), self.words) }
    }
}
