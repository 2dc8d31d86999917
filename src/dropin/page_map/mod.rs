//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! # What is kept
//!
//! For each page, together 3.67 bits where a word has 64 bits, 4.33 where it has 32:
//!
//! * `used`: the bitmap that C sees as `pool->map`. It is the truth.
//! * `starts`: the first page of each allocation. It tells a good free from one with a wrong size, one inside a buffer, and
//!   a second free. The bit of a free page is clear.
//! * One bit that the pool uses for its own purposes.
//! * The [`RunTree`]: for each word the longest free run that begins there, and maxima above these. It finds the lowest
//!   run that is long enough, or shows that there is none, and knows where a long run begins and ends, so none is walked.
//!
//! # How it is kept
//!
//! The tree is exact except for two things:
//!
//! * The *open run*: the free run from which the last allocations were taken. The tree still has all of it.
//! * At most one change that was put off ([`Todo`]), because it would have made a stretch with the lock held too long.
//!
//! A call that needs the tree first [settles](PageMap::settle) the map. The states of the open run:
//!
//! | state | fields | the tree has | an allocation | a free of its pages |
//! | --- | --- | --- | --- | --- |
//! | closed | all [`OpenRun::CLOSED`] | every free run | looks in the tree, opens the run found | (it has none) |
//! | unused | `start == next < end` | every free run | takes `[next, next + n)` | (it has none) |
//! | used | `start < next`, no hole | `[start, end)` as one run | takes `[next, next + n)` | at its end: lowers `next`; else makes the hole |
//! | with a hole | `start <= hole < hole_end < next` | `[start, end)` as one run | takes from the hole if it fits, else at `next` | next to the hole or at its end: joins them; else the run is closed first |
//!
//! Every other free joins its pages with the free pages before and after them in the tree; at once, unless its pages reach
//! into a second word or the tree is high.
//!
//! # Example
//!
//! A pool of 12 pages, in words of 4 bits, page 0 on the left (`#` in use, `.` free). The tree's values are those of words
//! 0, 1 and 2, and their maximum.
//!
//! | step | pages | words | maximum | open run |
//! | --- | --- | --- | ---: | --- |
//! | new map | `.... .... ....` | 12, 0, tag 0 | 12 | closed |
//! | allocate 3: page 0 | `###. .... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 3 |
//! | allocate 2: page 3 | `#### #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5 |
//! | free pages 0 to 2 | `...# #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5, hole `[0, 3)` |
//! | allocate 1: page 0 | `#..# #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5, hole `[1, 3)` |
//! | settle | `#..# #... ....` | 2, 7, tag 5 | 7 | closed |
//! | free pages 3 and 4 | `#... .... ....` | 11, 0, tag 1 | 11 | closed |
//!
//! At *settle*, word 0 keeps the run of 2 pages that begins at page 1, and word 1 gets the run of 7 that begins at page 5
//! and fills word 2: the tag there is 5. At the last step the freed pages join the runs on both sides: the run that began
//! at page 5 is gone from word 1.
//!
//! # Bounds
//!
//! Nothing here sleeps. Every call takes about log(pages) steps, and four instructions for each word of the request. So
//! does each stretch with the lock held; see [`PageMap::settle`] for how that is kept. A caller before which other callers
//! come time and again settles, after `PATIENCE` steps (see `pool::buffers`), the rest in one stretch, which then has up
//! to about 800 instructions.

pub(crate) mod bits;
mod open_run;
mod run_tree;
mod search;
#[cfg(test)]
mod tests;
mod usage;

pub use bits::{Span, change, differs, test};
pub use run_tree::{Node, Shape};
pub use search::Step;

use core::mem::replace;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::error::Error;
use crate::mem::bitmaps::Bitmaps;
use bits::{
    ALL, BITS, change_across, complement, differs_across, from_bit, leading_ones, leading_zeros, merge, trailing_zeros,
    word,
};
use open_run::OpenRun;
use run_tree::{Lowered, Rest, RunTree};
use usage::Usage;

/// The bitmap that C sees as `pool->map`.
pub const USED: usize = 0;
const STARTS: usize = 1;
/// The bitmap that the pool uses for its own purposes.
pub const OWN: usize = 2;

/// Pages that were allocated just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The first page.
    pub page: usize,
    /// The bits of all of them in the pool's own bitmap are what the call's argument `own` is made of.
    pub is_own: bool,
}

/// The pages of one pool.
///
/// The owner of a `&mut PageMap` holds the pool's lock.
pub struct PageMap {
    pages: usize,
    bits: Bitmaps,
    runs: RunTree,
    open: OpenRun,
    todo: Todo,
    usage: Usage,
}

/// A free run that is gone from a word, while the tree still has it.
struct Gone {
    word: usize,
    length: i32,
    /// A run of this length begins in the word now; zero if none is known.
    known: i32,
    /// The run that the pages of this one belong to now; empty if it is tagged already.
    joined: (usize, usize),
}

/// The result of one step of settling the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The map is settled, and nothing was done.
    Already,
    /// The map is settled since this step, and there is time left in this stretch for an allocation.
    Now,
    /// The lock must be released before anything else is done; then there may be more to settle.
    NotYet,
}

/// The levels of the tree that a stretch with the lock held goes up and down, if it does the work of a call and also changes
/// the tree. A level costs about 22 instructions up and 13 down on aarch64. So a pool of more than 65,536 pages, whose tree
/// has six levels, has a stretch for each of the two.
///
/// In test builds with few bits in a word, the tree of a small pool is as high as this, or higher, so that it does both.
const LEVELS: usize = match BITS {
    2 => 2,
    3 => 0,
    4 => 1,
    _ => 5,
};

/// What must be done before the tree is used again.
enum Todo {
    Nothing,
    /// The pages `[page, after)` are free, but not in the tree yet. They do not touch the open run.
    Add(usize, usize),
    /// The tree still has a run that is gone.
    Remove(Gone),
    /// A run was removed, but not from all levels of the tree.
    Lower(Rest),
}

/// More pages than one word has bits for.
pub const MANY: usize = BITS + 1;

/// The number of words that hold one bit for each of `pages` pages.
pub const fn words_for(pages: usize) -> usize {
    pages.div_ceil(BITS)
}

impl PageMap {
    /// A map of `pages` free pages; at least one, at most `i32::MAX`. The bitmaps are all zero and have as many words as
    /// [`words_for`] returns. `nodes` are zero, and as many as `shape` has.
    pub fn new(pages: usize, shape: Shape, bits: Bitmaps, nodes: &'static mut [Node]) -> Self {
        let mut map = PageMap {
            pages,
            bits,
            runs: RunTree::new(shape, nodes),
            open: OpenRun::CLOSED,
            todo: Todo::Nothing,
            usage: Usage::NONE,
        };
        map.runs.raise(0, pages as i32);
        map.tag(0, pages);
        map
    }

    /// The bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used(&self) -> &'static [AtomicUsize] {
        self.bits.words::<USED>()
    }

    /// The bitmap of first pages: bit `n` is set if an allocation begins at page `n`.
    pub fn starts(&self) -> &'static [AtomicUsize] {
        self.bits.words::<STARTS>()
    }

    /// Returns the most pages that were in use at once.
    pub fn peak(&self) -> usize {
        self.usage.peak()
    }

    /// Counts the pages in use. Needs no lock.
    pub fn used_pages(used: &[AtomicUsize]) -> usize {
        used.iter().map(|word| word.load(Relaxed).count_ones() as usize).sum()
    }

    /// The number of pages in the longest free run. The map must be [settled](Self::settle).
    pub fn longest_free(&self) -> usize {
        self.runs.longest()
    }

    // --- allocating ------------------------------------------------------------------------------------------------

    /// Allocates the lowest `count` contiguous free pages, if the open run can tell which these are. `count` is not zero. `own`
    /// is what [`Taken::is_own`] compares with.
    #[inline(always)]
    pub fn take(&mut self, count: usize, own: usize) -> Option<Taken> {
        let page = self.open.lowest(count)?;
        self.open.allocate(page, count);
        Some(self.mark_used(page, count, own))
    }

    /// Allocates as [`take`](Self::take) does, but only pages that lie in one word and are [`Taken::is_own`]. `None` does not
    /// mean that [`take`](Self::take) fails.
    #[inline(always)]
    pub fn take_in_word(&mut self, count: usize, own: usize) -> Option<usize> {
        let page = self.open.lowest(count)?;
        let bit = page % BITS;
        if count > BITS - bit {
            return None;
        }
        let mask = ALL >> (BITS - count) << bit;
        let is_taken = self.bits.at(page / BITS, false, |[used, starts, owned]| {
            let is_own = (owned.load(Relaxed) ^ own) & mask == 0;
            if is_own {
                merge(used, mask, ALL);
                merge(starts, 1 << bit, ALL);
            }
            is_own
        });
        if !is_taken {
            return None;
        }
        self.usage.allocate(count);
        self.open.allocate(page, count);
        Some(page)
    }

    /// Allocates as [`take_in_word`](Self::take_in_word) does, but [`MANY`] pages or more.
    #[inline(always)]
    pub fn take_across(&mut self, count: usize, own: usize) -> Option<usize> {
        let page = self.open.lowest(count)?;
        let (span, bits) = (Span::new(page, count), self.bits);
        if differs_across(bits.words::<OWN>(), span, own) {
            return None;
        }
        mark_start(&bits, page, ALL);
        change_across(bits.words::<USED>(), span, ALL);
        self.usage.allocate(count);
        self.open.allocate(page, count);
        Some(page)
    }

    /// Allocates the lowest `count` contiguous free pages; `None` if no run is long enough. The map must be
    /// [settled](Self::settle); the run from which the pages are taken becomes the open run. `count` is not zero. `own` is what
    /// [`Taken::is_own`] compares with.
    #[inline(always)]
    pub fn take_lowest(&mut self, count: usize, own: usize) -> Option<Taken> {
        let index = self.runs.first(count)?;
        let start = self.run_in_word(index, count);
        let end = self.run_end(start);
        // By the tree, `count` pages are free here. If they are not, C wrote to the bitmap: do not leave the pool.
        if start >= end || count > end - start {
            return None;
        }
        self.open = OpenRun::from_start(start, end, count);
        Some(self.mark_used(start, count, own))
    }

    // --- freeing ---------------------------------------------------------------------------------------------------

    /// Frees the allocation of `count` pages that begins at `page`, if it is the last that was taken from the open run and its
    /// pages lie in one word; returns whether it did. `count` is not zero. `page` need not be a page of the pool.
    #[inline(always)]
    pub fn give_back_in_word(&mut self, page: usize, count: usize) -> bool {
        let bit = page % BITS;
        if !self.open.is_last(page, count) || count > BITS - bit {
            return false;
        }
        self.open.free_last(page);
        self.usage.free(count);
        self.bits.at(page / BITS, (), |[used, starts, _]| {
            merge(used, ALL >> (BITS - count) << bit, 0);
            merge(starts, 1 << bit, 0);
        });
        true
    }

    /// Frees as [`give_back_in_word`](Self::give_back_in_word) does, [`MANY`] pages or more.
    #[inline(always)]
    pub fn give_back_across(&mut self, page: usize, count: usize) -> bool {
        let (span, bits) = (Span::new(page, count), self.bits);
        let is_last = self.open.is_last(page, count);
        if is_last {
            self.open.free_last(page);
            self.usage.free(count);
            mark_start(&bits, page, 0);
            change_across(bits.words::<USED>(), span, 0);
        }
        is_last
    }

    /// Frees the allocation of `count` pages that begins at `page`. Returns false, and changes nothing, if the map must be
    /// [settled](Self::settle) first.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no allocation begins at `page`, [`Error::WrongSize`] if it has another length.
    #[inline(always)]
    pub fn give_back(&mut self, page: usize, count: usize) -> Result<bool, Error> {
        self.check(page, count)?;
        let after = page + count;
        if self.open.has(page) {
            let is_done = self.open.give_back(page, after);
            if is_done {
                self.mark_free(page, count);
            }
            return Ok(is_done);
        }
        if self.has_work() || self.open.is_next_to(page, after) {
            return Ok(false);
        }
        if count <= BITS - page % BITS && self.has_time(0) {
            self.mark_free(page, count);
            self.add_freed(page, after);
        } else {
            // To put the pages into the tree as well would take too long in this stretch.
            self.mark_free(page, count);
            self.todo = Todo::Add(page, after);
            self.open.note(page, usize::MAX);
        }
        Ok(true)
    }

    /// Puts the free pages `[page, after)` into the tree, as one run with the free pages before and after them. They do
    /// not touch the open run. Returns how many levels of the tree changed.
    #[inline(never)]
    fn add_freed(&mut self, page: usize, after: usize) -> usize {
        let (start, end) = (self.run_start(page), self.run_end(after));
        let (index, index_after) = (start / BITS, after / BITS);
        self.open.note(start, end);
        let levels = self.runs.raise(index, (end - start) as i32);
        if end != after && index_after != index {
            // A run began at `after`, and does not any more.
            let gone = Gone { word: index_after, length: (end - after) as i32, known: 0, joined: (start, end) };
            if self.has_time(levels) {
                return levels + self.remove(gone);
            }
            self.todo = Todo::Remove(gone);
        } else {
            self.tag(start, end);
        }
        levels
    }

    /// Checks that an allocation of `count` pages begins at `page`.
    #[inline(always)]
    pub fn check(&self, page: usize, count: usize) -> Result<(), Error> {
        let bit = page % BITS;
        let (begins, others) = self.bits.at(page / BITS, (0, 0), |[used, starts, _]| {
            let (used, starts) = (used.load(Relaxed), starts.load(Relaxed));
            (used & starts, used & !starts)
        });
        if begins >> bit & 1 == 0 {
            return Err(Error::NotAllocated);
        }
        // The other pages of an allocation are in use, and no allocation begins there.
        let length = 1 + (others >> bit >> 1).trailing_ones() as usize;
        if bit + length == BITS {
            return self.check_many(page, count);
        }
        if length == count { Ok(()) } else { Err(Error::WrongSize) }
    }

    /// Checks that the allocation that begins at `page` and reaches the end of its word has `count` pages.
    #[inline(never)]
    fn check_many(&self, page: usize, count: usize) -> Result<(), Error> {
        // It ends there; no other begins within, and the last page is in use: so all of them belong to this one.
        let after = page.wrapping_add(count);
        let does_end = || {
            self.bits.at(after / BITS, true, |[used, starts, _]| {
                used.load(Relaxed) & !starts.load(Relaxed) & 1 << (after % BITS) == 0
            })
        };
        if page < after
            && after <= self.pages
            && does_end()
            && test(self.used(), after - 1)
            && (count == 1 || !differs(self.starts(), Span::new(page + 1, count - 1), 0))
        {
            return Ok(());
        }
        Err(Error::WrongSize)
    }

    // --- settling --------------------------------------------------------------------------------------------------

    /// Does one step of what is left to do until the tree has exactly the free runs and no run is open.
    #[inline(never)]
    pub fn settle(&mut self) -> Settled {
        let levels = if self.has_work() {
            match replace(&mut self.todo, Todo::Nothing) {
                Todo::Nothing => 0,
                Todo::Add(page, after) => self.add_freed(page, after),
                Todo::Remove(gone) => self.remove(gone),
                Todo::Lower(rest) => {
                    let lowered = self.runs.lower_rest(rest);
                    self.keep_rest(lowered)
                }
            }
        } else if self.open.is_used() {
            self.close()
        } else {
            self.open = OpenRun::CLOSED;
            return Settled::Already;
        };
        let is_settled = !self.has_work() && !self.open.is_used();
        if is_settled && self.has_time(levels) { Settled::Now } else { Settled::NotYet }
    }

    /// Whether something must be done before the tree is used again, besides closing the open run.
    fn has_work(&self) -> bool {
        !matches!(self.todo, Todo::Nothing)
    }

    /// Whether a stretch with the lock held in which `levels` levels of the tree changed may do more work in the tree.
    fn has_time(&self, levels: usize) -> bool {
        levels + self.runs.levels() <= LEVELS
    }

    /// Removes a run from the tree. Returns how many levels of the tree changed.
    #[inline(always)]
    fn remove(&mut self, gone: Gone) -> usize {
        let index = gone.word;
        let known = gone.known.max(self.open.length_in(index));
        let longest = self.longest_beginning_in(index).max(known);
        let lowered = self.runs.lower(index, gone.length, longest);
        // Only now: the word of the tag may be the one whose value was just changed.
        let (start, end) = gone.joined;
        self.tag(start, end);
        self.keep_rest(lowered)
    }

    /// Keeps what is left to do in the tree for the next step. Returns how many levels changed.
    #[inline(always)]
    fn keep_rest(&mut self, lowered: Lowered) -> usize {
        if let Some(rest) = lowered.rest {
            self.todo = Todo::Lower(rest);
        }
        lowered.levels
    }

    /// Closes the open run: puts what is left of it into the tree. Returns how many levels of the tree changed.
    #[inline(always)]
    fn close(&mut self) -> usize {
        let OpenRun { start, next, end, hole, hole_end, .. } = self.open;
        self.open = OpenRun::CLOSED;
        let index = start / BITS;
        let mut gone = Gone { word: index, length: (end - start) as i32, known: 0, joined: (0, 0) };
        let mut levels = 0;
        for (from, to) in [(next, end), (hole, hole_end)] {
            if from < to {
                let length = (to - from) as i32;
                if from / BITS == index {
                    gone.known = gone.known.max(length);
                } else {
                    levels += self.runs.raise(from / BITS, length);
                }
                self.tag(from, to);
            }
        }
        if self.has_time(levels) {
            return levels + self.remove(gone);
        }
        // To remove the run as well would take too long in this stretch.
        self.todo = Todo::Remove(gone);
        levels
    }

    // --- bits ------------------------------------------------------------------------------------------------------

    /// Marks the pages of an allocation as used, and counts them.
    #[inline(always)]
    fn mark_used(&mut self, page: usize, count: usize, own: usize) -> Taken {
        self.usage.allocate(count);
        let bit = page % BITS;
        if count > BITS - bit {
            return self.mark_many_used(page, count, own);
        }
        let mask = ALL >> (BITS - count) << bit;
        let is_own = self.bits.at(page / BITS, false, |[used, starts, owned]| {
            merge(used, mask, ALL);
            merge(starts, 1 << bit, ALL);
            (owned.load(Relaxed) ^ own) & mask == 0
        });
        Taken { page, is_own }
    }

    /// Marks the pages of an allocation that does not end in its first word as used.
    #[inline(never)]
    fn mark_many_used(&self, page: usize, count: usize, own: usize) -> Taken {
        mark_start(&self.bits, page, ALL);
        let span = Span::new(page, count);
        change(self.used(), span, ALL);
        Taken { page, is_own: !differs(self.bits.words::<OWN>(), span, own) }
    }

    /// Marks the pages of an allocation as free, and counts them.
    #[inline(always)]
    fn mark_free(&mut self, page: usize, count: usize) {
        self.usage.free(count);
        let bit = page % BITS;
        if count > BITS - bit {
            return self.mark_many_free(page, count);
        }
        self.bits.at(page / BITS, (), |[used, starts, _]| {
            merge(used, ALL >> (BITS - count) << bit, 0);
            merge(starts, 1 << bit, 0);
        });
    }

    /// Marks the pages of an allocation that does not end in its first word as free.
    #[inline(never)]
    fn mark_many_free(&self, page: usize, count: usize) {
        mark_start(&self.bits, page, 0);
        change(self.used(), Span::new(page, count), 0);
    }

    /// Records in the tree where the run `[start, end)` begins, if it fills a word after the one in which it begins.
    #[inline(always)]
    fn tag(&mut self, start: usize, end: usize) {
        if end / BITS > start / BITS + 1 {
            self.runs.tag(end / BITS - 1, start);
        }
    }

    /// The first page of the lowest run of at least `count` pages that begins in word `index`. There is one.
    #[inline(always)]
    fn run_in_word(&self, index: usize, count: usize) -> usize {
        let free = complement(self.used(), index);
        // Bits from which on `count` pages are free within this word. Each step halves what is still to be looked at.
        let mut begins = 0;
        if count <= BITS {
            begins = free;
            let mut more = count;
            while more > 1 {
                begins &= begins >> (more / 2);
                more -= more / 2;
            }
        }
        // If there is none, it is the run that leaves the word. The bits after the pool's last page are clear and lengthen
        // its last run; that does not matter, as by the tree the wanted run is this one or before it.
        let start = if begins != 0 { trailing_zeros(begins) } else { BITS - leading_ones(free) };
        index * BITS + start
    }

    /// The length of the longest free run that begins in word `index`, from the bitmap; zero if none begins there. A run
    /// that goes on after the next word counts only as far as that.
    ///
    /// Asked for after a run that began in the word is gone, which was the longest there. At most one other run leaves the
    /// word: it was no longer, and if the run that is gone did not leave the word, it had less than `BITS` pages. So the
    /// other one ends in the next word.
    #[inline(always)]
    fn longest_beginning_in(&self, index: usize) -> i32 {
        let mut free = complement(self.used(), index);
        // Free pages at the bottom that continue a run of the word before did not begin here.
        if word(self.used(), index.wrapping_sub(1)) >> (BITS - 1) == 0 {
            free &= free.wrapping_add(1);
        }
        let leaving = leading_ones(free);
        let mut length = 0;
        if leaving != 0 {
            let after = (index + 1) * BITS;
            let end = after + trailing_zeros(word(self.used(), after / BITS));
            // The bits after the last page are clear.
            length = (end.min(self.pages) + leaving).saturating_sub(after);
            free &= !from_bit(after - leaving);
        }
        length.max(longest_run(free)) as i32
    }

    /// The page after the free run that begins at `page`, as the tree has it; `page` if it is in use.
    #[inline(always)]
    fn run_end(&self, page: usize) -> usize {
        let index = page / BITS;
        let used = word(self.used(), index) & from_bit(page);
        let end = if used != 0 { index * BITS + trailing_zeros(used) } else { self.end_of_leaving(page) };
        // The bits after the last page are clear.
        end.min(self.pages)
    }

    /// The page after the free run that begins at `page` and leaves that page's word.
    #[inline(never)]
    fn end_of_leaving(&self, page: usize) -> usize {
        let index = page / BITS;
        let longest = self.runs.value(index);
        // A run of `BITS` pages or more leaves the word in which it begins, and only one run does.
        if longest >= BITS as i32 {
            return page + longest as usize;
        }
        (index + 1) * BITS + trailing_zeros(word(self.used(), index + 1))
    }

    /// The first page of the free run that ends before `page`; `page` if the page before it is in use.
    #[inline(always)]
    fn run_start(&self, page: usize) -> usize {
        let index = page / BITS;
        let used = word(self.used(), index) & !from_bit(page);
        if used != 0 {
            return (index + 1) * BITS - leading_zeros(used);
        }
        let Some(before) = index.checked_sub(1) else { return 0 };
        let used = word(self.used(), before);
        if used != 0 {
            return index * BITS - leading_zeros(used);
        }
        // `before` is the last word that the run fills.
        self.runs.tagged_start(before).map_or(before * BITS, |start| start.min(page))
    }
}

/// Marks `page` as the first page of an allocation, if `value` is all ones, or not, if it is zero.
#[inline(always)]
fn mark_start(bits: &Bitmaps, page: usize, value: usize) {
    bits.at(page / BITS, (), |[_, starts, _]| merge(starts, 1 << (page % BITS), value));
}

/// The longest run of ones in `word`.
#[inline(always)]
fn longest_run(word: usize) -> usize {
    let (mut begins, mut length) = (word, 0);
    // Each step takes what is left of each run eight shorter, as long as there is one of eight.
    loop {
        let two = begins & begins >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        if eight == 0 {
            break;
        }
        begins = eight & eight >> 1;
        length += 8;
    }
    while begins != 0 {
        begins &= begins >> 1;
        length += 1;
    }
    length
}
