//! Allocating and freeing the pages of a pool's buffers, with the lock and the steps that settle the page map.

use core::ops::Range;

use super::Pool;
use crate::dropin::page_map::{Alignment, FreeStep, PageMap, SearchStep, TimeLeft};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::mem::lock::IrqGuard;

/// How many times a call releases the lock between steps that settle the map. After that it does all remaining steps
/// without releasing the lock.
const SETTLE_PATIENCE: usize = 16;

impl<K: Kernel> Pool<K> {
    /// Allocates the lowest `page_count` contiguous free pages and returns the first; `None` if no free run is long
    /// enough.
    ///
    /// Context: any.
    pub fn allocate_pages(&self, page_count: usize) -> Option<usize> {
        // A request for more pages than the pool has fails without the lock.
        if page_count > self.page_count { None } else { self.allocate_pages_locked(self.lock(), page_count) }
    }

    /// Allocates as [`allocate_pages`](Self::allocate_pages) does, with the lock held, and releases it.
    pub fn allocate_pages_locked<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>, page_count: usize) -> Option<usize> {
        // If a fast path came before, the open run may serve the request all the same: a fast path also refuses pages
        // that are across two words, or have another cache state.
        match map.allocate_from_open(page_count) {
            Some(page) => Some(page),
            None => self.settle_for_search(map).allocate_from_tree(page_count),
        }
    }

    /// Settles the locked map, and returns it locked, with time left for a search of the tree.
    fn settle_for_search<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>) -> IrqGuard<'a, K, PageMap> {
        // In this stretch, the caller has only tried the open run. So there is time for one short step of settling and
        // for the search, unless the tree is high.
        if map.is_high() {
            drop(map);
            map = self.lock();
        }
        // Most often the first step of settling is the last, and quick.
        if map.settle_first_step() == TimeLeft::NoTime {
            drop(map);
            map = self.lock_settled(TimeLeft::ForSearch);
        }
        map
    }

    /// Allocates the lowest run of `page_count` free pages that lies in `part` of the pool and begins as `alignment`
    /// demands; returns its first page. `page_count` is not zero.
    ///
    /// The search may have many steps. It releases the lock after each.
    ///
    /// Context: any.
    #[inline(never)] // Inlined, it would add 152 bytes to the linked core on aarch64.
    pub fn allocate_pages_in_part(
        &self,
        mut part: Range<usize>,
        page_count: usize,
        alignment: Alignment,
    ) -> Option<usize> {
        if part.start == 0 && part.end >= self.page_count && alignment.align == 1 {
            return self.allocate_pages(page_count);
        }
        while page_count <= part.len() {
            match self.lock_settled(TimeLeft::ForAnything).allocate_in_part(part.clone(), page_count, alignment) {
                SearchStep::Allocated(page) => return Some(page),
                SearchStep::ContinueAt(page) if page > part.start => part.start = page,
                // There is no such run; or the search does not advance, because C wrote to the bitmap.
                SearchStep::ContinueAt(_) | SearchStep::NoRun => break,
            }
        }
        None
    }

    /// Frees the buffer of `page_count` pages at `page`.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no buffer begins at `page`, [`Error::WrongSize`] if it has another size.
    pub fn free_pages(&self, page: usize, page_count: usize) -> Result<(), Error> {
        self.free_pages_locked(self.lock(), page, page_count)
    }

    /// Frees as [`free_pages`](Self::free_pages) does, with the lock held, and releases it.
    pub fn free_pages_locked<'a>(
        &'a self,
        mut map: IrqGuard<'a, K, PageMap>,
        page: usize,
        page_count: usize,
    ) -> Result<(), Error> {
        while map.try_free(page, page_count)? == FreeStep::SettleFirst {
            drop(map);
            // An allocation needs only `ForSearch`. A free may change the tree, and only a stretch that has settled
            // nothing has time for that.
            map = self.lock_settled(TimeLeft::ForAnything);
        }
        Ok(())
    }

    /// Locks the map, settles it, and returns it locked, with at least the time left that the caller `needs`. Releases
    /// the lock after each step of settling that leaves less.
    pub(super) fn lock_settled(&self, needs: TimeLeft) -> IrqGuard<'_, K, PageMap> {
        let mut map = self.lock();
        let mut patience = SETTLE_PATIENCE;
        loop {
            if map.settle_step() >= needs {
                return map;
            }
            // Whenever the lock is released, another caller may leave new work to settle. To end, this call at last
            // does all of it without releasing the lock.
            if patience != 0 {
                patience -= 1;
                drop(map);
                map = self.lock();
            }
        }
    }

    /// Takes the lock, for which it waits if necessary.
    ///
    /// Context: any.
    #[inline(never)] // Inlined, it would add about 370 bytes to the linked core on aarch64.
    pub(crate) fn lock(&self) -> IrqGuard<'_, K, PageMap> {
        self.page_map.lock(self.kernel)
    }
}
