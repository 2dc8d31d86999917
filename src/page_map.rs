//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! Kept for each page, all told less than 4 bits:
//!
//! * `used`: the bitmap that C sees as `pool->map`, and the truth;
//! * `starts`: where each allocation begins, so that a wrong size, an address inside a buffer and a second free are told
//!   from a good free. No allocation begins at a free page; so a free run that fills two words or more keeps its end in
//!   the first of them, and its start in the last (Knuth's boundary tags), and none is ever walked;
//! * the [`RunTree`] over the free runs, which finds the lowest that is long enough, or says that there is none.
//!
//! Pages are taken from one run after the other: the [`OpenRun`]. While that goes on, and while what was taken from it
//! comes back in order, the tree and the tags are not touched: that is left to the next call that needs them
//! ([`PageMap::settle`]).
//!
//! Nothing here sleeps, and every call is bounded: about log(pages), and four instructions for each word of the request.

mod aligned;
mod bits;
mod open_run;
mod run_tree;
#[cfg(test)]
mod tests;

pub use aligned::Step;
pub use bits::{Span, test};

use core::mem::{size_of, take};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::kernel::heap::Tail;
use bits::{BITS, from_bit, set_bit, set_word, word};
use open_run::OpenRun;
use run_tree::{Node, RunTree, nodes_for};

/// Why pages cannot be given back. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeError {
    /// No allocation begins at that page: it is free already, lies inside one, or past the end.
    NotAllocated,
    /// An allocation begins there, but has another length.
    WrongSize,
}

/// No page, and no word.
const NOWHERE: usize = usize::MAX;

/// The pages of one pool.
pub struct PageMap {
    pages: usize,
    used: &'static [AtomicUsize],
    starts: &'static [AtomicUsize],
    runs: RunTree,
    open: OpenRun,
    /// Pages that were given back, but are no part of a run yet.
    freed: (usize, usize),
    /// Words whose figure in the tree may be wrong by now, or [`NOWHERE`].
    stale: [usize; 3],
}

/// Words that hold `bits` bits.
pub const fn words_for(bits: usize) -> usize {
    bits.div_ceil(BITS)
}

/// Bytes that [`PageMap::new`] takes from its [`Tail`] for a pool of `pages` pages.
pub fn bytes_for(pages: usize) -> usize {
    let words = words_for(pages);
    2 * words * size_of::<usize>() + nodes_for(words) * size_of::<Node>()
}

impl PageMap {
    /// A map of `pages` free pages; at least one, at most `u32::MAX`. Its memory comes from `tail`.
    pub fn new(pages: usize, tail: &mut Tail) -> Self {
        let words = words_for(pages);
        let mut map = PageMap {
            pages,
            used: tail.slice(words),
            starts: tail.slice(words),
            runs: RunTree::new(tail.slice(nodes_for(words)), words),
            open: OpenRun::NONE,
            freed: (0, 0),
            stale: [NOWHERE; 3],
        };
        map.runs.set(0, pages as u32);
        map.tag(0, pages, 0, pages);
        map
    }

    /// The bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used_words(&self) -> &'static [AtomicUsize] {
        self.used
    }

    /// Pages in use: counts them, and needs no lock.
    pub fn used_pages(used: &[AtomicUsize]) -> usize {
        used.iter().map(|word| word.load(Relaxed).count_ones() as usize).sum()
    }

    /// Pages in the longest free run. The map must be [settled](Self::settle).
    pub fn longest_free(&self) -> usize {
        self.runs.longest() as usize
    }

    /// Opens the lowest free run of `count` pages or more, so that [`take_next`](Self::take_next) takes them; false if
    /// there is none. The map must be [settled](Self::settle). `count` is not zero.
    pub fn open_lowest(&mut self, count: usize) -> bool {
        let Some(index) = u32::try_from(count).ok().and_then(|length| self.runs.first(length)) else { return false };
        let start = self.run_in_word(index, count);
        let end = self.run_end(start);
        self.tag(start, end, 0, 0);
        self.open.set(start, end, count);
        true
    }

    /// Gives back the allocation of `count` pages that begins at `page`. The map must be [settled](Self::settle).
    pub fn give_back(&mut self, page: usize, count: usize) -> Result<(), FreeError> {
        self.check(page, count)?;
        Span::new(page, count).change(self.used, 0);
        set_bit(self.starts, page, 0);
        self.freed = (page, page + count);
        Ok(())
    }

    /// Makes one run of the pages `[page, after)`, which were given back, and the two beside them.
    fn merge(&mut self, page: usize, after: usize) {
        let (start, end) = (self.run_start(page), self.run_end(after));
        self.tag(start, page, 0, 0);
        self.tag(after, end, 0, 0);
        self.tag(start, end, start, end);
        self.stale = [start / BITS, word_of_run(after, end), NOWHERE];
    }

    /// Whether an allocation of `count` pages begins at `page`.
    pub fn check(&self, page: usize, count: usize) -> Result<(), FreeError> {
        if page >= self.pages || !test(self.used, page) || !test(self.starts, page) {
            return Err(FreeError::NotAllocated);
        }
        // It ends there; no other begins within, and the last page is in use: so all of them belong to this one.
        let after = page.wrapping_add(count);
        let is_within = count != 0 && count <= self.pages - page;
        let ends_there = || after == self.pages || !test(self.used, after) || test(self.starts, after);
        if is_within && ends_there() && test(self.used, after - 1) && Span::new(page, count).is_first_only(self.starts)
        {
            Ok(())
        } else {
            Err(FreeError::WrongSize)
        }
    }

    /// Does one part of what earlier calls left to do in the tree and the tags; false if there is nothing.
    ///
    /// Whoever holds the pool's lock lets it go in between: so that each stretch with the lock held is short.
    #[inline(always)]
    pub fn settle(&mut self) -> bool {
        let [first, second, third] = self.stale;
        // All ones, all of them.
        let is_settled = self.open.end == 0 && self.freed.1 == 0 && first & second & third == NOWHERE;
        if !is_settled {
            self.settle_part();
        }
        !is_settled
    }

    #[inline(never)]
    fn settle_part(&mut self) {
        if self.open.end != 0 {
            let OpenRun { start, next, end, ref hole, .. } = self.open;
            let hole = hole.clone();
            self.tag(next, end, next, end);
            self.tag(hole.start, hole.end, hole.start, hole.end);
            if next != start {
                self.stale = [start / BITS, word_of_run(hole.start, hole.end), word_of_run(next, end)];
            }
            self.open.set(0, 0, 0);
            return;
        }
        if self.freed.1 != 0 {
            let (page, after) = take(&mut self.freed);
            self.merge(page, after);
            return;
        }
        let [first, second, third] = self.stale;
        self.stale = [second, third, NOWHERE];
        if first != second && first != NOWHERE {
            self.runs.set(first, self.longest_beginning_in(first));
        }
    }

    /// The free pages of word `index`, as bits.
    #[inline(always)]
    fn free_in(&self, index: usize) -> usize {
        let free = !word(self.used, index);
        if index == self.pages / BITS { free & !from_bit(self.pages) } else { free }
    }

    /// Where the lowest run of at least `count` pages begins in the word that [`RunTree::first`] named.
    #[inline(always)]
    fn run_in_word(&self, index: usize, count: usize) -> usize {
        let free = self.free_in(index);
        let mut begins = if count <= BITS { free } else { 0 };
        // `begins` has the bits with `reach` free pages from there on, within this word.
        let mut reach = 1;
        while reach <= count / 2 && begins != 0 {
            begins &= begins >> reach;
            reach *= 2;
        }
        if begins != 0 {
            begins &= begins >> (count - reach);
        }
        // None within the word: it is the run that leaves it.
        let start = if begins != 0 { begins.trailing_zeros() } else { BITS as u32 - free.leading_ones() };
        index * BITS + start as usize
    }

    /// The longest free run that begins in word `index`, counted from the bitmap; zero if none does.
    fn longest_beginning_in(&self, index: usize) -> u32 {
        let mut free = self.free_in(index);
        // Pages at the bottom that go on a run of the word before began there.
        if index != 0 && word(self.used, index - 1) >> (BITS - 1) == 0 {
            free &= free.wrapping_add(1);
        }
        let leaving = free.leading_ones();
        let start = (index + 1) * BITS - leaving as usize;
        let length = if leaving != 0 { (self.run_end(start) - start) as u32 } else { 0 };
        if length >= BITS as u32 {
            // No other has room in the word to be longer.
            return length;
        }
        length.max(longest_run(free.checked_shl(leaving).unwrap_or(0)))
    }

    /// Writes into the first word that the free run `[from, to)` fills where a run ends, and into the last where it
    /// starts, if it fills two; zeros wipe them out.
    fn tag(&self, from: usize, to: usize, start: usize, end: usize) {
        let (first, after) = (from.div_ceil(BITS), to / BITS);
        if after >= first + 2 {
            set_word(self.starts, first, end);
            set_word(self.starts, after - 1, start);
        }
    }

    /// Where the free run that begins at `page` ends; `page` if none does.
    #[inline(never)]
    fn run_end(&self, page: usize) -> usize {
        let mut index = page / BITS;
        let within = page % BITS;
        if within != 0 {
            let end = page + (self.free_in(index) >> within).trailing_ones() as usize;
            if !end.is_multiple_of(BITS) {
                return end;
            }
            index += 1;
        }
        let first = index;
        loop {
            let free = self.free_in(index).trailing_ones() as usize;
            if free < BITS {
                return index * BITS + free;
            }
            if index != first {
                return word(self.starts, first);
            }
            index += 1;
        }
    }

    /// Where the free run that ends before `page` begins; `page` if the page before it is in use.
    #[inline(always)]
    fn run_start(&self, page: usize) -> usize {
        let mut index = page / BITS;
        let below = word(self.used, index) & !from_bit(page);
        if below != 0 {
            return index * BITS + BITS - below.leading_zeros() as usize;
        }
        let last = index;
        loop {
            let Some(before) = index.checked_sub(1) else { return 0 };
            let used = word(self.used, before);
            if used != 0 {
                return index * BITS - used.leading_zeros() as usize;
            }
            if index != last {
                return word(self.starts, last - 1);
            }
            index = before;
        }
    }
}

/// The word in which the run `[start, end)` begins, if there is one.
fn word_of_run(start: usize, end: usize) -> usize {
    if start == end { NOWHERE } else { start / BITS }
}

/// The longest run of ones in `word`.
#[inline(always)]
fn longest_run(word: usize) -> u32 {
    // `shrunk` has a bit for each place where `length` ones begin. Doubling goes on while it can; then halves find the rest.
    let mut shrunk = word;
    let mut length = 0;
    if shrunk != 0 {
        length = 1;
        let mut step = 1;
        while length < BITS as u32 && shrunk & (shrunk >> step) != 0 {
            shrunk &= shrunk >> step;
            length += step;
            step = length;
        }
        while step > 1 {
            step /= 2;
            if shrunk & (shrunk >> step) != 0 {
                shrunk &= shrunk >> step;
                length += step;
            }
        }
    }
    length
}
