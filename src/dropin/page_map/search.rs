//! Requests for a part of the pool, or for an aligned address: they get the lowest pages that fit, as every request
//! does.

use core::ops::Range;

use super::PageMap;
use super::bits::{BITS, complement, first_set, from_bit};
use super::open_run::OpenRun;
use crate::kernel::PAGE_SHIFT;

/// The result of one step of a search.
pub enum SearchStep {
    /// The pages from this one on are allocated.
    Allocated(usize),
    /// No run that fits begins before this page: the search continues there.
    ContinueAt(usize),
    /// No run fits.
    NoRun,
}

/// At which pages an allocation may begin: those whose number and `base` add up to a multiple of `align`, which is a
/// power of two.
#[derive(Clone, Copy)]
pub struct Alignment {
    /// The number of pages from the last multiple of `align` to the pool's first page.
    pub base: usize,
    /// The alignment in pages.
    pub align: usize,
}

impl Alignment {
    /// Returns the alignment of pages to `align` bytes, a power of two, if the pool's first page is at `first_address`.
    /// An `align` of less than a page has the effect of a page.
    pub fn of_addresses(first_address: usize, align: usize) -> Self {
        let align = (align >> PAGE_SHIFT).max(1);
        Alignment { base: (first_address >> PAGE_SHIFT) & (align - 1), align }
    }

    /// Returns the first such page from `page` on; `None` if its number is larger than a `usize`.
    pub(crate) fn first_from(self, page: usize) -> Option<usize> {
        let at = self.base.checked_add(page)?.checked_next_multiple_of(self.align)?;
        Some(at - self.base)
    }
}

impl PageMap {
    /// Does one step of a search for `count` pages in `part` that begin as `alignment` demands. It looks at one run:
    /// the one at the first page of `part`, or else the next that begins in the same word.
    ///
    /// * The run has such pages: allocates the lowest of them.
    /// * It has none: the search [continues](SearchStep::ContinueAt) at the end of the run.
    /// * The word has no free page from there on: the search continues in a later word, which may lie after `part`.
    /// * No run that fits begins in `part`: returns [`NoRun`](SearchStep::NoRun).
    ///
    /// The open run must be [closed](OpenRun::CLOSED): the caller [settles](Self::settle_step) the map. `count` is not
    /// zero. Each step looks at one run or one word, so that no step holds the lock for long.
    pub fn allocate_in_part(&mut self, part: Range<usize>, count: usize, alignment: Alignment) -> SearchStep {
        if count > self.page_count {
            return SearchStep::NoRun;
        }
        let Range { start: from, end } = part;
        let index = from / BITS;
        let free = complement(self.used(), index) & from_bit(from);
        if free == 0 {
            return match self.runs.next_candidate(index, count) {
                Some(next) => SearchStep::ContinueAt(next * BITS),
                None => SearchStep::NoRun,
            };
        }
        let first = first_set(index, free);
        // At the first step, or if another call freed pages since the last step, `from` may be in the middle of a run.
        let start = if first == from { self.run_start_around(from) } else { first };
        let run_end = self.run_end(start);
        let Some(page) = alignment.first_from(first) else { return SearchStep::NoRun };
        let limit = run_end.min(end);
        if limit.saturating_sub(page) < count {
            return if run_end < end { SearchStep::ContinueAt(run_end) } else { SearchStep::NoRun };
        }
        self.in_use.add(count);
        // To put what is left into the tree as well would take too long in this stretch.
        self.open = OpenRun::around(start..run_end, page, count);
        self.mark_used(page, count);
        SearchStep::Allocated(page)
    }
}
