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
pub use run_tree::{Node, Shape};

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::error::Error;
use bits::{BITS, from_bit, set_bit, set_word, up_to_bit, word};
use open_run::OpenRun;
use run_tree::RunTree;

/// The pages of one pool.
pub struct PageMap {
    pages: usize,
    used: &'static [AtomicUsize],
    starts: &'static [AtomicUsize],
    runs: RunTree,
    open: OpenRun,
    /// Pages that are free, but no part of a run yet: the first, and the one behind the last, or zero.
    freed: [(usize, usize); 2],
    /// Words whose figure in the tree may be wrong by now: their numbers plus one, or zero.
    stale: [usize; 3],
}

/// Words that hold a bit for each of `pages` pages.
pub const fn words_for(pages: usize) -> usize {
    pages.div_ceil(BITS)
}

impl PageMap {
    /// A map of `pages` free pages; at least one, at most `u32::MAX`. Of the two slices, all zero, each has as many words
    /// as [`words_for`] says, and `nodes` as many nodes as the shape.
    #[inline(always)]
    pub fn new(
        pages: usize,
        shape: Shape,
        used: &'static [AtomicUsize],
        starts: &'static [AtomicUsize],
        nodes: &'static mut [Node],
    ) -> Self {
        PageMap {
            pages,
            used,
            starts,
            runs: RunTree::new(shape, nodes),
            open: OpenRun::NONE,
            // The first call that needs them makes a run of them.
            freed: [(0, pages), (0, 0)],
            stale: [0; 3],
        }
    }

    /// The bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used_words(&self) -> &'static [AtomicUsize] {
        self.used
    }

    /// Pages in use: counts them, and needs no lock.
    pub fn used_pages(used: &[AtomicUsize]) -> usize {
        let (mut count, mut rest) = (0, used);
        while let [word, after @ ..] = rest {
            count += word.load(Relaxed).count_ones() as usize;
            rest = after;
        }
        count
    }

    /// Pages in the longest free run. The map must be [settled](Self::settle).
    pub fn longest_free(&self) -> usize {
        self.runs.longest()
    }

    /// Opens the lowest free run of `count` pages or more, so that [`take_next`](Self::take_next) takes them; false if
    /// there is none. The map must be [settled](Self::settle). `count` is not zero.
    pub fn open_lowest(&mut self, count: usize) -> bool {
        let Some(index) = self.runs.first(count) else { return false };
        let start = self.run_in_word(index, count);
        let end = self.run_end(start);
        self.tag(start, end, 0);
        self.open.set(start, end, count);
        true
    }

    /// Gives back the allocation of `count` pages that begins at `page`; false, and nothing changed, if the map must be
    /// [settled](Self::settle) first.
    pub fn give_back(&mut self, page: usize, count: usize) -> Result<bool, Error> {
        let is_open = self.open.has(page);
        if !is_open && !self.is_settled() {
            return Ok(false);
        }
        self.check(page, count)?;
        if !is_open {
            self.freed = [(page, page + count), (0, 0)];
        } else if !self.open.give_back(page, page + count) {
            return Ok(false);
        }
        self.mark(page, count, 0);
        Ok(true)
    }

    /// Makes the bits of an allocation what `value` is made of.
    #[inline(never)]
    fn mark(&self, page: usize, count: usize, value: usize) {
        Span::new(page, count).change_many(self.used, value);
        set_bit(self.starts, page, value);
    }

    /// Whether an allocation of `count` pages begins at `page`.
    pub fn check(&self, page: usize, count: usize) -> Result<(), Error> {
        if !test(self.used, page) || !test(self.starts, page) {
            return Err(Error::NotAllocated);
        }
        // It ends there; no other begins within, and the last page is in use: so all of them belong to this one.
        let after = page.wrapping_add(count);
        if page < after
            && after <= self.pages
            && (!test(self.used, after) || test(self.starts, after))
            && test(self.used, after - 1)
            && Span::new(page, count).is_first_only(self.starts)
        {
            return Ok(());
        }
        Err(Error::WrongSize)
    }

    /// Whether [`settle`](Self::settle) has nothing to do.
    fn is_settled(&self) -> bool {
        self.open.end | self.stale[0] | self.freed[0].1 == 0
    }

    /// Does one part of what earlier calls left to do in the tree and the tags; false if there is nothing.
    ///
    /// Whoever holds the pool's lock lets it go in between: so that each stretch with the lock held is short.
    pub fn settle(&mut self) -> bool {
        let [(page, after), freed] = self.freed;
        let [a, b, c] = self.stale;
        if self.open.end != 0 {
            // What is left of it is as if it were given back.
            self.freed = [(self.open.next, self.open.end), self.open.hole];
            self.stale[0] = self.open.start / BITS + 1;
            self.open.close();
        } else if after != 0 {
            self.freed = [freed, (0, 0)];
            // One run of these pages and the two beside them.
            let (start, end) = (self.run_start(page), self.run_end(after));
            self.tag(start, page, 0);
            self.tag(after, end, 0);
            self.tag(start, end, usize::MAX);
            // If there was one behind, the pages were an allocation's, and nothing else is stale.
            self.stale = [start / BITS + 1, if end == after { a } else { after / BITS + 1 }, b];
        } else if a != 0 {
            self.stale = [b, c, 0];
            self.runs.set(a - 1, self.longest_beginning_in(a - 1));
        } else {
            return false;
        }
        true
    }

    /// Where the lowest run of at least `count` pages begins in the word that [`RunTree::first`] named.
    #[inline(always)]
    fn run_in_word(&self, index: usize, count: usize) -> usize {
        let free = !word(self.used, index);
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
        // None within the word: it is the run that leaves it. Bits behind the last page do not matter: what they add to is
        // the last run of all, and the one that is looked for is that one, or lies before it.
        let start = if begins != 0 { begins.trailing_zeros() } else { BITS as u32 - free.leading_ones() };
        index * BITS + start as usize
    }

    /// The longest free run that begins in word `index`, counted from the bitmap; zero if none does.
    fn longest_beginning_in(&self, index: usize) -> u32 {
        let Some(used) = self.used.get(index) else { return 0 };
        let mut free = !used.load(Relaxed);
        // Pages at the bottom that go on a run of the word before began there.
        if self.used.get(index.wrapping_sub(1)).is_some_and(|before| before.load(Relaxed) >> (BITS - 1) == 0) {
            free &= free.wrapping_add(1);
        }
        let leaving = free.leading_ones();
        let mut length = 0;
        if leaving != 0 {
            let start = (index + 1) * BITS - leaving as usize;
            length = (self.run_end(start) - start) as u32;
        }
        // One of so many pages leaves no room in the word for a longer one.
        if length < BITS as u32 { length.max(longest_run(free.checked_shl(leaving).unwrap_or(0))) } else { length }
    }

    /// Writes into the first word that the free run `[start, end)` fills where it ends, and into the last where it
    /// starts, if it fills two; both times with no bits but those of `mask`, so that zero wipes them out.
    #[inline(never)]
    fn tag(&self, start: usize, end: usize, mask: usize) {
        let (first, after) = (start.div_ceil(BITS), end / BITS);
        if after >= first + 2 {
            set_word(self.starts, first, end & mask);
            set_word(self.starts, after - 1, start & mask);
        }
    }

    /// Where the free run that begins at `page` ends; `page` if none does.
    #[inline(never)]
    fn run_end(&self, page: usize) -> usize {
        let first = page.div_ceil(BITS);
        let mut index = page / BITS;
        let mut mask = from_bit(page);
        while let Some(word) = self.used.get(index) {
            let used = word.load(Relaxed) & mask;
            if used != 0 {
                return index * BITS + used.trailing_zeros() as usize;
            }
            // The second word that it fills: the first has the end. The pool's last may be filled only in part.
            if index > first && index != self.pages / BITS {
                return self.starts.get(first).map_or(0, |end| end.load(Relaxed));
            }
            mask = usize::MAX;
            index += 1;
        }
        self.pages
    }

    /// Where the free run that ends before `page` begins; `page` if the page before it is in use.
    fn run_start(&self, page: usize) -> usize {
        let before = page.wrapping_sub(1);
        let after = page / BITS;
        let mut index = before / BITS;
        let mut mask = up_to_bit(before);
        while let Some(word) = self.used.get(index) {
            let used = word.load(Relaxed) & mask;
            if used != 0 {
                return (index + 1) * BITS - used.leading_zeros() as usize;
            }
            // The second word from the end that it fills: the last has the start.
            if index + 2 <= after {
                return self.starts.get(after - 1).map_or(0, |start| start.load(Relaxed));
            }
            mask = usize::MAX;
            index = index.wrapping_sub(1);
        }
        0
    }
}

/// The longest run of ones in `word`.
fn longest_run(word: usize) -> u32 {
    if word == 0 || word == usize::MAX {
        return (word & BITS) as u32;
    }
    // `shrunk` has a bit for each place where `length` ones begin. Doubling goes on while it can; then halves find the rest.
    let (mut shrunk, mut length) = (word, 1);
    loop {
        let twice = shrunk & shrunk.wrapping_shr(length);
        if twice == 0 {
            break;
        }
        shrunk = twice;
        length *= 2;
    }
    let mut step = length / 2;
    while step != 0 {
        let longer = shrunk & shrunk.wrapping_shr(step);
        if longer != 0 {
            shrunk = longer;
            length += step;
        }
        step /= 2;
    }
    length
}
