//! The cache states of a pool's pages: whether the cache may hold dirty lines of a page.

use super::bits::{BitRange, change, differs, test_bit};
use crate::mem::bitmaps::BitmapWord;

/// The cache state of a page. While the page is in use, it also records how the page was handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheState {
    /// The cache may hold dirty lines of the page: it was last handed out cached, or without a mapping, or by an own
    /// mapping of which the cache may hold lines (`Pool::own_mapping_state`). The bit is clear.
    Dirty,
    /// The cache holds no dirty lines of the page: it was last handed out uncached or write-through. The bit is set.
    Clean,
}

impl CacheState {
    /// Returns whether the bit of a page with this cache state is set in [`CLEAN`](super::CLEAN).
    pub(super) fn is_clean(self) -> bool {
        self == CacheState::Clean
    }
}

/// The cache states of all pages of a pool. They are written with the lock held, or by a call that has allocated all
/// pages.
#[derive(Clone, Copy)]
pub struct CacheStates(&'static [BitmapWord]);

impl CacheStates {
    /// Makes the cache states from the bitmap of clean pages. If it is zero, all pages are dirty.
    pub fn new(words: &'static [BitmapWord]) -> Self {
        CacheStates(words)
    }

    /// Returns the cache state of `page`.
    pub fn of(self, page: usize) -> CacheState {
        if test_bit(self.0, page) { CacheState::Clean } else { CacheState::Dirty }
    }

    /// Returns whether any of the `count` pages from `page` on has another cache state than `cache`.
    pub fn differ(self, page: usize, count: usize, cache: CacheState) -> bool {
        differs(self.0, BitRange::new(page, count), cache.is_clean())
    }

    /// Gives the `count` pages from `page` on this cache state.
    pub fn set(self, page: usize, count: usize, cache: CacheState) {
        change(self.0, BitRange::new(page, count), cache.is_clean());
    }
}
