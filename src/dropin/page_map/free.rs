//! Freeing: into the open run, or into the tree.

use core::ops::Range;

use super::bits::{BITS, BitRange, change_across, differs, mask_of, test_bit};
use super::mark::{PageState, WordsOfPage, mark_in_word, mark_start};
use super::open_run::OpenRun;
use super::settle::{GoneRun, Pending};
use super::{PageMap, USED, is_across};
use crate::error::Error;
use crate::mem::atomics::Ordering::Relaxed;

/// The result of [`PageMap::try_free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeStep {
    /// The pages are free.
    Done,
    /// Nothing has changed. The map must be [settled](PageMap::settle_step), and then the pages can be freed.
    SettleFirst,
}

impl PageMap {
    /// Frees the allocation of `count` pages that begins at `page`, if it is the last of the open run; returns
    /// whether it did. The pages lie in one word, and `count` is not zero. `page` need not be a page of the pool.
    #[inline(always)]
    pub fn free_last_in_word(&mut self, page: usize, count: usize) -> bool {
        let is_last = self.free_last_in_open_run(page, count);
        // The last allocation lies in the pool, so its words are there: `word_of_each` is never `None` here.
        if is_last && let Some([used, starts, _]) = self.bits.word_of_each(page / BITS) {
            let bit = page % BITS;
            mark_in_word([used, starts], bit, mask_of(bit, count), PageState::Free);
        }
        is_last
    }

    /// Frees as [`free_last_in_word`](Self::free_last_in_word) does, pages that are [across](super::is_across)
    /// several words.
    pub fn free_last_across(&mut self, page: usize, count: usize) -> bool {
        // Reading `bits` before the check saves 2 instructions for 1 MiB on aarch64.
        let bits = self.bits;
        let is_last = self.free_last_in_open_run(page, count);
        if is_last {
            mark_start(&bits, page, PageState::Free);
            change_across(bits.bitmap::<USED>(), BitRange::new(page, count), false);
        }
        is_last
    }

    /// Takes the allocation of `count` pages that begins at `page` back into the open run, if it is the last one;
    /// returns whether it did. The caller clears its bits.
    #[inline(always)]
    fn free_last_in_open_run(&mut self, page: usize, count: usize) -> bool {
        let is_last = self.open.is_last(page, count);
        if is_last {
            self.open.free_last(page);
            self.in_use.remove(count);
        }
        is_last
    }

    /// Frees the allocation of `count` pages that begins at `page`, unless the map must be [settled](Self::settle_step)
    /// first.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no allocation begins at `page`, [`Error::WrongSize`] if it has another length.
    pub fn try_free(&mut self, page: usize, count: usize) -> Result<FreeStep, Error> {
        let words = self.check_allocation(page, count)?;
        Ok(if self.open.is_in_used_part(page) {
            self.free_in_open_run(words, page, count)
        } else {
            self.free_outside_open_run(words, page, count)
        })
    }

    /// Frees an allocation of the used part of the open run. The tree does not change.
    fn free_in_open_run(&mut self, words: WordsOfPage, page: usize, count: usize) -> FreeStep {
        if !self.open.free(page, count) {
            return FreeStep::SettleFirst;
        }
        self.in_use.remove(count);
        self.mark_free(words, page, count);
        FreeStep::Done
    }

    /// Frees an allocation outside of the open run: into the tree now, or later if that would take too long.
    fn free_outside_open_run(&mut self, words: WordsOfPage, page: usize, count: usize) -> FreeStep {
        let pages = page..page + count;
        if self.has_pending() {
            return FreeStep::SettleFirst;
        }
        if self.open.is_next_to(&pages) {
            if self.open.is_used() {
                return FreeStep::SettleFirst;
            }
            // Nothing is allocated from the open run, and it grows by these pages.
            self.open = OpenRun::CLOSED;
        }
        self.in_use.remove(count);
        self.mark_free(words, page, count);
        if is_across(page, count) || self.is_high() {
            // To put the pages into the tree as well would take too long in this stretch.
            self.pending = Pending::Add(pages);
            // Until then the length of their run is not known: that run may serve any request.
            self.open.serve_nothing_after(page);
        } else {
            self.add_freed(pages);
        }
        FreeStep::Done
    }

    /// Puts free pages into the tree, as one run with the free pages before and after them. They do not touch the open
    /// run. Returns how many levels of the tree changed.
    #[inline(always)]
    pub(super) fn add_freed(&mut self, Range { start: page, end: after }: Range<usize>) -> usize {
        let run = self.run_start(page)..self.run_end(after);
        let (index, index_after) = (run.start / BITS, after / BITS);
        self.open.raise_least_request_above(&run);
        let levels = self.runs.raise(index, run.len());
        if run.end != after && index_after != index {
            // A run began at `after`, and does not any more. All of its pages belong to `run` now, which begins in an
            // earlier word: no part of them is left that begins in this word, and so no length is known.
            let length = run.end - after;
            self.pending = Pending::Remove(GoneRun { word_index: index_after, length, known_length: 0, to_tag: run });
        } else {
            self.tag_run(run);
        }
        levels
    }

    /// Checks that an allocation of `count` pages begins at `page`. Returns the words in which the bit of `page` is.
    pub(super) fn check_allocation(&self, page: usize, count: usize) -> Result<WordsOfPage, Error> {
        let bit = page % BITS;
        let [used, starts, _] = self.bits.word_of_each(page / BITS).ok_or(Error::NotAllocated)?;
        let words = [used, starts];
        let (used, starts) = (used.load(Relaxed), starts.load(Relaxed));
        if ((used & starts) >> bit) & 1 == 0 {
            return Err(Error::NotAllocated);
        }
        // The other pages of an allocation are in use, and no allocation begins there. There are two shifts, because
        // `bit + 1` may be the width of a word.
        let length = 1 + ((used & !starts) >> bit >> 1).trailing_ones() as usize;
        if bit + length == BITS {
            self.check_past_word(page, count)?;
        } else if length != count {
            return Err(Error::WrongSize);
        }
        Ok(words)
    }

    /// Checks that the allocation that begins at `page` and reaches the end of its word has `count` pages.
    #[inline(never)] // Inlined, a call of the benchmark's traces takes 16 to 18 instructions more on the host.
    fn check_past_word(&self, page: usize, count: usize) -> Result<(), Error> {
        let after = page.wrapping_add(count);
        let is_in_pool = page < after && after <= self.page_count;
        // All of the pages belong to this allocation if the last is in use and no other begins within. (If a page in
        // between were free, the next page in use would be the first of an allocation.)
        if is_in_pool
            && !self.continues_at(after)
            && test_bit(self.used(), after - 1)
            && !self.begins_in(page + 1, count - 1)
        {
            Ok(())
        } else {
            Err(Error::WrongSize)
        }
    }

    /// Returns whether `page` belongs to an allocation that begins before it.
    fn continues_at(&self, page: usize) -> bool {
        test_bit(self.used(), page) && !test_bit(self.starts(), page)
    }

    /// Returns whether an allocation begins at one of the `count` pages from `page` on.
    fn begins_in(&self, page: usize, count: usize) -> bool {
        count != 0 && differs(self.starts(), BitRange::new(page, count), false)
    }
}
