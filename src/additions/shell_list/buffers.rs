//! The buffers of a pool, read from its bitmaps. `tests/list_options.rs` tests them.

use crate::dropin::page_map::bits::{BITS, complement, from_bit, word};
use crate::dropin::pool::Pool;
use crate::kernel::Kernel;
use crate::mem::bitmaps::BitmapWord;

/// The sizes of a pool's buffers, in pages, in the order of their addresses.
pub(super) struct BufferSizes {
    used: &'static [BitmapWord],
    starts: &'static [BitmapWord],
    /// The page at which the search for the next buffer begins.
    page: usize,
    pages: usize,
}

impl BufferSizes {
    /// Makes an iterator over the sizes of the buffers of `pool`, from its first page on.
    pub(super) fn of<K: Kernel>(pool: &Pool<K>) -> Self {
        let (used, starts) = pool.bitmaps();
        BufferSizes { used, starts, page: 0, pages: pool.page_count() }
    }

    /// Returns the first page from `page` on whose bit is set; the number of pages if there is none. `bits` returns the
    /// word of the bitmap at an index.
    fn first_set_from(&self, mut page: usize, bits: impl Fn(usize) -> usize) -> usize {
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

impl Iterator for BufferSizes {
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
