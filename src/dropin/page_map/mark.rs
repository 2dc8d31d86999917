//! Marks an allocation, or its free, in the bitmaps `USED` and `STARTS`. Each caller takes the function that repeats
//! the least of its own work:
//!
//! | function | its pages | what it does |
//! | --- | --- | --- |
//! | `mark_used` | any | marks them, by `mark_in_word` or `mark_across` |
//! | `mark_free` | any; the caller has the words of the first | the same for a free |
//! | `mark_in_word` | in one word, which the caller has | marks them |
//! | `mark_across` | in several words | marks them |
//! | `mark_start` | any | marks only the first, in `STARTS`, for callers that mark `USED` themselves |

use super::bits::{BITS, BitRange, change_in, change_long, mask_of};
use super::{PageMap, is_across};
use crate::mem::bitmaps::{BitmapWord, Bitmaps};

/// What the bitmaps have of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PageState {
    Free,
    InUse,
}

/// The words of [`USED`](super::USED) and `STARTS` in which the bit of a page is.
pub(super) type WordsOfPage = [&'static BitmapWord; 2];

impl PageMap {
    /// Marks the `count` pages of an allocation that begins at `page` as used.
    #[inline(always)]
    pub(super) fn mark_used(&self, page: usize, count: usize) {
        if is_across(page, count) {
            return self.mark_across(page, count, PageState::InUse);
        }
        if let Some([used, starts, _]) = self.bits.word_of_each(page / BITS) {
            let bit = page % BITS;
            mark_in_word([used, starts], bit, mask_of(bit, count), PageState::InUse);
        }
    }

    /// Marks the pages of an allocation as free.
    #[inline(always)]
    pub(super) fn mark_free(&self, words: WordsOfPage, page: usize, count: usize) {
        if is_across(page, count) {
            self.mark_across(page, count, PageState::Free);
        } else {
            let bit = page % BITS;
            mark_in_word(words, bit, mask_of(bit, count), PageState::Free);
        }
    }

    /// Marks the `count` pages of an allocation that begins at `page` and does not end in its first word.
    #[inline(never)] // Inlined, the linked core has 52 bytes more.
    pub(super) fn mark_across(&self, page: usize, count: usize, state: PageState) {
        mark_start(&self.bits, page, state);
        change_long(self.used(), BitRange::new(page, count), state == PageState::InUse);
    }
}

/// Marks the pages of an allocation: those of the bits `mask`, of which `bit` is the first. `used` and `starts` are the
/// words of [`USED`](super::USED) and `STARTS` in which all of them lie.
pub(super) fn mark_in_word([used, starts]: [&BitmapWord; 2], bit: usize, mask: usize, state: PageState) {
    change_in(used, mask, state == PageState::InUse);
    change_in(starts, 1 << bit, state == PageState::InUse);
}

/// Records that an allocation begins at `page`, or that none does any more.
pub(super) fn mark_start(bits: &Bitmaps, page: usize, state: PageState) {
    if let Some([_, starts, _]) = bits.word_of_each(page / BITS) {
        change_in(starts, 1 << (page % BITS), state == PageState::InUse);
    }
}
