//! Installing pools. A call adds its pools to the list while it holds the turn of installs. After the turn has ended,
//! it maps them and writes about them to the log ([`Dma::finish_install`]).

use crate::dropin::pool::{Pool, PoolSpec, Region, end_before_wrap, log_reserved};
use crate::dropin::refusals::NO_NUMBER;
use crate::dropin::registry::{Dma, Reinstall};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::mem::heap::KBox;
use crate::mem::turn::TurnGuard;

/// A pool that is not in the list.
pub(crate) enum UnlistedPool<K: Kernel> {
    /// A pool that was just made. Dropping it returns its memory to the heap.
    Made(KBox<K, Pool<K>>),
    /// A pool that was uninstalled and kept, and the functions that install it again.
    Kept(&'static Pool<K>, &'static Reinstall<K>),
}

impl<K: Kernel> Dma<K> {
    /// Makes a pool of `region`, adds it to the end of the list, and maps it linearly if that is possible. Writes one
    /// line to the log: that the memory is reserved, or why the call failed.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::Context`] if the caller may not sleep; otherwise the errors of [`prepare_pool`](Self::prepare_pool).
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, Error> {
        // C computes 0 as the end of a region that ends with the address space.
        let region = Region { end: end_before_wrap(region.start, region.end), ..*region };
        self.try_install(region)
            .inspect_err(|error| self.refuse(*error, region.name, [region.start, region.end], NO_NUMBER))
    }

    /// Installs as [`install`](Self::install) does, but writes no line about an error.
    fn try_install(&self, region: Region) -> Result<&'static Pool<K>, Error> {
        let turn = self.installing.take(self.kernel).ok_or(Error::Context)?;
        self.install_and_end_turn(turn, &PoolSpec::of(region))
    }

    /// Makes the specified pool, adds it to the list, and maps it. `turn` is the turn of installs, which ends before
    /// the pool is mapped. On failure, the turn ends, and nothing else is changed.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// The errors of [`prepare_pool`](Self::prepare_pool).
    pub(crate) fn install_and_end_turn(&self, turn: TurnGuard<K>, spec: &PoolSpec) -> Result<&'static Pool<K>, Error> {
        let pool = self.add(&turn, self.prepare_pool(&turn, spec)?);
        drop(turn);
        self.finish_install(pool);
        Ok(pool)
    }

    /// Makes the specified pool, which is not in the list yet, or resets a kept pool for this purpose. The caller holds
    /// the turn of installs.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::BadSize`] if the region has no whole page, or too many; [`Error::Overlap`] if another pool covers a
    /// part of it; [`Error::Leaving`] if such a pool is being uninstalled; [`Error::NoMemory`] if the heap has no room.
    pub(crate) fn prepare_pool(&self, _turn: &TurnGuard<K>, spec: &PoolSpec) -> Result<UnlistedPool<K>, Error> {
        let region = &spec.region;
        let pages = region.pages().ok_or(Error::BadSize)?;
        if let Some(pool) = self.pool_touching(region.start, region.end) {
            return Err(if pool.has_begun_uninstall() { Error::Leaving } else { Error::Overlap });
        }
        if let Some(reinstall) = self.reinstall.get()
            && let Some(pool) = (reinstall.begin_reinstall)(self, spec, pages)
        {
            return Ok(UnlistedPool::Kept(pool, reinstall));
        }
        Pool::new(self.kernel, spec, pages).map(UnlistedPool::Made).ok_or(Error::NoMemory)
    }

    /// Adds a pool to the list: a new one at the end, a kept one at its earlier place. The caller holds the turn of
    /// installs. The caller ends the turn and then calls [`finish_install`](Self::finish_install) for the pool.
    ///
    /// Context: thread.
    #[must_use = "an added pool is not installed before `finish_install` has got it"]
    #[inline(never)] // Inlined, it would add 52 bytes to the linked core on aarch64.
    pub(crate) fn add(&self, _turn: &TurnGuard<K>, pool: UnlistedPool<K>) -> &'static Pool<K> {
        match pool {
            UnlistedPool::Made(pool) => {
                let pool = pool.leak();
                pool.set_order(self.list.next_order());
                self.list.insert(pool);
                pool
            }
            UnlistedPool::Kept(pool, reinstall) => {
                // All its pages stay taken until `end_reinstall`, so no call allocates from it before.
                self.list.insert(pool);
                (reinstall.end_reinstall)(self, pool);
                pool
            }
        }
    }

    /// Maps a pool that was added to the list, and writes a line about it to the log. The caller does not hold the turn
    /// of installs.
    ///
    /// Context: thread.
    pub(crate) fn finish_install(&self, pool: &Pool<K>) {
        pool.map_at_install();
        let (start, end) = pool.installed_range();
        log_reserved(self.kernel, pool.name(&self.name_readers.enter()), start, end);
        pool.end_install();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Flags;
    use crate::kernel::PAGE_SIZE;
    use crate::kernel::testing::HeapOnly;
    use crate::log::Name;
    use std::boxed::Box;

    /// On a processor of 32 bits such a region ends at exactly 4 GiB: C computes 0 as its end.
    #[test]
    fn fault_30_a_region_that_ends_with_the_address_space_serves_but_for_its_last_page() {
        let dma: &'static Dma<HeapOnly> = Box::leak(Box::new(Dma::new(HeapOnly)));
        let start = 0_usize.wrapping_sub(64 * PAGE_SIZE);
        let pool = dma.install(&Region { start, end: 0, name: Name::NONE }).unwrap();
        assert_eq!((pool.start(), pool.page_count()), (start, 63));
        assert_eq!(pool.flags().contains(Flags::ADDRESS_32BITS), usize::BITS == 32);
        let again = dma.install(&Region { start: start + 32 * PAGE_SIZE, end: 0, name: Name::NONE });
        assert_eq!(again.err(), Some(Error::Overlap));
        assert_eq!((pool.allocate_pages(64), pool.allocate_pages(63), pool.allocate_pages(1)), (None, Some(0), None));
    }
}
