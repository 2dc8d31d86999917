//! Allocating: from the open run, or from the lowest run in the tree that is long enough.
//!
//! Each function finds the pages, counts them, notes them in the open run, and marks them in the bitmaps. Three
//! functions allocate from the open run, because the fast paths call no function for what they do:
//!
//! | function | the pages | their cache states |
//! | --- | --- | --- |
//! | `allocate_from_open_in_word`, for a fast path | in one word | `cache` |
//! | `allocate_from_open_across`, for a fast path | in several words | `cache` |
//! | `allocate_from_open` | any | any |
//!
//! If one function served all three, an allocation of 4 KiB would take 34 instructions more on aarch64, and one of
//! 1 MiB 88 more.

use super::bits::{ALL, BITS, BitRange, change_across, differs_across, differs_in, leading_ones, lowest_ones, mask_of};
use super::mark::{PageState, mark_in_word, mark_start};
use super::open_run::OpenRun;
use super::{CLEAN, CacheState, PageMap, is_across};
use crate::mem::atomics::Ordering::Relaxed;

impl PageMap {
    /// Allocates the lowest `count` contiguous free pages from the open run and returns the first; `None`, and nothing
    /// changes, if the open run has no room, or a run before it may serve the request. `count` is not zero.
    pub fn allocate_from_open(&mut self, count: usize) -> Option<usize> {
        let page = self.open.find_lowest(count)?;
        self.in_use.add(count);
        self.open.allocate(page, count);
        self.mark_used(page, count);
        Some(page)
    }

    /// Allocates as [`allocate_from_open`](Self::allocate_from_open) does, but returns `None` also if the pages do not
    /// lie in one word, or if one of them has another cache state than `cache`.
    pub fn allocate_from_open_in_word(&mut self, count: usize, cache: CacheState) -> Option<usize> {
        let page = self.open.find_lowest(count)?;
        if is_across(page, count) {
            return None;
        }
        let bit = page % BITS;
        let mask = mask_of(bit, count);
        let [used, starts, clean] = self.bits.word_of_each(page / BITS)?;
        if differs_in(clean, mask, cache.is_clean()) {
            return None;
        }
        self.in_use.add(count);
        self.open.allocate(page, count);
        mark_in_word([used, starts], bit, mask, PageState::InUse);
        Some(page)
    }

    /// Allocates as [`allocate_from_open`](Self::allocate_from_open) does, but returns `None` also if one of the pages
    /// has another cache state than `cache`. `count` is at least [`FEWEST_ACROSS`](super::FEWEST_ACROSS).
    pub fn allocate_from_open_across(&mut self, count: usize, cache: CacheState) -> Option<usize> {
        let page = self.open.find_lowest(count)?;
        let range = BitRange::new(page, count);
        if differs_across(self.bits.bitmap::<CLEAN>(), range, cache.is_clean()) {
            return None;
        }
        self.in_use.add(count);
        self.open.allocate(page, count);
        mark_start(&self.bits, page, PageState::InUse);
        change_across(self.used(), range, true);
        Some(page)
    }

    /// Allocates the lowest `count` contiguous free pages and returns the first; `None` if no run is long enough. The
    /// run becomes the open run. The tree must [be exact](Self::is_tree_exact). `count` is not zero.
    pub fn allocate_from_tree(&mut self, count: usize) -> Option<usize> {
        let index = self.runs.first_word_with(count)?;
        let [used, starts, _] = self.bits.word_of_each(index)?;
        let free = !used.load(Relaxed) & ALL;
        // If no `count` bits are free within the word, it is the run that leaves the word. Bits past the pool's last
        // page are clear too, so the last run looks longer. This is harmless: by the tree, a run that is long enough
        // begins in this word.
        let bit = lowest_ones(free, count).unwrap_or(BITS - leading_ones(free));
        let start = index * BITS + bit;
        let end = self.run_end_given(!free, start);
        // By the tree, `count` pages are free here. If they are not, C wrote to the bitmap: do not leave the pool. If C
        // set the highest bit of the word, `start` is in the next word, and `end` is fewer than `count` pages after it.
        // (The sum does not overflow: the tree, which C does not write, has a run of `count` pages.)
        if start + count > end {
            return None;
        }
        // As in `mark_used`, but the words are known. (`mark_used` looks them up again: a call of mixed sizes would
        // take 1.7 instructions more and exceed its bound. If its other callers had to look them up for it, 1.3 more.)
        self.in_use.add(count);
        self.open = OpenRun::from_start(start..end, count);
        if is_across(start, count) {
            self.mark_across(start, count, PageState::InUse);
        } else {
            mark_in_word([used, starts], bit, mask_of(bit, count), PageState::InUse);
        }
        Some(start)
    }
}
