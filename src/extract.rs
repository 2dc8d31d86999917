//! Carving the boot pools out of reserved memory: how a region is split.
//!
//! memblock's list is only read. What counts as consumed is what an installed pool covers: the list must go on holding
//! those pages, because the page allocator takes whatever it does not hold.

use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;

use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Kernel, Name, Pa, RegionList};
use crate::pool::{NamedBy, Region};
use crate::registry::Dma;

/// One past the highest address that 32 bits can name.
const FOUR_GIB: u64 = 1 << 32;

/// The name of the pool for uncached buffers.
const COHERENT: &CStr = c"coherent-pool";

impl<K: Kernel> Dma<K> {
    /// Takes `total` bytes from the first region of `list` that has room below 4 GiB, or else from one above: the lower
    /// `coherent` bytes become pool `coherent-pool`, the rest pool `cma`. [`Error::High`] says that it did so, above.
    /// *Thread.*
    pub fn extract(&self, list: RegionList, total: usize, coherent: usize) -> Result<(), Error> {
        let result = self.carve(list, total, coherent);
        if let Err(error) = result {
            self.complain(error, Name::of(c"dma-pool"), 0, total, coherent);
        }
        result
    }

    #[inline(always)]
    fn carve(&self, list: RegionList, total: usize, coherent: usize) -> Result<(), Error> {
        if total < coherent || total == 0 {
            return Err(Error::BadSize);
        }
        let Some(installer) = self.installer() else { return Err(Error::Context) };
        let (index, start) = self.room(list, total)?;
        let end = start + total;
        // One size for both is one pool.
        let (middle, name) = if coherent == total { (start, COHERENT) } else { (start + coherent, c"cma") };
        let low = Region { start, end: middle, name: Name::of(COHERENT) };
        let high = Region { start: middle, end, name: Name::of(name) };
        self.add_pool(
            &installer,
            &high,
            Flags::empty(),
            NamedBy::NOBODY,
            if start == middle { None } else { Some(&low) },
        )?;
        self.kernel.consume(list, index, start, end);
        if end as u64 <= FOUR_GIB { Ok(()) } else { Err(Error::High) }
    }

    /// Where `total` bytes can be taken, and from which region: the lowest that is left of the first one with room for
    /// them below 4 GiB; where none has, of the last one with room above, as the C original does.
    #[inline(always)]
    fn room(&self, list: RegionList, total: usize) -> Result<(usize, Pa), Error> {
        /// No region begins there that has a byte.
        const NONE: Pa = Pa::MAX;
        let (mut found, mut start, mut index) = (0, NONE, 0);
        let error = 'search: loop {
            let (mut from, last) = match self.kernel.region(list, index) {
                Ok(region) => region,
                // The list's end, or there is none.
                Err(error) => break error,
            };
            while let Some(end) = from.checked_add(total)
                && end <= last
            {
                if let Some(pool) = self.covering(from, end) {
                    // What is left begins behind it.
                    from = pool.public.region_end.load(Relaxed).max(pool.end());
                    continue;
                }
                (found, start) = (index, from);
                if end as u64 <= FOUR_GIB {
                    break 'search Error::NoRegion;
                }
                break;
            }
            index += 1;
        };
        if start == NONE { Err(error) } else { Ok((found, start)) }
    }
}
