//! Where free runs begin and end: what the bitmap and the tree show together.

use core::ops::Range;

use super::PageMap;
use super::bits::{BITS, after_last_set, complement, first_set, from_bit, leading_ones, longest_run, word};

impl PageMap {
    /// Records in the tree where a free run begins, if it fills a word after the one in which it begins.
    #[inline(always)]
    pub(super) fn tag_run(&mut self, Range { start, end }: Range<usize>) {
        if end / BITS > start / BITS + 1 {
            self.runs.set_tag(end / BITS - 1, start);
        }
    }

    /// Returns the length of the longest free run that begins in word `index`, from the bitmap; zero if none begins
    /// there. It is exact, except for a run that leaves the next word too: that one counts to the end of the next word,
    /// and the caller has its length, which is `known_length` of [`GoneRun`](super::settle::GoneRun).
    ///
    /// The caller asks for it after a run that began in the word is gone, which was the longest there. At most one run
    /// leaves the word now, and it was not longer than the run that is gone:
    ///
    /// * If the run that is gone did not leave the word, it had fewer than `BITS` pages. So has the one that leaves the
    ///   word, which therefore ends in the next word.
    /// * If the run that is gone left the word, the one that leaves it now is a part of that run. The caller knows its
    ///   length.
    #[inline(always)]
    pub(super) fn longest_beginning_in(&self, index: usize) -> usize {
        let mut free = complement(self.used(), index);
        // Free pages at the bottom that continue a run of the word before did not begin here. (Before word 0, the index
        // wraps, and `word` returns all ones.)
        if word(self.used(), index.wrapping_sub(1)) >> (BITS - 1) == 0 {
            free &= free.wrapping_add(1);
        }
        let leaving = leading_ones(free);
        let mut length = 0;
        if leaving != 0 {
            let start = (index + 1) * BITS - leaving;
            let end = first_set(index + 1, word(self.used(), index + 1));
            // The bits after the last page are clear.
            length = end.min(self.page_count).saturating_sub(start);
            free &= !from_bit(start);
        }
        length.max(longest_run(free))
    }

    /// Returns the page after the free run that begins at `page`, as the tree has it; `page` if it is in use.
    #[inline(always)]
    pub(super) fn run_end(&self, page: usize) -> usize {
        self.run_end_given(word(self.used(), page / BITS), page)
    }

    /// Returns the page after the free run that begins at `page`, as [`run_end`](Self::run_end) does. `used_word` is
    /// the word of the bitmap in which `page` is.
    #[inline(always)]
    pub(super) fn run_end_given(&self, used_word: usize, page: usize) -> usize {
        let used = used_word & from_bit(page);
        let end = if used != 0 { first_set(page / BITS, used) } else { self.leaving_run_end(page) };
        // The bits after the last page are clear.
        end.min(self.page_count)
    }

    /// Returns the page after the free run that begins at `page` and leaves that page's word.
    fn leaving_run_end(&self, page: usize) -> usize {
        let index = page / BITS;
        let longest = self.runs.longest_in(index);
        // A run of `BITS` pages or more leaves the word in which it begins, and only one run does.
        if longest >= BITS {
            return page + longest;
        }
        first_set(index + 1, word(self.used(), index + 1))
    }

    /// Returns the first page of the free run that ends before `page`; `page` if the page before it is in use.
    #[inline(always)]
    pub(super) fn run_start(&self, page: usize) -> usize {
        self.run_start_near(page).unwrap_or_else(|before| {
            // `before` is the last word that the run fills.
            match self.runs.tagged_start(before) {
                // A tag is stale only if C wrote to the bitmap. The run must not begin after its end even then.
                Some(start) => start.min(page),
                // No tag: the run begins in `before`, with its first page.
                None => before * BITS,
            }
        })
    }

    /// Returns the first page of the free run that contains `page`. `page` is free. Unlike with
    /// [`run_start`](Self::run_start), the run need not end before `page`, so no tag can be read.
    pub(super) fn run_start_around(&self, page: usize) -> usize {
        self.run_start_near(page).unwrap_or_else(|before| {
            // The run fills every word after the last one in which a run begins. In that word, it is the last run that
            // begins.
            let begin_word = self.runs.last_word_before(before + 1).unwrap_or(before);
            after_last_set(begin_word, word(self.used(), begin_word))
        })
    }

    /// Returns the page after the last one before `page` that is in use, if one of `page`'s word or of the word before
    /// it is; page 0 if no word is before. Otherwise returns `Err` with the index of the word before: all of it is
    /// free.
    #[inline(always)]
    fn run_start_near(&self, page: usize) -> Result<usize, usize> {
        let index = page / BITS;
        let used = word(self.used(), index) & !from_bit(page);
        if used != 0 {
            return Ok(after_last_set(index, used));
        }
        let Some(before) = index.checked_sub(1) else { return Ok(0) };
        match word(self.used(), before) {
            0 => Err(before),
            used => Ok(after_last_set(before, used)),
        }
    }
}
