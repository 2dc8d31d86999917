//! Allocating and freeing the pages of a pool's buffers, with the lock and the steps that settle the page map.

use super::{CLEAN, DIRTY, Pool};
use crate::dropin::page_map::{Freed, PageMap, SearchStep, Settled};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT};
use crate::mem::lock::IrqGuard;

/// How many times a call releases the lock between steps that settle the map. After that it does all remaining steps
/// without releasing the lock.
const SETTLE_PATIENCE: usize = 16;

/// Returns the memory type of a request with `flags`, and the label of pages that were last handed out with this type.
/// They contain neither `NOMAP` nor `WRITE_THROUGH`.
pub(super) fn memory_for(flags: Flags) -> (MemoryType, bool) {
    if flags.contains(Flags::NOCACHE) { (MemoryType::Uncached, CLEAN) } else { (MemoryType::Cached, DIRTY) }
}

impl<K: Kernel> Pool<K> {
    /// Allocates the lowest `pages` contiguous free pages and returns the first; `None` if no free run is long enough.
    ///
    /// Context: any.
    pub fn allocate_pages(&self, pages: usize) -> Option<usize> {
        // A request for more pages than the pool has fails without the lock.
        if pages > self.pages { None } else { self.allocate_pages_locked(self.map.lock(self.kernel), pages) }
    }

    /// Allocates as [`allocate_pages`](Self::allocate_pages) does, with the lock held, and releases it.
    pub fn allocate_pages_locked<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>, pages: usize) -> Option<usize> {
        match map.allocate_from_open(pages) {
            Some(page) => Some(page),
            None => self.settle_for_search(map).allocate_from_tree(pages),
        }
    }

    /// Settles the locked map, and returns it locked, with time left for a search of the tree. Unless the tree is high,
    /// a stretch with the lock held has time for one short step of settling and for the search.
    fn settle_for_search<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>) -> IrqGuard<'a, K, PageMap> {
        if !map.has_time(0) {
            drop(map);
            map = self.lock();
        }
        // Most often the first step of settling is the last, and quick.
        if map.settle_first() == Settled::NotYet {
            drop(map);
            map = self.settle_until(Settled::Now);
        }
        map
    }

    /// Returns the flags of a request to this pool: `flags`, and `NOCACHE` if the pool has it. C may change the pool's
    /// flags while a call runs, so a call maps its buffer by flags that it has read once.
    pub fn flags_for(&self, flags: Flags) -> Flags {
        flags | self.flags() & Flags::NOCACHE
    }

    /// Allocates the lowest run of `pages` free pages that lies in the pages `[from, end)` and whose physical address
    /// is a multiple of `align` bytes; returns its first page. `align` is a power of two, and `pages` is not zero.
    ///
    /// The search may have many steps. It releases the lock after each.
    ///
    /// Context: any.
    pub fn allocate_pages_between(&self, from: usize, end: usize, pages: usize, align: usize) -> Option<usize> {
        let align = align >> PAGE_SHIFT;
        if from == 0 && end >= self.pages && align <= 1 {
            return self.allocate_pages(pages);
        }
        let base = self.start >> PAGE_SHIFT;
        let mut from = from;
        while from < end && pages <= end - from {
            match self.lock_settled().allocate_between(from, end, pages, base, align.max(1)) {
                SearchStep::Allocated(page) => return Some(page),
                SearchStep::ContinueAt(page) if page > from => from = page,
                // There is no such run; or the search does not advance, because C wrote to the bitmap.
                SearchStep::ContinueAt(_) | SearchStep::NoRun => break,
            }
        }
        None
    }

    /// Frees the buffer of `pages` pages at `page`.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no buffer begins at `page`, [`Error::WrongSize`] if it has another size.
    #[inline(always)]
    pub fn free_pages(&self, page: usize, pages: usize) -> Result<(), Error> {
        self.free_pages_locked(self.lock(), page, pages)
    }

    /// Frees as [`free_pages`](Self::free_pages) does, with the lock held, and releases it.
    pub fn free_pages_locked<'a>(
        &'a self,
        mut map: IrqGuard<'a, K, PageMap>,
        page: usize,
        pages: usize,
    ) -> Result<(), Error> {
        while map.try_free(page, pages)? == Freed::SettleFirst {
            drop(map);
            map = self.lock_settled();
        }
        Ok(())
    }

    /// Locks the map, settles it, and returns it locked. The lock was taken again after the last step, so the caller
    /// may do work of its own with it.
    pub(super) fn lock_settled(&self) -> IrqGuard<'_, K, PageMap> {
        self.settle_until(Settled::Already)
    }

    /// Locks the map, settles it, and returns it locked. The lock is released after each step whose result is neither
    /// `last` nor [`Settled::Already`]. With [`Settled::Now`], the caller's own work is so short that it may follow a
    /// short step without releasing the lock.
    fn settle_until(&self, last: Settled) -> IrqGuard<'_, K, PageMap> {
        let mut map = self.lock();
        let mut patience = SETTLE_PATIENCE;
        loop {
            let step = map.settle();
            if step == Settled::Already || step == last {
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

    #[inline(never)]
    pub(crate) fn lock(&self) -> IrqGuard<'_, K, PageMap> {
        self.map.lock(self.kernel)
    }
}
