//! The buffers of a pool, read from its bitmaps. `tests/list_options.rs` tests them.

use crate::dropin::page_map::bits::{BITS, complement, from_bit, word};
use crate::dropin::pool::Pool;
use crate::kernel::Kernel;
use crate::mem::bitmaps::BitmapWord;

/// The buffers of one size.
pub(super) struct Size {
    /// The size of each, in pages.
    pub(super) pages: usize,
    /// The number of buffers.
    pub(super) count: usize,
}

/// The buffers of a pool in the order of their addresses: the size of each, in pages.
pub(super) struct Buffers {
    used: &'static [BitmapWord],
    starts: &'static [BitmapWord],
    /// The page at which the search for the next buffer begins.
    page: usize,
    pages: usize,
}

impl Buffers {
    /// Makes an iterator over the buffers of `pool`, from its first page on.
    pub(super) fn of<K: Kernel>(pool: &Pool<K>) -> Self {
        let (used, starts) = pool.bitmaps();
        Buffers { used, starts, page: 0, pages: pool.page_count() }
    }

    /// Returns the smallest size that is larger than `last` pages; `None` if no buffer is larger.
    pub(super) fn next_size(self, last: usize) -> Option<Size> {
        let mut found: Option<Size> = None;
        for pages in self.filter(|pages| *pages > last) {
            match &mut found {
                Some(size) if pages == size.pages => size.count += 1,
                Some(size) if pages > size.pages => {}
                _ => found = Some(Size { pages, count: 1 }),
            }
        }
        found
    }

    /// Returns the first page from `page` on whose bit is set; the number of pages if there is none. `bits` returns the
    /// word of the bitmap at an index.
    fn first_set_from(&self, page: usize, bits: impl Fn(usize) -> usize) -> usize {
        let mut page = page;
        while page < self.pages {
            let index = page / BITS;
            let found = bits(index) & from_bit(page);
            if found != 0 {
                return self.pages.min(index * BITS + found.trailing_zeros() as usize);
            }
            page = (index + 1) * BITS;
        }
        self.pages
    }
}

impl Iterator for Buffers {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let start = self.first_set_from(self.page, |index| word(self.starts, index));
        if start >= self.pages {
            return None;
        }
        // A buffer ends before the next one, and before a free page.
        let ends = |index| word(self.starts, index) | complement(self.used, index);
        self.page = self.first_set_from(start + 1, ends);
        Some(self.page - start)
    }
}
