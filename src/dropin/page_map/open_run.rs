//! The open run: the free run from which pages are allocated, one request after the other, without a look at the tree.
//!
//! Drivers free buffers in the order in which they allocated them, or in the opposite order. So the open run may have
//! one *hole*: pages in its used part that were freed. They are allocated again before the pages after the used part.

use core::ops::Range;

use super::bits::BITS;
use super::is_across;

/// The free run from which pages are allocated.
///
/// The tree still has all of `[start, end)` as one free run. In fact it has these parts:
///
/// ```text
/// start          hole.start      hole.end            next            end
///   | in use         | free          | in use          | free          |
/// ```
///
/// The page before `start` and the page `end` are in use, or outside of the pool: no other free run touches this one.
/// If no run is open, the fields are those of [`CLOSED`](Self::CLOSED), an empty run that no page belongs to.
// The compiler chooses the layout, but the order here has an influence on it. In the order start, end, next, hole,
// least_request, last, an allocation and its free take 2 instructions more on aarch64 (rustc 1.95).
pub(super) struct OpenRun {
    pub(super) start: usize,
    /// The smallest request that may be served from here: no free run of this length or more begins before `start`.
    /// [`NO_REQUEST`] if no request may.
    least_request: usize,
    /// The first page of the *last allocation*, which ends at `next`; `next` itself if it is not known where that
    /// begins. So `[last, next)` is one allocation or empty, and a free of exactly these pages needs no look at the
    /// bitmaps.
    last: usize,
    /// The first page of the free part after the used one: `start <= next <= end`.
    pub(super) next: usize,
    pub(super) end: usize,
    /// Free pages in the used part, `start <= hole.start < hole.end < next`; empty if there is no hole.
    pub(super) hole: Range<usize>,
}

/// More pages than any request has.
const NO_REQUEST: usize = usize::MAX;

/// A page that no pool has.
const NOWHERE: usize = usize::MAX;

const NO_HOLE: Range<usize> = NOWHERE..NOWHERE;

impl OpenRun {
    /// No run is open: the tree is exact.
    pub(super) const CLOSED: OpenRun = OpenRun {
        start: NOWHERE,
        least_request: NO_REQUEST,
        last: NOWHERE,
        next: NOWHERE,
        end: NOWHERE,
        hole: NO_HOLE,
    };

    /// Opens a free run, of which the first `count` pages are allocated. No run of `count` pages begins before it.
    pub(super) fn from_start(Range { start, end }: Range<usize>, count: usize) -> Self {
        let next = start + count;
        OpenRun { start, end, next, hole: NO_HOLE, least_request: count, last: start }
    }

    /// Opens a free run, of which the `count` pages from `page` on are allocated: the pages before these are the hole.
    /// A longer run may begin before this one, so it serves no request.
    pub(super) fn around(Range { start, end }: Range<usize>, page: usize, count: usize) -> Self {
        let next = page + count;
        OpenRun { start, end, next, hole: start..page, least_request: NO_REQUEST, last: next }
    }

    /// Returns whether pages were allocated from this run and are still in use, so that the tree is not exact.
    pub(super) fn is_used(&self) -> bool {
        self.start != self.next
    }

    /// Returns whether all of this run, used part included, lies in one word of the bitmaps.
    pub(super) fn is_in_one_word(&self) -> bool {
        !is_across(self.start, self.end - self.start)
    }

    /// Returns whether `page` is in the used part of this run.
    pub(super) fn is_in_used_part(&self, page: usize) -> bool {
        self.start <= page && page < self.next
    }

    /// Returns whether `pages`, which are outside this run, touch it.
    pub(super) fn is_next_to(&self, pages: &Range<usize>) -> bool {
        pages.end == self.start || pages.start == self.end
    }

    /// Returns the length of this run, used part included, if it begins in word `word_index`; else zero.
    pub(super) fn length_if_begins_in(&self, word_index: usize) -> usize {
        if self.start / BITS == word_index { self.end - self.start } else { 0 }
    }

    /// A free run `other` has become longer. If it lies before this run, it must serve the requests up to its length
    /// (first fit): raises `least_request` above that. The two runs do not touch.
    pub(super) fn raise_least_request_above(&mut self, other: &Range<usize>) {
        if other.start < self.start {
            self.least_request = self.least_request.max(other.len() + 1);
        }
    }

    /// A free run of unknown length begins at `page`. If this run lies after it, this run serves no request any more.
    pub(super) fn serve_nothing_after(&mut self, page: usize) {
        if page < self.start {
            self.least_request = NO_REQUEST;
        }
    }

    /// Returns the first of the lowest `count` contiguous pages that are free in the whole pool, in the hole or after
    /// the used part; `None` if these may lie elsewhere.
    pub(super) fn find_lowest(&self, count: usize) -> Option<usize> {
        if count < self.least_request {
            None
        } else if count <= self.hole.end - self.hole.start {
            // Between `start` and `next` only the hole is free. (The range's `len` compares its ends: 1 instruction
            // more for each allocation on aarch64.)
            Some(self.hole.start)
        } else if count <= self.end - self.next {
            Some(self.next)
        } else {
            None
        }
    }

    /// Allocates `count` pages at `page`, which [`find_lowest`](Self::find_lowest) returned.
    pub(super) fn allocate(&mut self, page: usize, count: usize) {
        if page == self.next {
            self.last = page;
            self.next = page + count;
        } else {
            self.hole.start = page + count;
        }
    }

    /// Returns whether `[page, page + count)` is the last allocation.
    pub(super) fn is_last(&self, page: usize, count: usize) -> bool {
        // `count` is what a caller of C states: the sum may overflow. (`free` gets a count that was checked.)
        page == self.last && page.wrapping_add(count) == self.next
    }

    /// Frees the allocation that ends at `next` and begins at `page`.
    pub(super) fn free_last(&mut self, page: usize) {
        self.lower_next(page);
        if self.hole.end == self.next {
            // The hole is a part of the free pages after the used part now.
            self.lower_next(self.hole.start);
            self.hole = NO_HOLE;
        }
    }

    /// Makes `page` the first after the used part. It is not known which allocation ends there.
    fn lower_next(&mut self, page: usize) {
        self.next = page;
        self.last = page;
    }

    /// Frees the allocation of `count` pages that begins at `page`, in the used part. Returns false, and changes
    /// nothing, if that would make a second hole.
    pub(super) fn free(&mut self, page: usize, count: usize) -> bool {
        let after = page + count;
        if after == self.next {
            self.free_last(page);
        } else if self.hole.is_empty() {
            self.hole = page..after;
        } else if after == self.hole.start {
            self.hole.start = page;
        } else if page == self.hole.end {
            self.hole.end = after;
        } else {
            return false;
        }
        true
    }
}

/// For the tests.
#[cfg(test)]
impl OpenRun {
    /// Returns whether a run before this one may be long enough for a request of `count` pages.
    pub(super) fn is_below_least_request(&self, count: usize) -> bool {
        count < self.least_request
    }

    /// Returns the pages of the last allocation; an empty range if it is not known.
    pub(super) fn last_allocation(&self) -> Range<usize> {
        self.last..self.next
    }

    /// Returns every field.
    pub(super) fn fields(&self) -> [usize; 7] {
        let OpenRun { start, end, next, hole, least_request, last } = self;
        [*start, *end, *next, hole.start, hole.end, *least_request, *last]
    }

    /// Makes a run with these fields.
    pub(super) fn from_fields([start, end, next, hole_start, hole_end, least_request, last]: [usize; 7]) -> Self {
        OpenRun { start, end, next, hole: hole_start..hole_end, least_request, last }
    }
}
