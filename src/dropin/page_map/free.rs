//! Freeing: into the open run, or into the tree.

use core::ops::Range;

use super::bits::{BITS, BitRange, change_across, differs, mask_of, test};
use super::open_run::OpenRun;
use super::settle::{GoneRun, Pending};
use super::{PageMap, PageState, USED, is_across, mark_in_word, mark_start};
use crate::error::Error;
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::bitmaps::BitmapWord;

/// The result of [`PageMap::try_free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// The pages are free.
    Done,
    /// Nothing has changed. The map must be [settled](PageMap::settle_step), and then the pages can be freed.
    SettleFirst,
}

impl PageMap {
    /// Frees the allocation of `count` pages that begins at `page`, if it is the last that was allocated from the open
    /// run; returns whether it did. The pages lie in one word, and `count` is not zero. `page` need not be a page of
    /// the pool.
    #[inline(always)]
    pub fn free_last_in_word(&mut self, page: usize, count: usize) -> bool {
        if !self.open.is_last(page, count) {
            return false;
        }
        // `[last, next)` of the open run is one allocation (see the module documentation), so no bitmap is read.
        self.open.free_last(page);
        self.in_use.remove(count);
        if let Some([used, starts, _]) = self.bits.words_at(page / BITS) {
            let bit = page % BITS;
            mark_in_word([used, starts], bit, mask_of(bit, count), PageState::Free);
        }
        true
    }

    /// Frees as [`free_last_in_word`](Self::free_last_in_word) does, pages that are [across](super::is_across) several
    /// words.
    pub fn free_last_across(&mut self, page: usize, count: usize) -> bool {
        let (range, bits) = (BitRange::new(page, count), self.bits);
        let is_last = self.open.is_last(page, count);
        if is_last {
            self.open.free_last(page);
            self.in_use.remove(count);
            mark_start(&bits, page, PageState::Free);
            change_across(bits.words::<USED>(), range, false);
        }
        is_last
    }

    /// Frees the allocation of `count` pages that begins at `page`, unless the map must be [settled](Self::settle_step)
    /// first.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no allocation begins at `page`, [`Error::WrongSize`] if it has another length.
    pub fn try_free(&mut self, page: usize, count: usize) -> Result<Freed, Error> {
        let [used, starts, _] = self.check_allocation(page, count)?;
        let after = page + count;
        let is_in_open_run = self.open.has(page);
        let is_ready = if is_in_open_run { self.open.free(page, after) } else { self.prepare_to_add(page, after) };
        if !is_ready {
            return Ok(Freed::SettleFirst);
        }
        self.in_use.remove(count);
        let is_in_word = !is_across(page, count);
        if is_in_word {
            let bit = page % BITS;
            mark_in_word([used, starts], bit, mask_of(bit, count), PageState::Free);
        } else {
            self.mark_across(page, count, PageState::Free);
        }
        if is_in_open_run {
            return Ok(Freed::Done);
        }
        if is_in_word && !self.is_high() {
            self.add_freed(page..after);
        } else {
            // To put the pages into the tree as well would take too long in this stretch.
            self.pending = Pending::Add(page..after);
            // How long their run is, with the free pages before and after them, is not known until then: it may serve
            // any request.
            self.open.serve_nothing_after(page);
        }
        Ok(Freed::Done)
    }

    /// Prepares the map for the free pages `[page, after)` outside of the open run: closes the open run if they touch
    /// it. Returns false, and changes nothing, if the map must be settled first.
    fn prepare_to_add(&mut self, page: usize, after: usize) -> bool {
        if self.has_pending() {
            return false;
        }
        if self.open.is_next_to(page, after) {
            if self.open.is_used() {
                return false;
            }
            // Nothing is allocated from the open run, and it grows by these pages.
            self.open = OpenRun::CLOSED;
        }
        true
    }

    /// Puts free pages into the tree, as one run with the free pages before and after them. They do not touch the open
    /// run. Returns how many levels of the tree changed.
    #[inline(always)]
    pub(super) fn add_freed(&mut self, Range { start: page, end: after }: Range<usize>) -> usize {
        let (start, end) = (self.run_start(page), self.run_end(after));
        let (index, index_after) = (start / BITS, after / BITS);
        self.open.raise_least_above(start, end);
        let levels = self.runs.raise(index, end - start);
        if end != after && index_after != index {
            // A run began at `after`, and does not any more.
            let length = end - after;
            self.pending =
                Pending::Remove(GoneRun { word_index: index_after, length, known_length: 0, to_tag: start..end });
        } else {
            self.tag_run(start, end);
        }
        levels
    }

    /// Checks that an allocation of `count` pages begins at `page`. Returns the words of the three bitmaps in which the
    /// bit of `page` is: of [`USED`], `STARTS` and [`LABELS`](super::LABELS).
    pub(super) fn check_allocation(&self, page: usize, count: usize) -> Result<[&'static BitmapWord; 3], Error> {
        let bit = page % BITS;
        let words @ [used, starts, _] = self.bits.words_at(page / BITS).ok_or(Error::NotAllocated)?;
        let (used, starts) = (used.load(Relaxed), starts.load(Relaxed));
        if (used & starts) >> bit & 1 == 0 {
            return Err(Error::NotAllocated);
        }
        // The other pages of an allocation are in use, and no allocation begins there. There are two shifts, because
        // `bit + 1` may be the width of a word.
        let length = 1 + ((used & !starts) >> bit >> 1).trailing_ones() as usize;
        if bit + length == BITS {
            self.check_many(page, count)?;
        } else if length != count {
            return Err(Error::WrongSize);
        }
        Ok(words)
    }

    /// Checks that the allocation that begins at `page` and reaches the end of its word has `count` pages.
    #[inline(never)]
    fn check_many(&self, page: usize, count: usize) -> Result<(), Error> {
        // It ends there; no other begins within, and the last page is in use: so all of them belong to this one. (If a
        // page in between were free, the next page in use would be the first of an allocation: the last test finds it.)
        let after = page.wrapping_add(count);
        let does_end = || {
            self.bits
                .words_at(after / BITS)
                .is_none_or(|[used, starts, _]| used.load(Relaxed) & !starts.load(Relaxed) & 1 << (after % BITS) == 0)
        };
        if page < after
            && after <= self.pages
            && does_end()
            && test(self.used(), after - 1)
            && (count == 1 || !differs(self.starts(), BitRange::new(page + 1, count - 1), false))
        {
            return Ok(());
        }
        Err(Error::WrongSize)
    }
}
