//! The map of a pool: one character for each group of adjacent pages. It shows how fragmented the pool is.

use core::ffi::CStr;

use crate::dropin::page_map::bits::test_bit;
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SHIFT};
use crate::text::{kib, text};

/// Number of groups in a line. With the address before them, a line has at most 78 characters.
const COLUMNS: usize = 64;
/// The highest number of lines for a pool.
const LINES: usize = 8;

impl<K: Kernel> Dma<K> {
    /// Prints a map of each pool, and the meaning of the characters.
    ///
    /// Context: thread.
    pub fn print_page_maps(&self) {
        for pool in self.pools() {
            self.print_map(pool);
        }
        self.kernel.print(text!(". free   - less than half in use   + half or more in use   # in use\n"));
    }

    /// Prints the map of one pool.
    fn print_map(&self, pool: &Pool<K>) {
        let per_character = pages_per_character(pool.page_count());
        self.print_head(pool);
        self.kernel.print(text!("    %lu KiB for each character\n", kib(per_character << PAGE_SHIFT)));
        let (used, _) = pool.bitmaps();
        let mut page = 0;
        while page < pool.page_count() {
            // One character for each group in this line, and a final zero.
            let mut line = [0u8; COLUMNS + 1];
            let first = page;
            for character in line.iter_mut().take(COLUMNS) {
                let end = pool.page_count().min(page + per_character);
                if page >= end {
                    break;
                }
                let in_use = (page..end).filter(|page| test_bit(used, *page)).count();
                *character = character_for(in_use, end - page);
                page = end;
            }
            let characters = CStr::from_bytes_until_nul(&line).unwrap_or_default();
            self.kernel.print(text!("%12lx %s\n", pool.pa_of(first), characters));
        }
    }
}

/// Returns the number of pages in a group: the smallest power of two with which a pool of `pages` pages fits into
/// [`LINES`] lines.
fn pages_per_character(pages: usize) -> usize {
    pages.div_ceil(COLUMNS * LINES).next_power_of_two()
}

/// Returns the character for `pages` pages of which `in_use` are in use.
fn character_for(in_use: usize, pages: usize) -> u8 {
    match in_use {
        0 => b'.',
        _ if in_use == pages => b'#',
        _ if in_use < pages - in_use => b'-',
        _ => b'+',
    }
}
