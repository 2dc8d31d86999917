//! The buffers of a pool, read from its bitmaps.

use crate::dropin::page_map::bits::{BITS, from_bit, word};
use crate::dropin::pool::Pool;
use crate::kernel::Kernel;
use crate::mem::bitmaps::BitmapWord;

/// The buffers of a pool in the order of their addresses: the first page and the number of pages of each.
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

    /// Returns the smallest size that is larger than `last`, in pages, and the number of buffers of this size.
    pub(super) fn next_size(self, last: usize) -> Option<(usize, usize)> {
        let mut found: Option<(usize, usize)> = None;
        for (_, pages) in self.filter(|(_, pages)| *pages > last) {
            found = match found {
                Some((smallest, count)) if pages == smallest => Some((smallest, count + 1)),
                Some((smallest, count)) if pages > smallest => Some((smallest, count)),
                _ => Some((pages, 1)),
            };
        }
        found
    }

    /// Returns the first page from `page` on whose bit is set; the number of pages if there is none. `bits` returns the
    /// word of the bitmap at an index.
    fn first(&self, page: usize, bits: impl Fn(usize) -> usize) -> usize {
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
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.first(self.page, |index| word(self.starts, index));
        if start >= self.pages {
            return None;
        }
        // A buffer ends before the next one, and before a free page.
        let ends = |index| word(self.starts, index) | !word(self.used, index);
        self.page = self.first(start + 1, ends);
        Some((start, self.page - start))
    }
}
