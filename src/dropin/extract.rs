//! Carving the boot pools out of reserved memory: how a region is split.
//!
//! memblock's list is only read. What counts as consumed is what an installed pool covers: the list must go on holding
//! those pages, because the page allocator takes whatever it does not hold.

use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;

use crate::dropin::pool::{NamedBy, Region, is_below_4_gib};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{BootRegion, Kernel, RegionList};
use crate::log::Name;

/// Whom a line about a call is about.
const NAME: Name = Name::of(c"dma-pool");
/// The name of the pool for uncached buffers.
const COHERENT: &CStr = c"coherent-pool";

impl<K: Kernel> Dma<K> {
    /// Takes `total` bytes from the first region of `list` that has room below 4 GiB, or else from one above: the lower
    /// `coherent` bytes become pool `coherent-pool`, the rest pool `cma`. [`Error::High`] says that it did so, above.
    /// *Thread.*
    pub fn extract(&self, list: RegionList, total: usize, coherent: usize) -> Result<(), Error> {
        let result = self.carve(list, total, coherent);
        match result {
            // The caller is wrong, and is counted.
            Err(error @ (Error::Context | Error::BadSize)) => self.refuse(error, NAME, 0, total, coherent),
            Err(error) => self.complain(error, NAME, 0, total, coherent),
            Ok(()) => {}
        }
        result
    }

    #[inline(always)]
    fn carve(&self, list: RegionList, total: usize, coherent: usize) -> Result<(), Error> {
        if total < coherent || total == 0 {
            return Err(Error::BadSize);
        }
        let Some(installer) = self.installer() else { return Err(Error::Context) };
        let (region, result) = self.room(&list, total);
        if region.address == 0 {
            return result;
        }
        let (start, middle, end) = (region.start, region.start + coherent, region.start + total);
        let low = Region { start, end: middle, name: Name::of(COHERENT) };
        let high = Region { start: middle, end, name: Name::of(c"cma") };
        // One size for both is one pool, and so is none for one.
        let (last, before) = match coherent {
            all if all == total => (&low, None),
            0 => (&high, None),
            _ => (&high, Some(&low)),
        };
        self.add_pool(&installer, last, Flags::empty(), NamedBy::NOBODY, before)?;
        self.kernel.consume(region, end);
        result
    }

    /// Where `total` bytes can be taken, as the start of the region that they are of: the lowest that is left of the first
    /// one with room for them below 4 GiB; where none has, of the last one with room above, as the C original does, with
    /// [`Error::High`]. Else one at no address, and the error.
    #[inline(always)]
    fn room(&self, list: &RegionList, total: usize) -> (BootRegion, Result<(), Error>) {
        let mut found = BootRegion { start: 0, end: 0, address: 0 };
        let mut index = 0;
        loop {
            let mut region = match self.kernel.region(list, index) {
                Ok(region) => region,
                // The list's end, or there is none.
                Err(error) => return (found, Err(if found.address == 0 { error } else { Error::High })),
            };
            while let Some(end) = region.start.checked_add(total)
                && end <= region.end
            {
                if let Some(pool) = self.covering(region.start, end) {
                    // What is left begins behind it.
                    region.start = pool.public.region_end.load(Relaxed).max(pool.end());
                    continue;
                }
                found = region;
                if is_below_4_gib(end) {
                    return (found, Ok(()));
                }
                break;
            }
            index += 1;
        }
    }
}
