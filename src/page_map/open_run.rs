//! The run that pages are taken from, one allocation behind the other, without a look at the tree.
//!
//! Drivers give back what they took in the order in which they took it, or in the opposite one. So the run may have one
//! *hole*: pages in its used part that came back, and are taken again before those behind.

use core::ops::Range;

use super::bits::{Span, set_bit};
use super::{NOWHERE, PageMap};

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
    /// Where the allocation that ends at `next` begins; [`NOWHERE`] if it is not known, or there is a hole.
    last: usize,
    pub(super) hole: Range<usize>,
}

impl OpenRun {
    pub(super) const NONE: OpenRun =
        OpenRun { start: 0, next: 0, end: 0, least: 0, least_kept: 0, last: NOWHERE, hole: 0..0 };

    /// From now on it is the free run `[start, end)`, before which no run of `least` pages begins.
    #[inline(always)]
    pub(super) fn set(&mut self, start: usize, end: usize, least: usize) {
        // Field by field: as a whole, it would be copied by a call of memcpy.
        self.start = start;
        self.next = start;
        self.end = end;
        self.least = least;
        self.least_kept = least;
        self.last = NOWHERE;
        self.hole = 0..0;
    }

    fn set_hole(&mut self, hole: Range<usize>) {
        self.last = NOWHERE;
        self.least = if hole.is_empty() { self.least_kept } else { usize::MAX };
        self.hole = if hole.is_empty() { 0..0 } else { hole };
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

    /// The same where the run has a hole.
    pub fn take_beside_hole(&mut self, count: usize) -> Option<Span> {
        let OpenRun { next, end, least_kept, ref hole, .. } = self.open;
        if hole.is_empty() || count < least_kept {
            return None;
        }
        // Below the hole there is nothing that is long enough; between it and `next` there is nothing free.
        let (page, rest) = if count <= hole.len() {
            (hole.start, hole.start + count..hole.end)
        } else if count <= end - next {
            self.open.next = next + count;
            (next, hole.clone())
        } else {
            return None;
        };
        self.open.set_hole(rest);
        let span = Span::new(page, count);
        span.change(self.used, usize::MAX);
        set_bit(self.starts, page, usize::MAX);
        Some(span)
    }

    /// Gives back the allocation of `count` pages that begins at `page`, if it is the last that was taken.
    #[inline(always)]
    pub fn give_back_last(&mut self, page: usize, count: usize) -> bool {
        let open = &mut self.open;
        if page != open.last || page.wrapping_add(count) != open.next {
            return false;
        }
        open.next = page;
        open.last = NOWHERE;
        Span::new(page, count).change(self.used, 0);
        set_bit(self.starts, page, 0);
        true
    }

    /// Gives back the allocation of `count` pages that begins at `page`, if it is one of the open run's, and no second hole
    /// comes of it.
    pub fn give_back_in_order(&mut self, page: usize, count: usize) -> bool {
        let OpenRun { start, next, ref hole, .. } = self.open;
        if page < start || page >= next || count > next - page || self.check(page, count).is_err() {
            return false;
        }
        let mut freed = page..page + count;
        if freed.end == hole.start {
            freed.end = hole.end;
        } else if freed.start == hole.end {
            freed.start = hole.start;
        } else if !hole.is_empty() && freed.end != next {
            return false;
        }
        let mut rest = freed.clone();
        if freed.end == next {
            // It is what `next` begins with now; a hole that is not part of it stays.
            self.open.next = freed.start;
            rest = if freed.contains(&hole.start) { 0..0 } else { hole.clone() };
        }
        self.open.set_hole(rest);
        Span::new(page, count).change(self.used, 0);
        set_bit(self.starts, page, 0);
        true
    }
}
