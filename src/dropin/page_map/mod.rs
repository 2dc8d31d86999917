//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! Kept for each page, all told 3.67 bits where a word has 64, 4.33 where it has 32:
//!
//! * `used`: the bitmap that C sees as `pool->map`, and the truth;
//! * `starts`: where each allocation begins, so that a wrong size, an address inside a buffer and a second free are told
//!   from a good free. No allocation begins at a free page;
//! * one bit that the pool uses as it likes;
//! * the [`RunTree`] over the free runs, which finds the lowest that is long enough, or says that there is none, and knows
//!   of a long one where it begins and where it ends: so none is ever walked.
//!
//! Pages are taken from one run after the other: the [`OpenRun`]. While that goes on, and while what was taken from it
//! comes back in order, the tree is not touched: that is left to the next call that needs it ([`PageMap::settle`]).
//!
//! Nothing here sleeps, and every call is bounded: about log(pages), and four instructions for each word of the request.
//! So is each stretch with the lock held, for a caller whom others come before time and again as well: it settles what
//! they left one part at a time, but after `PATIENCE` parts (see `pool::buffers`) all of the rest in one stretch, which is
//! longer then: about 1,000 instructions.

mod bits;
mod open_run;
mod run_tree;
mod search;
#[cfg(test)]
mod tests;

pub use bits::{Span, change, differs_in_many, test};
pub use run_tree::{Node, Shape};
pub use search::Step;

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::error::Error;
use crate::mem::bitmaps::Bitmaps;
use bits::{BITS, from_bit, merge, word};
use open_run::OpenRun;
use run_tree::RunTree;

/// Which of the three bitmaps is which.
pub const USED: usize = 0;
const STARTS: usize = 1;
/// The pool's own.
pub const OWN: usize = 2;

/// The pages of one pool.
pub struct PageMap {
    pages: usize,
    bits: Bitmaps,
    runs: RunTree,
    open: OpenRun,
    /// A word's number plus one, or zero; and the longest run that begins in it, which the tree does not know yet.
    due: (usize, i32),
}

/// Words that hold a bit for each of `pages` pages.
pub const fn words_for(pages: usize) -> usize {
    pages.div_ceil(BITS)
}

impl PageMap {
    /// A map of `pages` free pages; at least one, at most `i32::MAX`. The bitmaps, all zero, have as many words as
    /// [`words_for`] says, and `nodes` are as many as the shape says.
    #[inline(always)]
    pub fn new(pages: usize, shape: Shape, bits: Bitmaps, nodes: &'static mut [Node]) -> Self {
        PageMap {
            pages,
            bits,
            runs: RunTree::new(shape, nodes),
            // The first call that needs them makes a run of them.
            open: OpenRun::closed(pages),
            due: (0, 0),
        }
    }

    /// The bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used(&self) -> &'static [AtomicUsize] {
        self.bits.words::<USED>()
    }

    fn starts(&self) -> &'static [AtomicUsize] {
        self.bits.words::<STARTS>()
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

    /// Takes the lowest run of `count` free pages and says at which page: opens the run in which they lie. The map must be
    /// [settled](Self::settle). `count` is not zero.
    #[inline(always)]
    pub fn take_lowest(&mut self, count: usize) -> Option<usize> {
        let (index, longest) = self.runs.first(count)?;
        let start = self.run_in_word(index, count);
        let end = self.run_end(start, longest);
        // Only where C wrote to the bitmap it disagrees with the tree. Then these pages may lie past the pool's end.
        if start >= end || count > end - start {
            return None;
        }
        self.open.open(start, end, count);
        self.mark_many(start, count, usize::MAX);
        Some(start)
    }

    /// Gives back the allocation of `count` pages that begins at `page`; false, and nothing changed, if the map must be
    /// [settled](Self::settle) first, and `is_settled` does not say that it is.
    #[inline(always)]
    pub fn give_back(&mut self, page: usize, count: usize, is_settled: bool) -> Result<bool, Error> {
        self.check(page, count)?;
        if !is_settled && !self.open.has(page) {
            return Ok(false);
        }
        // In a settled map no run is open, and nothing is left of the one that was: these pages become the hole of it.
        if !self.open.give_back(page, page + count) {
            return Ok(false);
        }
        self.mark_many(page, count, 0);
        Ok(true)
    }

    /// Makes the pages of an allocation used, as `value` says: all ones, or zero.
    #[inline(always)]
    fn mark(&self, page: usize, count: usize, value: usize) {
        if count != 1 {
            return self.mark_many(page, count, value);
        }
        let bit = 1 << (page % BITS);
        self.bits.at(page / BITS, (), |[used, starts, _]| {
            merge(used, bit, value);
            merge(starts, bit, value);
        });
    }

    /// The same, for more than one page as a rule.
    #[inline(never)]
    fn mark_many(&self, page: usize, count: usize, value: usize) {
        self.bits.at(page / BITS, (), |[_, starts, _]| merge(starts, 1 << (page % BITS), value));
        change(self.used(), Span::new(page, count), value);
    }

    /// Whether an allocation of `count` pages begins at `page`.
    #[inline(never)]
    pub fn check(&self, page: usize, count: usize) -> Result<(), Error> {
        let is_begun = self.bits.at(page / BITS, false, |[used, starts, _]| {
            used.load(Relaxed) & starts.load(Relaxed) & 1 << (page % BITS) != 0
        });
        if !is_begun {
            return Err(Error::NotAllocated);
        }
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
            && (count == 1 || !differs_in_many(self.starts(), Span::new(page + 1, count - 1), 0))
        {
            return Ok(());
        }
        Err(Error::WrongSize)
    }

    /// Does one part of what earlier calls left to do in the tree; false if there is nothing.
    ///
    /// Whoever holds the pool's lock lets it go in between: so that each stretch with the lock held is short.
    #[inline(always)]
    pub fn settle(&mut self) -> bool {
        let gone;
        if self.due.0 != 0 {
            self.runs.set(self.due.0 - 1, self.due.1);
            self.due.0 = 0;
            return true;
        } else if let Some(run) = self.open.close() {
            gone = run;
        } else if self.open.next == self.open.end {
            return self.open.take_up_hole();
        } else {
            let (page, after) = (self.open.next, self.open.end);
            let longest = *self.runs.value(after / BITS);
            let end = self.run_end(after, longest);
            if end == after {
                self.open.next = end;
                let start = self.run_start(page);
                self.add(start, end);
                return true;
            }
            // The pages of the run behind go with these.
            self.open.end = end;
            gone = (after, end);
        }
        self.remove(gone);
        true
    }

    /// The free run `[start, end)`, which is in the tree, is none any more.
    ///
    /// The pages that are left of it, or that it becomes a part of, are free by now, and may be counted: they are
    /// [added](Self::add) before anybody asks.
    #[inline(always)]
    fn remove(&mut self, (start, end): (usize, usize)) {
        let index = start / BITS;
        // If a longer one begins there, that one stays.
        if *self.runs.value(index) as usize == end - start {
            self.due = (index + 1, self.longest_beginning_in(index));
        }
    }

    /// `[start, end)` is a free run; one that is in the tree and begins there has become this one.
    #[inline(always)]
    fn add(&mut self, start: usize, end: usize) {
        let (index, after) = (start / BITS, end / BITS);
        if after > index + 1 {
            // The last word that it fills. None begins there, and what the levels above have of it is zero: one that did
            // begin there has become a part of this one, so it was removed, and its value set, in the steps before.
            *self.runs.value(after - 1) = !(start as i32);
        }
        // Another that begins in the word may be longer.
        self.due = (index + 1, (*self.runs.value(index)).max((end - start) as i32));
    }

    /// Where the lowest run of at least `count` pages begins in the word that [`RunTree::first`] named.
    #[inline(always)]
    fn run_in_word(&self, index: usize, count: usize) -> usize {
        let free = !word(self.used(), index);
        // Bits with `count` free pages from there on, within this word: each step halves what is still to be seen.
        let mut begins = 0;
        if count <= BITS {
            begins = free;
            let mut more = count;
            while more > 1 {
                begins &= begins >> (more / 2);
                more -= more / 2;
            }
        }
        // None within the word: it is the run that leaves it. Bits behind the last page do not matter: what they add to is
        // the last run of all, and the one that is looked for is that one, or lies before it.
        let start = if begins != 0 { begins.trailing_zeros() } else { BITS as u32 - free.leading_ones() };
        index * BITS + start as usize
    }

    /// The longest free run that begins in word `index`, when the longest that the tree knew there is none any more; zero
    /// if none begins. Counted from the bitmap, of one that leaves the word no more than its part in the next.
    ///
    /// That is enough. Only one can leave the word. If it was in the tree, it was no longer than the one that is gone; if
    /// that did not leave the word, it had less than `BITS` pages, and so one that leaves it ends in the next. If it was
    /// not in the tree, or is what is left of the one that is gone, it is [added](Self::add) in a later step, which puts
    /// the whole of it in the place of this figure.
    #[inline(always)]
    fn longest_beginning_in(&self, index: usize) -> i32 {
        let mut free = !word(self.used(), index);
        // Pages at the bottom that go on a run of the word before began there.
        if word(self.used(), index.wrapping_sub(1)) >> (BITS - 1) == 0 {
            free &= free.wrapping_add(1);
        }
        let leaving = free.leading_ones() as usize;
        let mut length = 0;
        if leaving != 0 {
            let start = (index + 1) * BITS - leaving;
            length = self.run_end(start, 0).saturating_sub(start);
            free &= !from_bit(start);
        }
        length.max(longest_run(free)) as i32
    }

    /// Where the free run that begins at `page` ends; `page` if none does. `longest` is what the tree has for the word, or
    /// zero: then a run that goes on behind the next word counts as if it ended with that.
    #[inline(never)]
    fn run_end(&self, page: usize, longest: i32) -> usize {
        let mut at = page;
        loop {
            let index = at / BITS;
            let used = word(self.used(), index) & from_bit(at);
            if used != 0 || at != page {
                return (index * BITS + used.trailing_zeros() as usize).min(self.pages);
            }
            // It leaves the word. Longer than that, it is the longest that begins there; else it ends in the next.
            if longest >= BITS as i32 {
                return (page + longest as usize).min(self.pages);
            }
            at = (index + 1) * BITS;
        }
    }

    /// Where the free run that ends before `page` begins; `page` if the page before it is in use.
    #[inline(always)]
    fn run_start(&mut self, page: usize) -> usize {
        let (mut index, mut mask) = (page / BITS, !from_bit(page));
        loop {
            let used = word(self.used(), index) & mask;
            if used != 0 {
                return index.wrapping_add(1).wrapping_mul(BITS) - used.leading_zeros() as usize;
            }
            if mask == usize::MAX {
                // The last word that the run fills: the tree says where it begins, if not here.
                let value = *self.runs.value(index);
                return if value < 0 { (!value as usize).min(page) } else { index * BITS };
            }
            (index, mask) = (index.wrapping_sub(1), usize::MAX);
        }
    }
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
