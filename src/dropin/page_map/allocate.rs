//! Allocating: from the open run, or from the lowest run in the tree that is long enough.

use core::sync::atomic::Ordering::Relaxed;

use super::bits::{ALL, BITS, Span, change, change_across, differs, differs_across, merge};
use super::open_run::OpenRun;
use super::{LABELS, PageMap, USED, mark_start};

/// Pages that were allocated just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The first page.
    pub page: usize,
    /// Every page has the label that was asked for.
    pub has_label: bool,
}

impl PageMap {
    /// Allocates the lowest `count` contiguous free pages, if the open run can tell which these are. `count` is not zero.
    /// `label` is what [`Taken::has_label`] compares with.
    #[inline(always)]
    pub fn take(&mut self, count: usize, label: usize) -> Option<Taken> {
        let page = self.open.lowest(count)?;
        self.open.allocate(page, count);
        Some(self.mark_used(page, count, label))
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

    /// Allocates the lowest `count` contiguous free pages; `None` if no run is long enough. The map must be
    /// [settled](Self::settle); the run from which the pages are taken becomes the open run. `count` is not zero.
    /// `label` is what [`Taken::has_label`] compares with.
    #[inline(always)]
    pub fn take_lowest(&mut self, count: usize, label: usize) -> Option<Taken> {
        let index = self.runs.first(count)?;
        let start = self.run_in_word(index, count);
        let end = self.run_end(start);
        // By the tree, `count` pages are free here. If they are not, C wrote to the bitmap: do not leave the pool.
        if start >= end || count > end - start {
            return None;
        }
        self.open = OpenRun::from_start(start, end, count);
        Some(self.mark_used(start, count, label))
    }

    /// Marks the pages of an allocation as used, and counts them.
    #[inline(always)]
    pub(super) fn mark_used(&mut self, page: usize, count: usize, label: usize) -> Taken {
        self.usage.allocate(count);
        let bit = page % BITS;
        if count > BITS - bit {
            return self.mark_many_used(page, count, label);
        }
        let mask = ALL >> (BITS - count) << bit;
        let has_label = self.bits.at(page / BITS, false, |[used, starts, labels]| {
            merge(used, mask, ALL);
            merge(starts, 1 << bit, ALL);
            (labels.load(Relaxed) ^ label) & mask == 0
        });
        Taken { page, has_label }
    }

    /// Marks the pages of an allocation that does not end in its first word as used.
    #[inline(never)]
    fn mark_many_used(&self, page: usize, count: usize, label: usize) -> Taken {
        mark_start(&self.bits, page, ALL);
        let span = Span::new(page, count);
        change(self.used(), span, ALL);
        Taken { page, has_label: !differs(self.bits.words::<LABELS>(), span, label) }
    }
}
