//! The labels of a pool's pages: whether the cache may hold dirty lines of a page.

use super::bits::{BitRange, change, differs, test};
use crate::mem::bitmaps::BitmapWord;

/// The label of a page. While the page is in use, it also records how the page was handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Label {
    /// The cache may hold dirty lines of the page: it was last handed out cached, or without a mapping, or by an own
    /// mapping that counts as cached (`Pool::counts_as_cached`). The bit is clear.
    Dirty,
    /// The cache holds no dirty lines of the page: it was last handed out uncached or write-through. The bit is set.
    Clean,
}

impl Label {
    /// Returns whether the bit of a page with this label is set.
    pub(super) fn is_set(self) -> bool {
        self == Label::Clean
    }
}

/// The labels of all pages of a pool. They are written with the lock held, or by a call that has allocated all pages.
#[derive(Clone, Copy)]
pub struct Labels(&'static [BitmapWord]);

impl Labels {
    /// Makes the labels from their bitmap. If it is zero, all pages are dirty.
    pub fn new(words: &'static [BitmapWord]) -> Self {
        Labels(words)
    }

    /// Returns the label of `page`.
    pub fn of(self, page: usize) -> Label {
        if test(self.0, page) { Label::Clean } else { Label::Dirty }
    }

    /// Returns whether any of the `pages` pages from `page` on has another label than `label`.
    pub fn differ(self, page: usize, pages: usize, label: Label) -> bool {
        differs(self.0, BitRange::new(page, pages), label.is_set())
    }

    /// Gives the `pages` pages from `page` on this label.
    pub fn set(self, page: usize, pages: usize, label: Label) {
        change(self.0, BitRange::new(page, pages), label.is_set());
    }
}
