//! Where free runs begin and end: what the bitmap and the tree show together.

use core::ops::Range;

use super::PageMap;
use super::bits::{BITS, after_last_set, complement, first_set, from_bit, leading_ones, longest_run, word};

/// Where the free run before a page begins.
enum RunStart {
    /// At this page.
    Page(usize),
    /// In this word or before it: all of the word is free.
    WordOrBefore(usize),
}

impl PageMap {
    /// Records in the tree where a free run begins, if it fills a word after the one in which it begins.
    #[inline(always)]
    pub(super) fn tag_run(&mut self, Range { start, end }: Range<usize>) {
        if end / BITS > start / BITS + 1 {
            self.runs.set_tag(end / BITS - 1, start);
        }
    }

    /// Returns the length of the longest free run that begins in word `index`, by the bitmap; zero if none begins
    /// there. Only this word and the next are read: of a run that leaves the next word too, the pages up to the end of
    /// that word are counted. The caller has its full length, which is `known_length` of
    /// [`GoneRun`](super::settle::GoneRun).
    ///
    /// The caller calls this because the longest run of the word is gone. That run decides whether such a long run can
    /// be left:
    ///
    /// * If the run that is gone did not leave the word, it had fewer than `BITS` pages. No run that is left is longer,
    ///   so one that leaves the word ends in the next word.
    /// * If it left the word, a run that leaves the word now is a part of it, because at most one run leaves a word.
    ///   The caller knows the length of that part.
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
        match self.run_start_near(page) {
            RunStart::Page(start) => start,
            // The run ends before `page`, so this is the last word that it fills.
            RunStart::WordOrBefore(word) => match self.runs.tagged_start(word) {
                // A tag that is read here is stale only if C wrote to the bitmap. The run must not begin after its end
                // even then.
                Some(start) => start.min(page),
                // No tag: the run begins with the first page of this word.
                None => word * BITS,
            },
        }
    }

    /// Returns the first page of the free run that contains `page`. `page` is free. Unlike with
    /// [`run_start`](Self::run_start), the run need not end before `page`, so no tag can be read.
    pub(super) fn run_start_around(&self, page: usize) -> usize {
        match self.run_start_near(page) {
            RunStart::Page(start) => start,
            // The run fills every word after the last one in which a run begins. In that word, it is the last run that
            // begins.
            RunStart::WordOrBefore(before) => {
                let begin_word = self.runs.last_word_before(before + 1).unwrap_or(before);
                after_last_set(begin_word, word(self.used(), begin_word))
            }
        }
    }

    /// Returns where the free run that ends before `page` begins, as far as the word of `page` and the word before it
    /// show. In word 0 that is page 0 if no page before `page` is in use.
    #[inline(always)]
    fn run_start_near(&self, page: usize) -> RunStart {
        let index = page / BITS;
        let used = word(self.used(), index) & !from_bit(page);
        if used != 0 {
            return RunStart::Page(after_last_set(index, used));
        }
        let Some(before) = index.checked_sub(1) else { return RunStart::Page(0) };
        match word(self.used(), before) {
            0 => RunStart::WordOrBefore(before),
            used => RunStart::Page(after_last_set(before, used)),
        }
    }
}
