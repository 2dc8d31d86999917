//! The short path of most calls: the open run of the pool serves the request, its pages lie in one word of the bitmaps, and
//! the view that shows them is mapped.
//!
//! These functions call no other function while the lock is held, so that `rt_dma_alloc` and `rt_dma_free` need no stack
//! frame. Whatever they do not handle, they leave to the functions in `buffers`, with the lock still held.

use super::buffers::memory_for;
use super::{CLEAN, DIRTY, Pool};
use crate::dropin::page_map::PageMap;
use crate::flags::Flags;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::mem::lock::IrqGuard;

/// The result of a call on the short path.
pub enum Usual<'a, K: Kernel, T> {
    /// The call is done.
    Done(T),
    /// Nothing has changed. The lock is still held.
    Locked(IrqGuard<'a, K, PageMap>),
    /// Nothing has changed, and the lock is not held: another core has it, or the view is not mapped.
    Unavailable,
}

impl<K: Kernel> Pool<K> {
    /// Allocates `pages` pages and returns the first page and its address in the view. `wanted` is what
    /// [`flags_for`](Pool::flags_for) returned. `ACROSS` is whether `pages` is at least
    /// [`FEWEST_ACROSS`](crate::dropin::page_map::FEWEST_ACROSS).
    ///
    /// Context: any.
    #[inline(always)]
    pub fn allocate_usual<const ACROSS: bool>(&self, pages: usize, wanted: Flags) -> Usual<'_, K, (usize, Va)> {
        let (memory, label) = memory_for(wanted);
        let Some(mut map) = self.map.lock_if_free(self.kernel) else { return Usual::Unavailable };
        // Not a parameter that is called: it is not inlined, which takes 24 instructions of a 4 KiB pair on aarch64.
        let taken = if ACROSS { map.take_across(pages, label) } else { map.take_in_word(pages, label) };
        match taken {
            Some(page) => {
                drop(map);
                // The address of the view is read after the pages were allocated: only then it stays (see `removal`).
                match self.view(memory).base() {
                    Some(base) => Usual::Done((page, base + (page << PAGE_SHIFT))),
                    None => self.free_unmapped(page, pages),
                }
            }
            None if self.view(memory).base().is_none() => Usual::Unavailable,
            None => Usual::Locked(map),
        }
    }

    /// Frees the `pages` pages from `page` on, which the pool has no view to show.
    #[cold]
    #[inline(never)]
    fn free_unmapped<T>(&self, page: usize, pages: usize) -> Usual<'_, K, T> {
        // They were allocated just now, so they can be freed.
        let _ = self.free(page, pages);
        Usual::Unavailable
    }

    /// Returns the first page of the buffer that was handed out at `va`, if that is an address in the cached or the uncached
    /// view and no buffer of the pool has a mapping of its own. `va` is a multiple of a page.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn page_usual(&self, va: Va) -> Option<usize> {
        let [cached, uncached, ..] = &self.views;
        let (page, label) = match cached.page_of_aligned(va, self.pages) {
            Some(page) => (page, DIRTY),
            None => (uncached.page_of_aligned(va, self.pages)?, CLEAN),
        };
        ((self.label(page) ^ label) & 1 == 0 && !self.has_own_mappings()).then_some(page)
    }

    /// Frees the `pages` pages from `page` on, if they are the last allocation from the open run. `ACROSS` is whether `pages`
    /// is at least [`FEWEST_ACROSS`](crate::dropin::page_map::FEWEST_ACROSS).
    ///
    /// Context: any.
    #[inline(always)]
    pub fn free_usual<const ACROSS: bool>(&self, page: usize, pages: usize) -> Usual<'_, K, ()> {
        let Some(mut map) = self.map.lock_if_free(self.kernel) else { return Usual::Unavailable };
        let is_done = if ACROSS { map.free_across(page, pages) } else { map.free_in_word(page, pages) };
        match is_done {
            true => Usual::Done(()),
            false => Usual::Locked(map),
        }
    }
}
