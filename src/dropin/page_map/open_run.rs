//! The run that pages are taken from, one allocation behind the other, without a look at the tree.
//!
//! Drivers give back what they took in the order in which they took it, or in the opposite one. So the run may have one
//! *hole*: pages in its used part that came back, and are taken again before those behind.

use super::PageMap;

/// The free run that pages are taken from, as the tree knows it: `[start, end)`, of which `[start, next)` is in use by
/// now, but for the hole.
///
/// Closed, it is what is left of one: `[next, end)` and the hole, which are free, but no runs in the tree yet. Pages that
/// come back while none is open, and nothing is left, are such a hole.
pub(super) struct OpenRun {
    /// `CLOSED` if the run is closed.
    start: usize,
    /// The least request that is served from here: of so many pages no run begins before `start`. `CLOSED` if none is.
    pub(super) least: usize,
    /// Where the allocation that ends at `next` begins. Where that is not known, `next` or `CLOSED`: from neither, an
    /// allocation leads to `next`.
    last: usize,
    pub(super) next: usize,
    pub(super) end: usize,
    /// The hole's first page, and the page behind its last: the same page, wherever it is, if there is none.
    pub(super) hole: usize,
    pub(super) hole_end: usize,
}

/// More than any page, and than any request. And no request is so large that one from here would end at a page:
/// `CLOSED + count` is never `next`, whether it wraps around or not.
const CLOSED: usize = usize::MAX / 2;

impl OpenRun {
    /// None, and `pages` pages from the first on that are free.
    pub(super) const fn closed(pages: usize) -> Self {
        OpenRun { start: CLOSED, least: CLOSED, last: CLOSED, next: 0, end: pages, hole: 0, hole_end: 0 }
    }

    /// From now on it is the free run `[start, end)`, of which the first `count` pages are taken, and before which no run
    /// of as many begins.
    #[inline(always)]
    pub(super) fn open(&mut self, start: usize, end: usize, count: usize) {
        self.start = start;
        self.least = count;
        self.last = start;
        self.next = start + count;
        self.end = end;
    }

    /// From now on it is the free run `[start, end)`, of which `[page, after)` is taken; what lies before that is the hole.
    /// There may be a longer run before it, so it serves no request; it only takes back.
    #[inline(always)]
    pub(super) fn open_within(&mut self, (start, end): (usize, usize), (page, after): (usize, usize)) {
        (self.start, self.least, self.last) = (start, CLOSED, CLOSED);
        (self.next, self.end) = (after, end);
        (self.hole, self.hole_end) = (start, page);
    }

    /// Closes it, and says what run it was; `None` if it is closed.
    #[inline(always)]
    pub(super) fn close(&mut self) -> Option<(usize, usize)> {
        let start = self.start;
        (self.start, self.least, self.last) = (CLOSED, CLOSED, CLOSED);
        (start != CLOSED).then_some((start, self.end))
    }

    /// Once it is closed, and nothing is left from `next` on: makes what was the hole that; false if there was none.
    #[inline(always)]
    pub(super) fn take_up_hole(&mut self) -> bool {
        (self.next, self.end) = (self.hole, self.hole_end);
        self.hole_end = self.hole;
        self.next != self.end
    }

    /// Whether `page` was taken from it.
    pub(super) fn has(&self, page: usize) -> bool {
        self.start <= page && page < self.next
    }

    /// Whether it is open.
    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.start != CLOSED
    }

    /// Its first page.
    #[cfg(test)]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where `count` pages are to be taken.
    #[inline(always)]
    fn take(&mut self, count: usize) -> Option<usize> {
        let is_in_hole = count <= self.hole_end - self.hole;
        if !is_in_hole && count > self.end - self.next || count < self.least {
            return None;
        }
        // Below the hole there is nothing that is long enough; between it and `next` there is nothing free.
        if is_in_hole {
            let page = self.hole;
            self.hole = page + count;
            return Some(page);
        }
        self.last = self.next;
        self.next = self.last + count;
        Some(self.last)
    }

    /// Takes back the pages `[page, after)`, unless a second hole would come of it.
    #[inline(always)]
    pub(super) fn give_back(&mut self, page: usize, after: usize) -> bool {
        let (mut hole, mut hole_end, mut next) = (self.hole, self.hole_end, self.next);
        if hole == hole_end {
            (hole, hole_end) = (page, after);
        } else if after == hole {
            hole = page;
        } else if page == hole_end {
            hole_end = after;
        } else if after == next {
            next = page;
        } else {
            return false;
        }
        if hole_end == next {
            (next, hole_end) = (hole, hole);
        }
        (self.hole, self.hole_end, self.next, self.last) = (hole, hole_end, next, next);
        true
    }
}

impl PageMap {
    /// Takes the lowest run of `count` free pages and says at which page, if the open run says so. `count` is not zero.
    #[inline(always)]
    pub fn take(&mut self, count: usize) -> Option<usize> {
        let page = self.open.take(count)?;
        self.mark(page, count, usize::MAX);
        Some(page)
    }

    /// Gives back the allocation of `count` pages that begins at `page`, if it is the last that was taken. `count` is not
    /// zero, and it or `page` is below [`CLOSED`]; `page` need not be one of the pool's.
    #[inline(always)]
    pub fn give_back_last(&mut self, page: usize, count: usize) -> bool {
        // Else they may be mistaken for the last, where `open.last` says that it is not known.
        debug_assert!(count != 0 && (page < CLOSED || count < CLOSED));
        let open = &mut self.open;
        if page != open.last || page.wrapping_add(count) != open.next {
            return false;
        }
        open.next = page;
        self.mark(page, count, 0);
        true
    }
}
