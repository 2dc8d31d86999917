//! The model with which the page map is compared.

use super::super::bits::{test_bit, word};
use super::super::*;
use crate::error::Error;
use crate::kernel::testing::HeapOnly;
use crate::log::Name;
use crate::mem::heap::KBox;
use std::vec;
use std::vec::Vec;

/// First fit in its simplest form: one `Option` a page, with the page at which its allocation begins.
pub struct Model {
    pub begun_at: Vec<Option<usize>>,
    /// Pages in use, and the most that were.
    pub in_use: usize,
    pub peak: usize,
}

impl Model {
    pub fn new(pages: usize) -> Self {
        Model { begun_at: vec![None; pages], in_use: 0, peak: 0 }
    }

    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        let mut run = 0;
        for page in 0..self.begun_at.len() {
            run = if self.begun_at[page].is_none() { run + 1 } else { 0 };
            if run == count {
                let start = page + 1 - count;
                self.place(start, count);
                return Some(start);
            }
        }
        None
    }

    /// Allocates the free pages `[page, page + count)`.
    pub fn place(&mut self, page: usize, count: usize) {
        self.begun_at[page..page + count].fill(Some(page));
        self.in_use += count;
        self.peak = self.peak.max(self.in_use);
    }

    pub fn free(&mut self, page: usize, count: usize) -> Result<(), Error> {
        if self.begun_at.get(page).copied().flatten() != Some(page) {
            return Err(Error::NotAllocated);
        }
        let length = self.begun_at[page..].iter().take_while(|begun| **begun == Some(page)).count();
        if length != count {
            return Err(Error::WrongSize);
        }
        self.begun_at[page..page + count].fill(None);
        self.in_use -= count;
        Ok(())
    }

    pub fn longest_free(&self) -> usize {
        self.begun_at.split(|begun| begun.is_some()).map(<[_]>::len).max().unwrap_or(0)
    }

    pub fn used(&self) -> usize {
        self.begun_at.iter().filter(|begun| begun.is_some()).count()
    }
}

/// A map and the model of it. Both get the same calls, and must return the same.
pub struct Compared {
    pub map: std::sync::MutexGuard<'static, PageMap>,
    pub model: Model,
}

impl Compared {
    /// Makes both, of `pages` free pages.
    pub fn new(pages: usize) -> Self {
        Compared { map: map_of(pages), model: Model::new(pages) }
    }

    /// Allocates `count` pages and returns the first.
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        let page = self.model.allocate(count);
        assert_eq!(self.map.allocate(count), page, "{count} pages");
        page
    }

    /// Frees `count` pages from `page` on, which may be wrong.
    pub fn free(&mut self, page: usize, count: usize) -> Result<(), Error> {
        let result = self.model.free(page, count);
        assert_eq!(self.map.free(page, count), result, "{count} pages from {page} on");
        result
    }

    /// Checks every figure that the map keeps against the model.
    pub fn assert_consistent(&mut self) {
        assert_consistent(&mut self.map, &self.model);
    }
}

/// A random number generator (xorshift). Its state is not zero.
pub struct Random(pub u64);

impl Random {
    /// Returns a number less than `below`; 0 if `below` is 0.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

struct Holder {
    map: std::sync::Mutex<PageMap>,
}

pub fn map_of(pages: usize) -> std::sync::MutexGuard<'static, PageMap> {
    let (words, shape) = (words_for(pages), TreeShape::new(words_for(pages)));
    // SAFETY: the holder keeps the map, and is never dropped.
    #[allow(unsafe_code)]
    let slot = unsafe {
        KBox::with_arrays(HeapOnly, words, shape.nodes(), Name::NONE, |bits, nodes, _| Holder {
            map: std::sync::Mutex::new(PageMap::new(pages, shape, bits, nodes)),
        })
    };
    slot.unwrap().leak().map.lock().unwrap()
}

/// As a pool does, under one lock.
impl PageMap {
    /// Settles the map.
    pub fn settle_all(&mut self) {
        while self.settle_step() != TimeLeft::ForAnything {}
    }

    /// Allocates `count` pages and returns the first.
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        self.allocate_usual(count).or_else(|| {
            self.settle_all();
            self.allocate_from_tree(count)
        })
    }

    /// Allocates `count` pages from the open run and returns the first, if the open run serves the request.
    pub fn allocate_usual(&mut self, count: usize) -> Option<usize> {
        let usual = if count >= FEWEST_ACROSS {
            self.allocate_from_open_across(count, CacheState::Dirty)
        } else {
            self.allocate_from_open_in_word(count, CacheState::Dirty)
        };
        usual.or_else(|| self.allocate_from_open(count))
    }

    /// Frees `count` pages if they are the last allocation of the open run.
    pub fn free_last(&mut self, page: usize, count: usize) -> bool {
        if is_across(page, count) { self.free_last_across(page, count) } else { self.free_last_in_word(page, count) }
    }

    /// Frees `count` pages.
    pub fn free(&mut self, page: usize, count: usize) -> Result<(), Error> {
        if count != 0 && self.free_last(page, count) {
            return Ok(());
        }
        if self.try_free(page, count)? == FreeStep::SettleFirst {
            self.settle_all();
            assert_eq!(self.try_free(page, count), Ok(FreeStep::Done));
        }
        Ok(())
    }
}

/// Checks every figure that the map keeps against the bits.
pub fn assert_consistent(map: &mut PageMap, model: &Model) {
    map.settle_all();
    assert_tree_is_exact(map);
    for (page, begun) in model.begun_at.iter().enumerate() {
        assert_eq!(test_bit(map.used(), page), begun.is_some(), "page {page} used");
        if begun.is_some() {
            assert_eq!(test_bit(map.starts(), page), *begun == Some(page), "page {page} start");
        }
    }
    for index in 0..map.used().len() {
        assert_eq!(word(map.starts(), index) & !word(map.used(), index), 0, "starts of free pages in word {index}");
    }
    assert_eq!(map.longest_free(), model.longest_free());
    assert_eq!((map.used_pages(), map.peak()), (model.used(), model.peak), "pages in use, and the most that were");
}

/// The free runs, as the tree should have them: those of the bitmap, but all of the open run as one.
pub fn runs_of_the_tree(map: &PageMap) -> Vec<(usize, usize)> {
    let open = &map.open;
    let is_free = |page: usize| (open.start..open.end).contains(&page) || !test_bit(map.used(), page);
    let mut runs = Vec::new();
    let mut page = 0;
    while page < map.page_count {
        let start = page;
        while page < map.page_count && is_free(page) {
            page += 1;
        }
        if page != start {
            runs.push((start, page));
        }
        page += 1;
    }
    runs
}

/// Checks the tree, at any time: every run of it with its value, its end and its tag; and what the open run promises.
///
/// Checks nothing while a change is put off, because the tree is not searched then.
pub fn assert_tree_is_exact(map: &mut PageMap) {
    if map.has_pending() {
        return;
    }
    let runs = runs_of_the_tree(map);
    let mut longest = vec![0; map.used().len()];
    for &(start, end) in &runs {
        longest[start / BITS] = longest[start / BITS].max(end - start);
    }
    for (index, longest) in longest.iter().enumerate() {
        assert_eq!(map.runs.longest_in(index), *longest, "word {index} of {}", map.page_count);
    }
    assert_eq!(map.runs.longest(), longest.iter().copied().max().unwrap_or(0), "the longest of {}", map.page_count);
    let open = &map.open;
    for &(start, end) in &runs {
        if start != open.start {
            assert_eq!((map.run_start(end), map.run_end(start)), (start, end));
        }
        assert!(start >= open.start || open.is_below_least_request(end - start), "a run before the open one");
    }
    if open.start == OpenRun::CLOSED.start {
        return;
    }
    assert!(runs.contains(&(open.start, open.end)), "no other run touches the open one");
    let has_hole = !open.hole.is_empty();
    assert!(open.start <= open.next && open.next <= open.end);
    assert!(!has_hole || open.start <= open.hole.start && open.hole.start < open.hole.end && open.hole.end < open.next);
    let last = open.last_allocation();
    assert!(open.start <= last.start && last.start <= last.end && last.end == open.next);
    for page in last.clone() {
        assert!(test_bit(map.used(), page), "page {page} of the last allocation");
        assert_eq!(test_bit(map.starts(), page), page == last.start, "page {page} of the last allocation");
    }
    for page in open.start..open.end {
        let is_free = page >= open.next || has_hole && open.hole.contains(&page);
        assert_eq!(test_bit(map.used(), page), !is_free, "page {page} of the open run");
    }
}
