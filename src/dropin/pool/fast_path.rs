//! The fast path of most calls. A call takes it if the open run of the pool serves the request and the view is mapped.
//! Each call has one function for pages in one word of the bitmaps, and one for pages in several words.
//!
//! In the compiled code, nothing is called while the lock is held: all that these functions use is inlined. So
//! `rt_dma_alloc` and `rt_dma_free` need no stack frame. LLVM does this by itself except where `inline(always)` stands.
//! A case that they do not handle is passed, with the lock still held, to the functions in `locked_path`.

use super::Pool;
use super::map_buffer::usual_memory;
use crate::dropin::page_map::{CacheState, PageMap};
use crate::flags::Flags;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::mem::lock::IrqGuard;

/// A call that the fast path could not serve. Nothing has changed.
pub enum Unserved<'a, K: Kernel> {
    /// The call does not hold the lock: another core holds it, or the view is not mapped.
    NotLocked,
    /// The call holds the lock of the pool, and goes on with it.
    Locked(IrqGuard<'a, K, PageMap>),
}

/// Pages that were allocated.
pub struct AllocatedPages {
    /// The first page.
    pub page: usize,
    /// The address of the pages for the processor.
    pub va: Va,
}

impl<K: Kernel> Pool<K> {
    /// Allocates `page_count` pages in one word from the open run, with an address in the view. `flags` are what
    /// [`with_pool_flags`](super::with_pool_flags) returned.
    ///
    /// Context: any.
    pub fn allocate_pages_in_word(&self, page_count: usize, flags: Flags) -> Result<AllocatedPages, Unserved<'_, K>> {
        self.allocate_in_view(flags, |map, cache| map.allocate_from_open_in_word(page_count, cache))
    }

    /// Allocates [`FEWEST_ACROSS`](crate::dropin::page_map::FEWEST_ACROSS) pages or more from the open run, with an
    /// address in the view. `flags` are what [`with_pool_flags`](super::with_pool_flags) returned.
    ///
    /// Context: any.
    pub fn allocate_pages_across(&self, page_count: usize, flags: Flags) -> Result<AllocatedPages, Unserved<'_, K>> {
        self.allocate_in_view(flags, |map, cache| map.allocate_from_open_across(page_count, cache))
    }

    /// Takes the lock if it is free, and allocates pages by `allocate`, which gets the cache state of pages that are
    /// handed out through the view for these flags. Returns the pages with their address in that view. Fails also if
    /// the view is not mapped.
    fn allocate_in_view(
        &self,
        flags: Flags,
        allocate: impl FnOnce(&mut PageMap, CacheState) -> Option<usize>,
    ) -> Result<AllocatedPages, Unserved<'_, K>> {
        let (memory, cache) = usual_memory(flags);
        let view = self.view(memory);
        let mut map = self.lock_if_free()?;
        // The address is read with the lock held. If the call then allocates a page, the pool was not being unmapped at
        // that time, and is not unmapped while the page is in use (uninstall: see `pool/membership.rs`).
        let base = view.base().ok_or(Unserved::NotLocked)?;
        match allocate(&mut map, cache) {
            Some(page) => Ok(AllocatedPages { page, va: base + (page << PAGE_SHIFT) }),
            None => Err(Unserved::Locked(map)),
        }
    }

    /// Takes the lock if it is free.
    fn lock_if_free(&self) -> Result<IrqGuard<'_, K, PageMap>, Unserved<'_, K>> {
        self.page_map.lock_if_free(self.kernel).ok_or(Unserved::NotLocked)
    }

    /// Returns the first page of the buffer that was handed out at `va`. Returns `None` if `va` does not lie in the
    /// cached or the uncached view, or if any buffer of the pool has its own mapping: the page may be that of such a
    /// buffer, whose address is another one. `va` is a multiple of the page size.
    ///
    /// Context: any.
    #[inline(always)] // Otherwise a free takes 28 instructions more on aarch64.
    pub fn buffer_in_view_fast(&self, va: Va) -> Option<usize> {
        let [cached, uncached, _] = &self.views;
        let (page, cache) = match cached.page_of_aligned(va, self.page_count) {
            Some(page) => (page, CacheState::Dirty),
            None => (uncached.page_of_aligned(va, self.page_count)?, CacheState::Clean),
        };
        // With the other cache state, the page was last handed out through another view, and `va` is no buffer's
        // address.
        (self.cache_states.of(page) == cache && !self.has_any_own_mapping()).then_some(page)
    }

    /// Frees the `page_count` pages from `page` on, which lie in one word, if they are the last allocation from the
    /// open run.
    ///
    /// Context: any.
    #[inline(always)] // Otherwise a free takes 25 instructions more on aarch64.
    pub fn free_last_in_word(&self, page: usize, page_count: usize) -> Result<(), Unserved<'_, K>> {
        let mut map = self.lock_if_free()?;
        if map.free_last_in_word(page, page_count) { Ok(()) } else { Err(Unserved::Locked(map)) }
    }

    /// Frees the `page_count` pages from `page` on, which are [across](crate::dropin::page_map::is_across) several
    /// words, if they are the last allocation from the open run.
    ///
    /// Context: any.
    pub fn free_last_across(&self, page: usize, page_count: usize) -> Result<(), Unserved<'_, K>> {
        let mut map = self.lock_if_free()?;
        if map.free_last_across(page, page_count) { Ok(()) } else { Err(Unserved::Locked(map)) }
    }
}
