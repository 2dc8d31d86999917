//! The buffers of a pool, read from its bitmaps. `tests/list_options.rs` tests them.

use crate::dropin::page_map::bits::{BITS, complement, from_bit, word};
use crate::dropin::pool::Pool;
use crate::kernel::Kernel;
use crate::mem::bitmaps::BitmapWord;

/// How many buffers have one size.
pub(super) struct SizeCount {
    /// The size of each buffer, in pages.
    pub(super) pages: usize,
    /// The number of buffers.
    pub(super) count: usize,
}

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

    /// Returns the smallest size above `above` pages, and how many buffers have it; `None` if no buffer is larger.
    pub(super) fn smallest_above(self, above: usize) -> Option<SizeCount> {
        let mut found: Option<SizeCount> = None;
        for pages in self.filter(|pages| *pages > above) {
            match &mut found {
                Some(smallest) if pages > smallest.pages => {}
                Some(smallest) if pages == smallest.pages => smallest.count += 1,
                // The first one, or a smaller one.
                None | Some(_) => found = Some(SizeCount { pages, count: 1 }),
            }
        }
        found
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
