//! Runs that begin at a multiple of a power of two: the lowest, as for every request. Linked only where it is used.

use super::PageMap;
use super::bits::{BITS, from_bit, test, word};

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
    /// Looks for a free run that begins in the word of page `from`, there or behind. If there is one, takes the first
    /// `count` pages of it that begin where `base + page` is a multiple of `align`, or says where it ends, if it has none;
    /// else says at which word to look next. The map must be [settled](Self::settle). `count` is not zero, and `align` a
    /// power of two.
    ///
    /// One run or one word a step, so that no step has the lock for long.
    pub fn take_aligned(&mut self, from: usize, count: usize, base: usize, align: usize) -> Step {
        let Ok(length) = i32::try_from(count) else { return Step::Nothing };
        let index = from / BITS;
        let mut free = !word(self.used(), index) & from_bit(from);
        if from.checked_sub(1).is_some_and(|before| !test(self.used(), before)) {
            // What goes on a run of the word before was looked at there; or it has grown over this place since the step
            // before.
            free &= free.wrapping_add(1 << (from % BITS));
        }
        if free == 0 {
            return match self.runs.first_behind(index, length) {
                Some(next) => Step::From(next * BITS),
                None => Step::Nothing,
            };
        }
        let start = index * BITS + free.trailing_zeros() as usize;
        let longest = *self.runs.value(start / BITS);
        let end = self.run_end(start, longest);
        let Some(page) = base.checked_add(start).and_then(|at| at.checked_next_multiple_of(align)) else {
            return Step::Nothing;
        };
        let page = page - base;
        if page >= end || count > end - page {
            return Step::From(end);
        }
        let after = page + count;
        // The tree learns of it when the map is settled next: in this stretch it would take too long.
        self.open.open_within((start, end), (page, after));
        self.mark(page, count, usize::MAX);
        Step::Taken(page)
    }
}
