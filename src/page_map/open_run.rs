//! The run that pages are taken from, one allocation behind the other, without a look at the tree.
//!
//! Drivers give back what they took in the order in which they took it, or in the opposite one. So the run may have one
//! *hole*: pages in its used part that came back, and are taken again before those behind.

use super::PageMap;
use super::bits::{Span, set_bit};

/// The free run that pages are taken from, as the tree knows it: `[start, end)`, of which `[start, next)` is in use by
/// now, but for the hole. Empty if there is none.
pub(super) struct OpenRun {
    pub(super) start: usize,
    pub(super) next: usize,
    pub(super) end: usize,
    /// The least request that is served from `next` on: of so many pages no run begins before `start`. While there is a
    /// hole, none is, and this is kept in `least_kept`.
    pub(super) least: usize,
    pub(super) least_kept: usize,
    /// Where the allocation that ends at `next` begins; `next` if it is not known, or there is a hole.
    last: usize,
    /// Its first page, and the page behind its last; twice zero if there is none.
    pub(super) hole: (usize, usize),
}

impl OpenRun {
    pub(super) const NONE: OpenRun =
        OpenRun { start: 0, next: 0, end: 0, least: 0, least_kept: 0, last: 0, hole: (0, 0) };

    /// From now on it is the free run `[start, end)`, before which no run of `least` pages begins.
    #[inline(always)]
    pub(super) fn set(&mut self, start: usize, end: usize, least: usize) {
        // Field by field: as a whole, it would be copied by a call of memcpy.
        self.start = start;
        self.next = start;
        self.end = end;
        self.least = least;
        self.least_kept = least;
        self.last = start;
        self.hole = (0, 0);
    }

    /// From now on there is none.
    pub(super) fn close(&mut self) {
        self.next = 0;
        self.end = 0;
        self.hole = (0, 0);
    }

    /// Whether `page` was taken from it.
    pub(super) fn has(&self, page: usize) -> bool {
        self.start <= page && page < self.next
    }

    fn set_hole(&mut self, from: usize, to: usize) {
        self.last = self.next;
        // None is nowhere: where one was, there may be a free run later.
        (self.hole, self.least) = if from == to { ((0, 0), self.least_kept) } else { ((from, to), usize::MAX) };
    }

    /// Where `count` pages are to be taken.
    #[inline(always)]
    fn take(&mut self, count: usize) -> Option<usize> {
        let (hole, hole_end) = self.hole;
        if count < self.least_kept {
            return None;
        }
        // Below the hole there is nothing that is long enough; between it and `next` there is nothing free.
        if count <= hole_end - hole {
            self.set_hole(hole + count, hole_end);
            return Some(hole);
        }
        let page = self.next;
        if count > self.end - page {
            return None;
        }
        self.next = page + count;
        self.last = if hole == hole_end { page } else { self.next };
        Some(page)
    }

    /// Takes back the pages `[page, after)`, unless a second hole would come of it.
    #[inline(always)]
    pub(super) fn give_back(&mut self, page: usize, after: usize) -> bool {
        let (mut from, mut to) = (page, after);
        let (hole, hole_end) = self.hole;
        if to == hole {
            to = hole_end;
        } else if from == hole_end {
            from = hole;
        } else if hole != hole_end && to != self.next {
            return false;
        }
        if to == self.next {
            // It is what `next` begins with now; a hole that is not part of it stays.
            self.next = from;
            to = if from <= hole { hole } else { hole_end };
            from = hole;
        }
        self.set_hole(from, to);
        true
    }
}

impl PageMap {
    /// Takes the lowest run of `count` free pages and says which, if the open run says so. `count` is not zero.
    #[inline(always)]
    pub fn take_next(&mut self, count: usize) -> Option<Span> {
        let open = &mut self.open;
        if count > open.end - open.next || count < open.least {
            return None;
        }
        let span = Span::new(open.next, count);
        open.last = open.next;
        open.next += count;
        span.change(self.used, usize::MAX);
        set_bit(self.starts, open.last, usize::MAX);
        Some(span)
    }

    /// The same, also where the run has a hole: says at which page.
    pub fn take(&mut self, count: usize) -> Option<usize> {
        let page = self.open.take(count)?;
        self.mark(page, count, usize::MAX);
        Some(page)
    }

    /// Gives back the allocation of `count` pages that begins at `page`, if it is the last that was taken. `count` is not
    /// zero.
    #[inline(always)]
    pub fn give_back_last(&mut self, page: usize, count: usize) -> bool {
        let open = &mut self.open;
        if page != open.last || page.wrapping_add(count) != open.next {
            return false;
        }
        open.next = page;
        Span::new(page, count).change(self.used, 0);
        set_bit(self.starts, page, 0);
        true
    }
}
