//! Three bitmaps of one length, one behind the other: one address and one length for all, and one look at whether a
//! word is there.
//!
//! The words are atomics that are read and written with `Relaxed`, which costs what plain words cost: C may read a
//! pool's bitmap while it changes.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::AtomicUsize;

/// Three bitmaps of as many words.
#[derive(Clone, Copy)]
pub struct Bitmaps {
    first: NonNull<AtomicUsize>,
    words: usize,
}

// SAFETY: it stands for references to atomics that live for good.
unsafe impl Send for Bitmaps {}
// SAFETY: as above.
unsafe impl Sync for Bitmaps {}

impl Bitmaps {
    /// Those of `words` words each that begin at `first`.
    ///
    /// # Safety
    /// `3 * words` atomics lie there, for good.
    #[inline(always)]
    pub(super) unsafe fn new(first: NonNull<AtomicUsize>, words: usize) -> Self {
        Bitmaps { first, words }
    }

    /// What `look` makes of the words `index` of the three; `past_the_end` if there are none.
    ///
    /// By a closure: an `Option` of references would be looked at once more, for null.
    #[inline(always)]
    pub fn at<R>(&self, index: usize, past_the_end: R, look: impl FnOnce([&'static AtomicUsize; 3]) -> R) -> R {
        if index >= self.words {
            return past_the_end;
        }
        // SAFETY: each bitmap has such a word, by the check above, and `new`'s caller says that they live for good.
        let word = |bitmap: usize| unsafe { self.first.add(bitmap * self.words + index).as_ref() };
        look([word(0), word(1), word(2)])
    }

    /// The words of one of the three, which are 0, 1 and 2.
    #[inline(always)]
    pub fn words<const BITMAP: usize>(&self) -> &'static [AtomicUsize] {
        const { assert!(BITMAP < 3) }
        // SAFETY: so many lie there, as `new`'s caller says, for good.
        unsafe { slice::from_raw_parts(self.first.add(BITMAP * self.words).as_ptr(), self.words) }
    }
}
