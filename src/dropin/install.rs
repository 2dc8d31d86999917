//! Installing pools. A call adds its pools to the list while it holds the turn of installs. After the turn has ended, it maps
//! them and writes about them to the log.

use core::cell::Cell;

use crate::dropin::pool::{NewPool, Pool, PoolSpec, Region, reachable_end};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Kernel, Pa};
use crate::log::Name;
use crate::mem::turn::TurnGuard;

/// The turn of installs, and the pools that its holder has added to the list. When it is dropped, the turn ends first; then
/// the new pools are mapped, and a line about each is written to the log.
pub(crate) struct Installer<'a, K: Kernel> {
    // Fields are dropped in the order of their declaration, so the turn ends first.
    _turn: TurnGuard<'a, K>,
    installed: Installed<K>,
}

/// The pools that a call has added to the list: at most two. When it is dropped, it finishes their install, which may write
/// text.
struct Installed<K: Kernel>([Cell<Option<&'static Pool<K>>>; 2]);

impl<K: Kernel> Installed<K> {
    fn add(&self, pool: &'static Pool<K>) {
        let free = self.0.iter().find(|entry| entry.get().is_none());
        debug_assert!(free.is_some(), "a call installs at most two pools");
        if let Some(entry) = free {
            entry.set(Some(pool));
        }
    }
}

impl<K: Kernel> Drop for Installed<K> {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.iter().filter_map(Cell::get).for_each(Pool::finish_install);
    }
}

impl<K: Kernel> Dma<K> {
    /// Makes a pool of `region`, adds it to the end of the list, and maps it linearly if that is possible. Writes one line to
    /// the log: that the memory is reserved, or why the call failed.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::Context`] if the caller may not sleep; otherwise the errors of [`new_pool`](Self::new_pool).
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, Error> {
        let region = &Region { end: reachable_end(region.start, region.end), ..*region };
        let add = |installer: Installer<K>| {
            self.add_pool(&installer, &PoolSpec::of(*region))?;
            // This finds the new pool, because no other pool covers any part of the region.
            self.pool_in(region.start, region.end).ok_or(Error::Context)
        };
        let result = self.installer().ok_or(Error::Context).and_then(add);
        if let Err(error) = result {
            self.refuse_install(error, region.name, region.start, region.end);
        }
        result
    }

    /// Counts and logs that the install of `[start, end)` failed.
    ///
    /// Context: any.
    pub(crate) fn refuse_install(&self, error: Error, name: Name, start: Pa, end: Pa) {
        self.refuse(error, name, 0, start, end);
    }

    /// Waits for the turn of installs. Returns `None` if the caller may not sleep.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    pub(crate) fn installer(&self) -> Option<Installer<'_, K>> {
        let installed = Installed([const { Cell::new(None) }; 2]);
        Some(Installer { _turn: self.installing.take(self.kernel)?, installed })
    }

    /// Makes the specified pool and adds it to the list. On failure, nothing is changed.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// The errors of [`new_pool`](Self::new_pool).
    pub(crate) fn add_pool(&self, installer: &Installer<K>, spec: &PoolSpec) -> Result<(), Error> {
        let pool = self.new_pool(installer, spec)?;
        self.add(installer, pool);
        Ok(())
    }

    /// Makes the specified pool, which is not in the list yet, or resets a kept pool for this purpose.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::BadSize`] if the region has no whole page, or too many; [`Error::Overlap`] if another pool covers a part of it;
    /// [`Error::Leaving`] if such a pool is being uninstalled; [`Error::NoMemory`] if the heap has no room.
    #[inline(never)]
    pub(crate) fn new_pool(&self, _: &Installer<K>, spec: &PoolSpec) -> Result<NewPool<K>, Error> {
        let region = &spec.region;
        let pages = region.pages().ok_or(Error::BadSize)?;
        if let Some(pool) = self.pool_in(region.start, region.end) {
            return Err(if pool.is_leaving() { Error::Leaving } else { Error::Overlap });
        }
        if let Some(revival) = self.uninstalled.revival.get()
            && let Some(pool) = (revival.revive)(self, spec, pages)
        {
            return Ok(NewPool::Kept(pool));
        }
        Pool::new(self.kernel, spec, pages).map(NewPool::Made).ok_or(Error::NoMemory)
    }

    /// Adds a pool to the list: a new one at the end, a kept one at its earlier place. It is mapped when the installer is
    /// dropped.
    ///
    /// Context: thread.
    #[inline(never)]
    pub(crate) fn add(&self, installer: &Installer<K>, pool: NewPool<K>) {
        let (pool, revival) = match pool {
            NewPool::Made(pool) => {
                let pool = pool.keep();
                pool.set_order(self.list.next_order());
                (pool, None)
            }
            NewPool::Kept(pool) => (pool, self.uninstalled.revival.get()),
        };
        installer.installed.add(pool);
        self.list.insert(pool);
        if let Some(revival) = revival {
            (revival.reopen)(self, pool);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Flags;
    use crate::kernel::PAGE_SIZE;
    use crate::kernel::testing::HeapOnly;
    use std::boxed::Box;

    /// On a processor of 32 bits such a region ends at exactly 4 GiB: C computes 0 as its end.
    #[test]
    fn fault_30_a_region_that_ends_with_the_address_space_serves_but_for_its_last_page() {
        let dma: &'static Dma<HeapOnly> = Box::leak(Box::new(Dma::new(HeapOnly)));
        let start = 0_usize.wrapping_sub(64 * PAGE_SIZE);
        let pool = dma.install(&Region { start, end: 0, name: Name::NONE }).unwrap();
        assert_eq!((pool.start(), pool.pages()), (start, 63));
        assert_eq!(pool.flags().contains(Flags::ADDRESS_32BITS), usize::BITS == 32);
        let again = dma.install(&Region { start: start + 32 * PAGE_SIZE, end: 0, name: Name::NONE });
        assert_eq!(again.err(), Some(Error::Overlap));
        assert_eq!((pool.allocate_pages(64), pool.allocate_pages(63), pool.allocate_pages(1)), (None, Some(0), None));
    }
}
