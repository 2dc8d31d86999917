//! The fast path of most calls. A call takes it if the open run of the pool serves the request, the pages lie in one word of
//! the bitmaps, and the view is mapped. (With `ACROSS`, the pages lie in several words.)
//!
//! These functions call no other function while the lock is held, so that `rt_dma_alloc` and `rt_dma_free` need no stack
//! frame. A case that they do not handle is passed, with the lock still held, to the functions in `buffers`.

use super::buffers::memory_for;
use super::{CLEAN, DIRTY, Pool};
use crate::dropin::page_map::PageMap;
use crate::flags::Flags;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::mem::lock::IrqGuard;

/// The result of a call on the fast path.
pub enum FastPath<'a, K: Kernel, T> {
    /// The call is done.
    Done(T),
    /// Nothing has changed. The lock is still held.
    Locked(IrqGuard<'a, K, PageMap>),
    /// Nothing has changed, and this call does not hold the lock: another core holds it, the view is not mapped, or the
    /// request has more pages than the pool.
    Unavailable,
}

impl<K: Kernel> Pool<K> {
    /// Allocates `pages` pages and returns the first page and its address in the view. `flags` are what
    /// [`flags_for`](Pool::flags_for) returned. `ACROSS` is whether `pages` is at least
    /// [`FEWEST_ACROSS`](crate::dropin::page_map::FEWEST_ACROSS).
    ///
    /// Context: any.
    #[inline(always)]
    pub fn allocate_pages_fast<const ACROSS: bool>(&self, pages: usize, flags: Flags) -> FastPath<'_, K, (usize, Va)> {
        if ACROSS && pages > self.pages {
            return FastPath::Unavailable;
        }
        let (memory, label) = memory_for(flags);
        let view = self.view(memory);
        let Some(mut map) = self.map.lock_if_free(self.kernel) else { return FastPath::Unavailable };
        // The address is read with the lock held. If the allocation below succeeds, the pool was not being unmapped at that
        // time, and is not unmapped while the page is in use (see `removal`).
        let Some(base) = view.base() else { return FastPath::Unavailable };
        // The two functions are selected by a constant and not passed as a closure: the closure is not inlined, which adds 24
        // instructions to an allocation and a free of 4 KiB on aarch64.
        let allocated = if ACROSS {
            map.allocate_from_open_across(pages, label)
        } else {
            map.allocate_from_open_in_word(pages, label)
        };
        match allocated {
            Some(page) => FastPath::Done((page, base + (page << PAGE_SHIFT))),
            None => FastPath::Locked(map),
        }
    }

    /// Returns the first page of the buffer that was handed out at `va`. Returns `None` if `va` does not lie in the cached or the
    /// uncached view, or if any buffer of the pool has its own mapping. `va` is a multiple of the page size.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn find_page_fast(&self, va: Va) -> Option<usize> {
        let [cached, uncached, ..] = &self.views;
        let (page, label) = match cached.page_of_aligned(va, self.pages) {
            Some(page) => (page, DIRTY),
            None => (uncached.page_of_aligned(va, self.pages)?, CLEAN),
        };
        (self.label(page) == label && !self.has_own_mappings()).then_some(page)
    }

    /// Frees the `pages` pages from `page` on, if they are the last allocation from the open run. `ACROSS` is whether `pages`
    /// is at least [`FEWEST_ACROSS`](crate::dropin::page_map::FEWEST_ACROSS).
    ///
    /// Context: any.
    #[inline(always)]
    pub fn free_pages_fast<const ACROSS: bool>(&self, page: usize, pages: usize) -> FastPath<'_, K, ()> {
        let Some(mut map) = self.map.lock_if_free(self.kernel) else { return FastPath::Unavailable };
        let is_done = if ACROSS { map.free_last_across(page, pages) } else { map.free_last_in_word(page, pages) };
        if is_done { FastPath::Done(()) } else { FastPath::Locked(map) }
    }
}
