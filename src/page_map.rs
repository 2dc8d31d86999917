//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! Three things are kept for each page, all told at most 4 bits:
//!
//! * `used`: the bitmap that C sees as `pool->map`, and the truth;
//! * `starts`: where each allocation begins, so that a wrong size, an address inside a buffer and a second free are told
//!   from a good free;
//! * the [`RunTree`] over the free runs, which also says where a run ends, so that none is walked.
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
use bits::{BITS, add_bits, any, clear, from_bit, remove_bits, set, up_to_bit, word};
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
    runs: RunTree,
    /// No page is free in the words before this one.
    lowest: usize,
    /// Single pages of word `taken_word` that were taken, but not yet from the tree, as bits. They were the lowest free
    /// ones: so a run of which they are part begins in that word, and nothing else of the tree is affected.
    taken: usize,
    taken_word: usize,
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
            used_pages: 0,
            used: tail.slice(words),
            starts: tail.slice(words),
            runs: RunTree::new(tail.slice(nodes_for(words)), words),
            lowest: 0,
            taken: 0,
            taken_word: 0,
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
    pub fn longest_free(&mut self) -> usize {
        self.settle();
        self.runs.longest() as usize
    }

    /// Takes the lowest run of `count` free pages and says where it begins; `None` if there is none. `count` is not zero.
    #[inline(always)]
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        let single = if count == 1 { self.take_lowest() } else { None };
        single.or_else(|| self.allocate_run(count))
    }

    /// Takes the lowest free page, if it is near the last one that was taken so.
    #[inline(always)]
    fn take_lowest(&mut self) -> Option<usize> {
        let index = self.lowest;
        let free = self.free_in(index);
        if free == 0 || (self.taken_word != index && self.taken != 0) {
            return None;
        }
        let bit = free & free.wrapping_neg();
        add_bits(self.used, index, bit);
        add_bits(self.starts, index, bit);
        self.taken |= bit;
        self.taken_word = index;
        self.used_pages += 1;
        Some(index * BITS + free.trailing_zeros() as usize)
    }

    #[inline(never)]
    fn allocate_run(&mut self, count: usize) -> Option<usize> {
        self.settle();
        let length = u32::try_from(count).ok()?;
        let first_word = self.runs.first(length)?;
        if count == 1 {
            self.lowest = first_word;
            return self.take_lowest();
        }
        let page = self.run_in_word(first_word, count);
        let after = page + count;
        let end = self.run_end(page);

        set(self.used, page, count);
        set(self.starts, page, 1);
        self.used_pages += count;

        // The run [page, end) is gone; what is left of it begins at `after`.
        let rest = (end - after) as u32;
        let rest_word = after / BITS;
        if self.runs.longest_in(first_word) == (end - page) as u32 {
            let is_longest = rest_word == first_word && rest >= BITS as u32;
            let longest = if is_longest { rest } else { self.longest_beginning_in(first_word) };
            self.runs.set(first_word, longest);
        }
        if rest_word != first_word && rest > self.runs.longest_in(rest_word) {
            self.runs.set(rest_word, rest);
        }
        Some(page)
    }

    /// Brings the tree up to date with the single pages that were taken.
    #[inline(never)]
    fn settle(&mut self) {
        let index = self.taken_word;
        let free = self.free_in(index);
        let leaving_before = (free | self.taken).leading_ones();
        if core::mem::take(&mut self.taken) == 0 {
            return;
        }
        if leaving_before == 0 {
            return self.runs.set(index, longest_run(free));
        }
        let next = (index + 1) * BITS;
        let known = self.runs.longest_in(index);
        let onward = match known > BITS as u32 {
            true => known - leaving_before,
            false => (self.run_end_from(index + 1) - next) as u32,
        };
        let leaving = free.leading_ones();
        let within = longest_run(free.checked_shl(leaving).unwrap_or(0));
        if leaving != 0 {
            return self.runs.set(index, (leaving + onward).max(within));
        }
        // What is left of the run begins in the next word now.
        self.runs.set(index, within);
        if onward > self.runs.longest_in(index + 1) {
            self.runs.set(index + 1, onward);
        }
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
    #[inline(always)]
    pub fn free(&mut self, page: usize, count: usize) -> Result<(), FreeError> {
        self.check(page, count)?;
        let bit = from_bit(page) & from_bit(page).wrapping_neg();
        if page / BITS == self.taken_word && self.taken & bit != 0 {
            // The tree never missed it.
            remove_bits(self.used, self.taken_word, bit);
            remove_bits(self.starts, self.taken_word, bit);
            self.taken &= !bit;
            self.used_pages -= 1;
        } else {
            self.free_run(page, count);
        }
        Ok(())
    }

    #[inline(never)]
    fn free_run(&mut self, page: usize, count: usize) {
        self.settle();
        self.lowest = self.lowest.min(page / BITS);
        let after = page + count;
        let run_start = self.run_start(page);
        let run_end = self.run_end(after);
        clear(self.starts, page, 1);
        clear(self.used, page, count);
        self.used_pages -= count;

        // [run_start, run_end) is one run now. A run that began at `after` is part of it.
        let run_word = run_start / BITS;
        let after_word = after / BITS;
        let length = (run_end - run_start) as u32;
        let joined = (run_end - after) as u32;
        if length > self.runs.longest_in(run_word) {
            self.runs.set(run_word, length);
        }
        if joined != 0 && after_word != run_word && self.runs.longest_in(after_word) == joined {
            let longest = self.longest_beginning_in(after_word);
            self.runs.set(after_word, longest);
        }
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
    #[inline(never)]
    fn longest_beginning_in(&self, index: usize) -> u32 {
        let mut free = self.free_in(index);
        // Pages at the bottom that go on a run of the word before began there.
        if let Some(before) = index.checked_sub(1)
            && word(self.used, before) >> (BITS - 1) == 0
        {
            free &= free.wrapping_add(1);
        }
        let leaving = free.leading_ones();
        if leaving == 0 {
            return longest_run(free);
        }
        let next = (index + 1) * BITS;
        let onward = (self.run_end_from(index + 1) - next) as u32;
        (leaving + onward).max(longest_run(free.checked_shl(leaving).unwrap_or(0)))
    }

    /// Where the free run that begins at `page` ends; `page` if none does.
    #[inline(always)]
    fn run_end(&self, page: usize) -> usize {
        let index = page / BITS;
        let end = page + (self.free_in(index) >> (page % BITS)).trailing_ones() as usize;
        if end / BITS == index {
            return end;
        }
        // It leaves the word. No run within a word is longer than the word: so if the longest is, it is this one.
        let longest = self.runs.longest_in(index);
        if longest > BITS as u32 { page + longest as usize } else { self.run_end_from(index + 1) }
    }

    /// Where the free pages from the first of word `index` on end. Walks words: only for a run that is known to be short,
    /// or when nothing is known about the word.
    #[inline(always)]
    fn run_end_from(&self, index: usize) -> usize {
        let mut index = index;
        loop {
            let free = self.free_in(index).trailing_ones() as usize;
            if free < BITS {
                return index * BITS + free;
            }
            index += 1;
        }
    }

    /// Where the free run that ends before `page` begins; `page` if the page before it is in use.
    #[inline(always)]
    fn run_start(&self, page: usize) -> usize {
        let Some(before) = page.checked_sub(1) else { return page };
        let index = before / BITS;
        let used = word(self.used, index) & up_to_bit(before);
        if used != 0 {
            return index * BITS + BITS - used.leading_zeros() as usize;
        }
        // It begins in this word or leaves an earlier one; no other run begins in between.
        let goes_on = index != 0 && word(self.used, index - 1) >> (BITS - 1) == 0;
        match self.runs.previous(index) {
            Some(begins) if goes_on => begins * BITS + BITS - self.free_in(begins).leading_ones() as usize,
            _ => index * BITS,
        }
    }
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
