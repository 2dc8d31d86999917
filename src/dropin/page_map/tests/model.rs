//! What the page map is held against, and how.

use super::super::*;
use crate::kernel::testing::HeapOnly;
use crate::log::Name;
use crate::mem::heap::Slot;
use std::vec;
use std::vec::Vec;

/// First fit as anyone would write it: one `Option` a page, which says where the page's allocation began.
pub struct Model {
    pub begun_at: Vec<Option<usize>>,
}

impl Model {
    pub fn new(pages: usize) -> Self {
        Model { begun_at: vec![None; pages] }
    }

    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        let mut run = 0;
        for page in 0..self.begun_at.len() {
            run = if self.begun_at[page].is_none() { run + 1 } else { 0 };
            if run == count {
                let start = page + 1 - count;
                self.begun_at[start..=page].fill(Some(start));
                return Some(start);
            }
        }
        None
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
        Ok(())
    }

    pub fn longest_free(&self) -> usize {
        self.begun_at.split(|begun| begun.is_some()).map(<[_]>::len).max().unwrap_or(0)
    }

    pub fn used(&self) -> usize {
        self.begun_at.iter().filter(|begun| begun.is_some()).count()
    }
}

struct Holder {
    map: std::sync::Mutex<PageMap>,
}

pub fn map_of(pages: usize) -> std::sync::MutexGuard<'static, PageMap> {
    let (words, shape) = (words_for(pages), Shape::new(words_for(pages)));
    // SAFETY: the holder keeps the map, and is never dropped.
    #[allow(unsafe_code)]
    let slot = unsafe {
    Slot::new(HeapOnly, words as u32, shape.nodes() as u32, Name::NONE, |bits, nodes, _| Holder {
        map: std::sync::Mutex::new(PageMap::new(pages, shape, bits, nodes)),
    })
    };
    slot.unwrap().keep().map.lock().unwrap()
}

/// As a pool does, under one lock.
impl PageMap {
    /// Takes `count` pages, and says where.
    pub fn allocate(&mut self, count: usize) -> Option<usize> {
        self.take(count).or_else(|| {
            while self.settle() {}
            self.take_lowest(count)
        })
    }

    /// Gives `count` pages back.
    pub fn free(&mut self, page: usize, count: usize) -> Result<(), Error> {
        if count != 0 && self.give_back_last(page, count) {
            return Ok(());
        }
        if !self.give_back(page, count, false)? {
            while self.settle() {}
            assert!(self.give_back(page, count, true)?);
        }
        Ok(())
    }
}

/// Holds every figure that the map keeps against the bits.
pub fn assert_consistent(map: &mut PageMap, model: &Model) {
    while map.settle() {}
    assert_tree_is_exact(map);
    for (page, begun) in model.begun_at.iter().enumerate() {
        assert_eq!(test(map.used(), page), begun.is_some(), "page {page} used");
        if begun.is_some() {
            assert_eq!(test(map.starts(), page), *begun == Some(page), "page {page} start");
        }
    }
    let (used, pages) = (map.used(), map.pages);
    let is_free = |page: usize| page < pages && !test(used, page);
    for start in (0..pages).filter(|&page| is_free(page) && (page == 0 || !is_free(page - 1))) {
        let end = (start..).find(|&page| !is_free(page)).unwrap();
        let longest = *map.runs.value(start / BITS);
        assert_eq!((map.run_start(end), map.run_end(start, longest)), (start, end));
    }
    for index in 0..map.used().len() {
        assert_eq!(word(map.starts(), index) & !word(map.used(), index), 0, "starts of free pages in word {index}");
    }
    assert_eq!(map.longest_free(), model.longest_free());
    assert_eq!(PageMap::used_pages(map.used()), model.used());
}

/// Holds the tree against the bits as they were before the open run was taken from.
pub fn assert_tree_is_exact(map: &mut PageMap) {
    let (used, pages, is_open) = (map.used(), map.pages, map.open.is_open());
    let (start, next, end) = (map.open.start(), map.open.next, map.open.end);
    let (hole, hole_end) = (map.open.hole, map.open.hole_end);
    let is_free = |page: usize| {
        let is_left = !is_open && ((next..end).contains(&page) || (hole..hole_end).contains(&page));
        page < pages && !is_left && ((start..next).contains(&page) || !test(used, page))
    };
    for index in 0..map.used().len() {
        let begins =
            (index * BITS..(index + 1) * BITS).filter(|&page| is_free(page) && (page == 0 || !is_free(page - 1)));
        let longest = begins.map(|page| (page..).take_while(|&page| is_free(page)).count()).max().unwrap_or(0);
        assert!(map.due.0 == index + 1 || (*map.runs.value(index)).max(0) as usize == longest, "word {index}");
    }
    let mut run = 0;
    for page in 0..map.pages {
        run = if test(map.used(), page) { 0 } else { run + 1 };
        assert!(!is_open || page >= start || run < map.open.least.max(1), "a run before the open one");
    }
    if is_open {
        assert!(hole == hole_end || start <= hole && hole < hole_end && hole_end < next, "the hole");
        assert!((next..end).all(is_free) && !is_free(end), "the open run");
    }
}
