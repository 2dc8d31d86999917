//! Runs in a part of the pool, or at a multiple of a power of two: the lowest, as for every request.

use super::PageMap;
use super::bits::{BITS, from_bit, word};

/// What one step of a search found.
pub enum Step {
    /// The pages from this one on, which are taken now.
    Taken(usize),
    /// Nothing before this page: the search goes on there.
    From(usize),
    /// Nothing at all.
    Nothing,
}

impl PageMap {
    /// Looks for a free run at `from`, or that begins behind it in the same word. If there is one, takes the first `count`
    /// pages of it, in `[from, end)`, that begin where `base + page` is a multiple of `align`, or says where it ends, if it
    /// has none; else says at which word to look next. The map must be [settled](Self::settle). `count` is not zero, and
    /// `align` a power of two.
    ///
    /// One run or one word a step, so that no step has the lock for long.
    pub fn take_between(&mut self, from: usize, end: usize, count: usize, base: usize, align: usize) -> Step {
        let Ok(length) = i32::try_from(count) else { return Step::Nothing };
        let index = from / BITS;
        let free = !word(self.used(), index) & from_bit(from);
        if free == 0 {
            return match self.runs.first_behind(index, length) {
                Some(next) => Step::From(next * BITS),
                None => Step::Nothing,
            };
        }
        let first = index * BITS + free.trailing_zeros() as usize;
        // Where the search begins, or another call gave back pages since the step before, it may be the middle of a run.
        let start = if first == from { self.run_around(from) } else { first };
        let longest = *self.runs.value(start / BITS);
        let run_end = self.run_end(start, longest);
        let Some(page) = base.checked_add(first).and_then(|at| at.checked_next_multiple_of(align)) else {
            return Step::Nothing;
        };
        let (page, limit) = (page - base, run_end.min(end));
        if page >= limit || count > limit - page {
            return if run_end < end { Step::From(run_end) } else { Step::Nothing };
        }
        let after = page + count;
        // The tree learns of it when the map is settled next: in this stretch it would take too long.
        self.open.open_within((start, run_end), (page, after));
        self.mark(page, count, usize::MAX);
        Step::Taken(page)
    }

    /// Where the free run begins that `page`, which is free, is in.
    #[inline(always)]
    fn run_around(&self, page: usize) -> usize {
        let index = page / BITS;
        let used = word(self.used(), index) & !from_bit(page);
        if used != 0 {
            return (index + 1) * BITS - used.leading_zeros() as usize;
        }
        let before = index.wrapping_sub(1);
        if word(self.used(), before) >> (BITS - 1) != 0 {
            return index * BITS;
        }
        // It fills every word between this one and the last before it in which a run begins: so it is the last run there.
        let begin = self.runs.last_before(index).unwrap_or(before);
        (begin + 1) * BITS - (!word(self.used(), begin)).leading_ones() as usize
    }
}
