//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! Three things are kept for each page, all told at most 4 bits:
//!
//! * `used`: the bitmap that C sees as `pool->map`, and the truth;
//! * `starts`: where each allocation begins, so that a wrong size, an address inside a buffer and a second free are told
//!   from a good free;
//! * the [`RunTree`] over the free runs, and two bitmaps that say which words of `used` are not zero, so that the ends of
//!   a run are found without walking it.
//!
//! Nothing here sleeps, and every call is bounded: about log(pages), and four instructions for each word of the request.

mod bits;
mod run_tree;
#[cfg(test)]
mod tests;

pub use bits::{clear_shared, set_shared, test};

use core::mem::size_of;
use core::sync::atomic::AtomicUsize;

use crate::kernel::heap::Tail;
use bits::{BITS, any, clear, from_bit, set, word};
use run_tree::{Node, RunTree, nodes_for};

/// Why pages cannot be given back. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeError {
    /// No allocation begins at that page: it is free already, lies inside one, or past the end.
    NotAllocated,
    /// An allocation begins there, but has another length.
    WrongSize,
}

/// The pages of one pool.
pub struct PageMap {
    pages: usize,
    used_pages: usize,
    used: &'static [AtomicUsize],
    starts: &'static [AtomicUsize],
    /// Bit `n`: word `n` of `used` is not zero.
    busy: &'static [AtomicUsize],
    /// Bit `n`: word `n` of `busy` is not zero.
    busier: &'static [AtomicUsize],
    runs: RunTree,
}

/// Words that hold `bits` bits.
pub const fn words_for(bits: usize) -> usize {
    bits.div_ceil(BITS)
}

/// Bytes that [`PageMap::new`] takes from its [`Tail`] for a pool of `pages` pages.
pub fn bytes_for(pages: usize) -> usize {
    let words = words_for(pages);
    let busy = words_for(words);
    (2 * words + busy + words_for(busy)) * size_of::<usize>() + nodes_for(words) * size_of::<Node>()
}

impl PageMap {
    /// A map of `pages` free pages; at least one, at most `u32::MAX`. Its memory comes from `tail`.
    pub fn new(pages: usize, tail: &mut Tail) -> Self {
        let words = words_for(pages);
        let busy = words_for(words);
        let mut map = PageMap {
            pages,
            used_pages: 0,
            used: tail.slice(words),
            starts: tail.slice(words),
            busy: tail.slice(busy),
            busier: tail.slice(words_for(busy)),
            runs: RunTree::new(tail.slice(nodes_for(words)), words),
        };
        map.runs.set(0, pages as u32);
        map
    }

    /// The bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used_words(&self) -> &'static [AtomicUsize] {
        self.used
    }

    /// Pages in use.
    pub fn used_pages(&self) -> usize {
        self.used_pages
    }

    /// Pages in the longest free run.
    pub fn longest_free(&self) -> usize {
        self.runs.longest() as usize
    }

    /// Takes the lowest run of `count` free pages and says where it begins; `None` if there is none. `count` is not zero.
    #[inline]
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        let length = u32::try_from(count).ok()?;
        let first_word = self.runs.first(length)?;
        let page = self.run_in_word(first_word, count);
        let after = page + count;
        let end = self.next_used(after);

        self.mark_used(page, count);
        set(self.starts, page, 1);
        self.used_pages += count;

        // The run [page, end) is gone; what is left of it begins at `after`.
        let rest = (end - after) as u32;
        let rest_word = after / BITS;
        if self.runs.longest_in(first_word) == (end - page) as u32 {
            let longest = if rest_word == first_word && rest >= BITS as u32 {
                rest
            } else {
                self.longest_beginning_in(first_word)
            };
            self.runs.set(first_word, longest);
        }
        if rest_word != first_word && rest > self.runs.longest_in(rest_word) {
            self.runs.set(rest_word, rest);
        }
        Some(page)
    }

    /// Whether an allocation of `count` pages begins at `page`.
    #[inline(always)]
    pub fn check(&self, page: usize, count: usize) -> Result<(), FreeError> {
        if page >= self.pages || !test(self.starts, page) {
            return Err(FreeError::NotAllocated);
        }
        let after = match page.checked_add(count) {
            Some(after) if count != 0 && after <= self.pages => after,
            _ => return Err(FreeError::WrongSize),
        };
        // It ends there; no other begins within, and the last page is in use: so all of them belong to this one.
        let ends_here = after == self.pages || !test(self.used, after) || test(self.starts, after);
        if ends_here && test(self.used, after - 1) && !any(self.starts, page + 1, count - 1) {
            Ok(())
        } else {
            Err(FreeError::WrongSize)
        }
    }

    /// Gives back the allocation of `count` pages that begins at `page`.
    #[inline]
    pub fn free(&mut self, page: usize, count: usize) -> Result<(), FreeError> {
        self.check(page, count)?;
        let after = page + count;
        let free_after = after < self.pages && !test(self.used, after);
        let run_start = self.free_run_start(page);
        let run_end = if free_after { self.next_used(after) } else { after };
        clear(self.starts, page, 1);
        self.mark_free(page, count);
        self.used_pages -= count;

        // [run_start, run_end) is one run now. A run that began at `after` is part of it.
        let run_word = run_start / BITS;
        let length = (run_end - run_start) as u32;
        let after_word = after / BITS;
        if length > self.runs.longest_in(run_word) {
            self.runs.set(run_word, length);
        }
        if free_after && after_word != run_word && self.runs.longest_in(after_word) == (run_end - after) as u32 {
            let longest = self.longest_beginning_in(after_word);
            self.runs.set(after_word, longest);
        }
        Ok(())
    }

    /// The length of the allocation that begins at `page`; `None` if none does.
    pub fn length_at(&self, page: usize) -> Option<usize> {
        if page >= self.pages || !test(self.starts, page) {
            return None;
        }
        let mut end = page + 1;
        while end < self.pages && test(self.used, end) && !test(self.starts, end) {
            end += 1;
        }
        Some(end - page)
    }

    /// The free pages of `word`, as bits.
    #[inline(always)]
    fn free_in(&self, index: usize) -> usize {
        let beyond = if (index + 1) * BITS > self.pages { from_bit(self.pages) } else { 0 };
        !(word(self.used, index) | beyond)
    }

    /// Where the lowest run of at least `count` pages begins in the word that [`RunTree::first`] named.
    #[inline(always)]
    fn run_in_word(&self, index: usize, count: usize) -> usize {
        let free = self.free_in(index);
        let start = if count == 1 {
            free.trailing_zeros()
        } else {
            let mut begins = if count <= BITS { free } else { 0 };
            // `begins` has the bits with `reach` free pages from there on, within this word.
            let mut reach = 1;
            while reach < count && begins != 0 {
                let step = reach.min(count - reach);
                begins &= begins >> step;
                reach += step;
            }
            // None within the word: it is the run that leaves it.
            if begins != 0 { begins.trailing_zeros() } else { BITS as u32 - free.leading_ones() }
        };
        index * BITS + start as usize
    }

    /// The longest free run that begins in `word`, counted from the bitmap.
    #[inline(always)]
    fn longest_beginning_in(&self, index: usize) -> u32 {
        let mut free = self.free_in(index);
        // Pages at the bottom that go on a run of the word before began there.
        if let Some(before) = index.checked_sub(1)
            && word(self.used, before) >> (BITS - 1) == 0
        {
            free &= free.wrapping_add(1);
        }
        let leaving = free.leading_ones();
        let mut longest = 0;
        if leaving != 0 {
            let next = (index + 1) * BITS;
            longest = leaving + (self.next_used(next) - next) as u32;
            free = free.checked_shl(leaving).unwrap_or(0);
        }
        longest.max(longest_run(free))
    }

    /// The first page in use from `page` on, or the number of pages.
    #[inline(always)]
    fn next_used(&self, page: usize) -> usize {
        if page >= self.pages {
            return self.pages;
        }
        let index = page / BITS;
        let here = word(self.used, index) & from_bit(page);
        if here != 0 {
            return index * BITS + here.trailing_zeros() as usize;
        }
        match self.next_busy(index + 1) {
            Some(index) => index * BITS + word(self.used, index).trailing_zeros() as usize,
            None => self.pages,
        }
    }

    /// The first word of `used`, from `index` on, that is not zero.
    #[inline(always)]
    fn next_busy(&self, index: usize) -> Option<usize> {
        let group = index / BITS;
        let here = word(self.busy, group) & from_bit(index);
        if here != 0 {
            return Some(group * BITS + here.trailing_zeros() as usize);
        }
        let mut at = (group + 1) / BITS;
        let mut groups = word(self.busier, at) & from_bit(group + 1);
        while groups == 0 {
            at += 1;
            groups = self.busier.get(at).map(|_| word(self.busier, at))?;
        }
        let group = at * BITS + groups.trailing_zeros() as usize;
        Some(group * BITS + word(self.busy, group).trailing_zeros() as usize)
    }

    /// Where the free run that ends before `page` begins; `page` if the page before it is in use.
    #[inline(always)]
    fn free_run_start(&self, page: usize) -> usize {
        let Some(before) = page.checked_sub(1) else {
            return page;
        };
        let index = before / BITS;
        let here = word(self.used, index) & up_to(before);
        if here != 0 {
            return index * BITS + highest(here) + 1;
        }
        match self.previous_busy(index) {
            Some(index) => index * BITS + highest(word(self.used, index)) + 1,
            None => 0,
        }
    }

    /// The last word of `used`, before `index`, that is not zero.
    #[inline(always)]
    fn previous_busy(&self, index: usize) -> Option<usize> {
        let before = index.checked_sub(1)?;
        let group = before / BITS;
        let here = word(self.busy, group) & up_to(before);
        if here != 0 {
            return Some(group * BITS + highest(here));
        }
        let before = group.checked_sub(1)?;
        let mut at = before / BITS;
        let mut groups = word(self.busier, at) & up_to(before);
        while groups == 0 {
            at = at.checked_sub(1)?;
            groups = word(self.busier, at);
        }
        let group = at * BITS + highest(groups);
        Some(group * BITS + highest(word(self.busy, group)))
    }

    #[inline(always)]
    fn mark_used(&mut self, page: usize, count: usize) {
        set(self.used, page, count);
        let (first, last) = (page / BITS, (page + count - 1) / BITS);
        set(self.busy, first, last - first + 1);
        set(self.busier, first / BITS, last / BITS - first / BITS + 1);
    }

    #[inline(always)]
    fn mark_free(&mut self, page: usize, count: usize) {
        clear(self.used, page, count);
        clear_empty(self.used, self.busy, page / BITS, (page + count - 1) / BITS, |first, last| {
            clear_empty(self.busy, self.busier, first / BITS, last / BITS, |_, _| {});
        });
    }
}

/// Words `first..=last` of `below` lost bits. All but the outer two are zero now, and those may be: clears the bits of
/// `above` for those that are, and calls `then` with the range.
#[inline(always)]
fn clear_empty(
    below: &[AtomicUsize],
    above: &[AtomicUsize],
    first: usize,
    last: usize,
    then: impl FnOnce(usize, usize),
) {
    let from = first + (word(below, first) != 0) as usize;
    let to = last + (word(below, last) == 0) as usize;
    if from < to {
        clear(above, from, to - from);
        then(from, to - 1);
    }
}

/// The bits of a word up to and with bit `last % BITS`.
#[inline(always)]
fn up_to(last: usize) -> usize {
    usize::MAX >> (BITS - 1 - last % BITS)
}

/// The number of the highest bit that is set in `word`, which is not zero.
#[inline(always)]
fn highest(word: usize) -> usize {
    (BITS - 1).wrapping_sub(word.leading_zeros() as usize)
}

/// The longest run of ones in `word`.
#[inline(always)]
fn longest_run(word: usize) -> u32 {
    // `shrunk` has a bit for each place where `length` ones begin. Doubling overshoots; then halves find the rest.
    let mut shrunk = word;
    if shrunk == 0 {
        return 0;
    }
    let mut length = 1;
    let mut step = 1;
    loop {
        let next = shrunk & (shrunk >> step);
        if next == 0 {
            break;
        }
        shrunk = next;
        length += step;
        step = length;
        if length >= BITS as u32 {
            return BITS as u32;
        }
    }
    while step > 1 {
        step /= 2;
        let next = shrunk & (shrunk >> step);
        if next != 0 {
            shrunk = next;
            length += step;
        }
    }
    length
}
