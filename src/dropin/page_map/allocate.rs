//! Allocating: from the open run, or from the lowest run in the tree that is long enough.

use core::sync::atomic::Ordering::Relaxed;

use super::bits::{ALL, BITS, Span, change_across, differs_across, from_bit, leading_ones, merge, trailing_zeros};
use super::open_run::OpenRun;
use super::{LABELS, PageMap, USED, mark_start};

impl PageMap {
    /// Allocates the lowest `count` contiguous free pages and returns the first, if the open run determines them. `count` is
    /// not zero.
    #[inline(always)]
    pub fn take(&mut self, count: usize) -> Option<usize> {
        let page = self.open.lowest(count)?;
        self.open.allocate(page, count);
        self.mark_used(page, count);
        Some(page)
    }

    /// Allocates as [`take`](Self::take) does, but only pages that lie in one word and have the label. `None` does not mean
    /// that [`take`](Self::take) fails.
    #[inline(always)]
    pub fn take_in_word(&mut self, count: usize, label: usize) -> Option<usize> {
        let page = self.open.lowest(count)?;
        let bit = page % BITS;
        if count > BITS - bit {
            return None;
        }
        let mask = ALL >> (BITS - count) << bit;
        let is_taken = self.bits.at(page / BITS, false, |[used, starts, labels]| {
            let has_label = (labels.load(Relaxed) ^ label) & mask == 0;
            if has_label {
                merge(used, mask, ALL);
                merge(starts, 1 << bit, ALL);
            }
            has_label
        });
        if !is_taken {
            return None;
        }
        self.usage.allocate(count);
        self.open.allocate(page, count);
        Some(page)
    }

    /// Allocates as [`take_in_word`](Self::take_in_word) does, but [`FEWEST_ACROSS`](super::FEWEST_ACROSS) pages or more.
    #[inline(always)]
    pub fn take_across(&mut self, count: usize, label: usize) -> Option<usize> {
        let page = self.open.lowest(count)?;
        let (span, bits) = (Span::new(page, count), self.bits);
        if differs_across(bits.words::<LABELS>(), span, label) {
            return None;
        }
        mark_start(&bits, page, ALL);
        change_across(bits.words::<USED>(), span, ALL);
        self.usage.allocate(count);
        self.open.allocate(page, count);
        Some(page)
    }

    /// Allocates the lowest `count` contiguous free pages and returns the first; `None` if no run is long enough. The map must
    /// be [settled](Self::is_settled); the run from which the pages are taken becomes the open run. `count` is not zero.
    #[inline(always)]
    pub fn take_lowest(&mut self, count: usize) -> Option<usize> {
        let index = self.runs.first(count)?;
        let [used, starts, _] = self.bits.at(index, None, Some)?;
        let free = !used.load(Relaxed) & ALL;
        // If no `count` bits are free within the word, it is the run that leaves the word. The bits after the pool's last page
        // are clear and lengthen its last run; that does not matter, as by the tree the wanted run is this one or before it.
        let bit = lowest_ones(free, count).unwrap_or(BITS - leading_ones(free));
        let (start, used_after) = (index * BITS + bit, !free & from_bit(bit));
        let end = if used_after != 0 { index * BITS + trailing_zeros(used_after) } else { self.end_of_leaving(start) };
        let end = end.min(self.pages);
        // By the tree, `count` pages are free here. If they are not, C wrote to the bitmap: do not leave the pool.
        if start >= end || count > end - start {
            return None;
        }
        self.usage.allocate(count);
        self.open = OpenRun::from_start(start, end, count);
        if count <= BITS - bit {
            merge(used, ALL >> (BITS - count) << bit, ALL);
            merge(starts, 1 << bit, ALL);
        } else {
            self.mark_across(start, count, ALL);
        }
        Some(start)
    }

    /// Marks the pages of an allocation as used, and counts them.
    #[inline(always)]
    pub(super) fn mark_used(&mut self, page: usize, count: usize) {
        self.usage.allocate(count);
        self.mark(page, count, ALL);
    }
}

/// Returns the lowest bit from which on `count` bits of `word` are set; `None` if there is none.
#[inline(always)]
pub(super) fn lowest_ones(word: usize, count: usize) -> Option<usize> {
    if count > BITS {
        return None;
    }
    // Bits from which on some of the `count` bits are set. Each step halves what is still to be looked at.
    let (mut begins, mut more) = (word, count);
    while more > 1 && begins != 0 {
        begins &= begins >> (more / 2);
        more -= more / 2;
    }
    if begins != 0 { Some(trailing_zeros(begins)) } else { None }
}
