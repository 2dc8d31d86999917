//! Making the boot pools from a region of reserved memory (`rt_dma_pool_extract`).
//!
//! memblock's list is only read, and never written. Its entries must stay, because the page allocator takes all memory
//! that is not in the list. Memory therefore counts as used if an installed pool covers it.

use core::ffi::CStr;

use crate::dropin::install::UnlistedPool;
use crate::dropin::pool::{PoolSpec, Region, end_before_wrap, ends_within_4_gib, first_page};
use crate::dropin::refusals::NO_NUMBER;
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{BootRegion, Kernel, PAGE_SIZE, Pa, RegionList};
use crate::log::{Level, Line, Name};
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::turn::TurnGuard;
use crate::text::text;

/// The name at the start of the log lines.
const NAME: Name = Name::of(c"dma-pool");

impl<K: Kernel> Dma<K> {
    /// Makes two pools from `total` bytes of a region of `list`: the lower `coherent` bytes become the pool
    /// `coherent-pool`, the rest becomes the pool `cma`. It is the first region that has that many bytes below 4 GiB.
    /// If there is none, it is one that reaches above 4 GiB: see [`find_part`](Self::find_part).
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// No pool was made: [`Error::BadSize`] if the sizes are wrong, [`Error::Context`] if the caller may not sleep, the
    /// errors of [`PoolRegions::region`](crate::kernel::PoolRegions::region) if no region has enough bytes, and those
    /// of [`prepare_pool`](Self::prepare_pool).
    pub fn extract(&self, list: RegionList, total: usize, coherent: usize) -> Result<(), Error> {
        let result = self.make_boot_pools(list, total, coherent);
        match result {
            Ok(end) if ends_within_4_gib(end) => {}
            Ok(_) => {
                let text = text!("above 4 GiB (0x%lx, 0x%lx, %lu)", total, coherent, NO_NUMBER);
                self.kernel.log(Level::Warning, &Line::about(NAME, text));
            }
            // These are mistakes of the caller, which are counted.
            Err(error @ (Error::Context | Error::BadSize)) => {
                self.refuse(error, NAME, [total, coherent], NO_NUMBER);
            }
            // A board need not have memory for boot pools.
            Err(error) => self.log_failure(error, NAME, [total, coherent], NO_NUMBER),
        }
        result.map(|_| ())
    }

    /// Makes the pools as [`extract`](Self::extract) does, logs nothing, and returns the end of their memory.
    fn make_boot_pools(&self, list: RegionList, total: usize, coherent: usize) -> Result<Pa, Error> {
        // The coherent pool gets whole pages, and the CMA pool begins right after them.
        let coherent_size = coherent & !(PAGE_SIZE - 1);
        if total < coherent || total < PAGE_SIZE || (coherent != 0 && coherent_size == 0) {
            return Err(Error::BadSize);
        }
        let turn = self.installing.take(self.kernel).ok_or(Error::Context)?;
        let RegionPart { region, start, end } = self.find_part(&list, total)?;
        let coherent_end = start.saturating_add(coherent_size).min(end);
        // If the CMA pool would have no page, the coherent pool gets all pages. `prepare_pool` leaves out
        // an incomplete last page.
        let middle = if end - coherent_end < PAGE_SIZE { end } else { coherent_end };
        // Both are made before one is added, so that a failure changes nothing.
        let coherent_pool = self.prepare_boot_pool(&turn, start, middle, c"coherent-pool")?;
        let cma_pool = self.prepare_boot_pool(&turn, middle, end, c"cma")?;
        let add = |pool| self.add(&turn, pool);
        let pools = [coherent_pool.map(add), cma_pool.map(add)];
        self.kernel.shrink_entry(region, end);
        drop(turn);
        for pool in pools.into_iter().flatten() {
            self.finish_install(pool);
        }
        Ok(end)
    }

    /// Makes the pool of `[start, end)` with this name, which is not in the list yet; `None` if the range is empty. The
    /// caller holds the turn of installs.
    ///
    /// # Errors
    /// The errors of [`prepare_pool`](Self::prepare_pool).
    fn prepare_boot_pool(
        &self,
        turn: &TurnGuard<K>,
        start: Pa,
        end: Pa,
        name: &'static CStr,
    ) -> Result<Option<UnlistedPool<K>>, Error> {
        if start == end {
            return Ok(None);
        }
        self.prepare_pool(turn, &PoolSpec::of(Region { start, end, name: Name::of(name) })).map(Some)
    }

    /// Finds the place for `total` bytes of pools: the lowest bytes that are left of the first region with enough of
    /// them below 4 GiB. If no region has that many there, it is the first region in which enough bytes are left that
    /// begin above 4 GiB; and if there is none, the one in which they begin at 4 GiB or contain that border. In this
    /// order the C original takes regions that are not below 4 GiB.
    ///
    /// # Errors
    /// No region has enough bytes left, or there is no list.
    fn find_part(&self, list: &RegionList, total: usize) -> Result<RegionPart, Error> {
        let mut above: Option<RegionPart> = None;
        let mut index = 0;
        loop {
            let region = match self.kernel.region(list, index) {
                Ok(region) => region,
                // The list ends here, or there is no list.
                Err(error) => return above.ok_or(error),
            };
            match self.unused_part(region, total) {
                Some(part) if ends_within_4_gib(part.end) => return Ok(part),
                Some(part) if above.is_none_or(|found| ends_within_4_gib(found.start)) => above = Some(part),
                _ => {}
            }
            index += 1;
        }
    }

    /// Returns the lowest `total` bytes of a region that no pool contains; `None` if the region has not that many left.
    ///
    /// Some bytes of a region cannot be used: physical page 0, the page at the end of the address space, and an
    /// incomplete page where the region begins, or where the rest of it begins after a pool. A region that has `total`
    /// bytes only with them is large enough too: the part then ends at the end of the region, and lacks at most that
    /// many bytes of `total`.
    fn unused_part(&self, mut region: BootRegion, total: usize) -> Option<RegionPart> {
        region.end = end_before_wrap(region.start, region.end);
        // `total` without the bytes that cannot be used. The last byte of the address space, which `end_before_wrap`
        // leaves out, is one of them.
        let mut least = total - usize::from(region.end == Pa::MAX);
        loop {
            let start = first_page(region.start)?;
            least = least.saturating_sub(start - region.start).max(PAGE_SIZE);
            if region.end.checked_sub(start)? < least {
                return None;
            }
            let end = start.saturating_add(total).min(region.end);
            match self.pool_touching(start, end) {
                None => return Some(RegionPart { region, start, end }),
                // The rest of the region begins after this pool.
                Some(pool) => region.start = pool.public.region_end.load(Relaxed).max(pool.end()),
            }
        }
    }
}

/// The part of a boot region from which pools are made.
#[derive(Clone, Copy)]
struct RegionPart {
    /// The rest of the region, without the pools that cover its beginning.
    region: BootRegion,
    /// First byte, which is the start of a page.
    start: Pa,
    /// One past the last byte.
    end: Pa,
}
