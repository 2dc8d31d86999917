//! Carving the boot pools out of reserved memory: how a region is split.
//!
//! memblock's list is only read. What counts as consumed is what an installed pool covers: the list must go on holding
//! those pages, because the page allocator takes whatever it does not hold.

use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;

use crate::dropin::pool::{FirstOwner, Region, first_page, is_below_4_gib, reachable_end};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{BootRegion, Kernel, PAGE_SIZE, Pa, RegionList};
use crate::log::Name;

/// Whom a line about a call is about.
const NAME: Name = Name::of(c"dma-pool");
/// The name of the pool for uncached buffers.
const COHERENT: &CStr = c"coherent-pool";

impl<K: Kernel> Dma<K> {
    /// Takes `total` bytes from the first region of `list` that has room below 4 GiB, or else from one above: the lower
    /// `coherent` bytes become pool `coherent-pool`, the rest pool `cma`. It returns [`Error::High`] if the region lies
    /// above.
    /// Context: thread.
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
        // The coherent pool gets whole pages, and the CMA pool begins right after them.
        let coherent_size = coherent & !(PAGE_SIZE - 1);
        if total < coherent || total < PAGE_SIZE || (coherent != 0 && coherent_size == 0) {
            return Err(Error::BadSize);
        }
        let Some(installer) = self.installer() else { return Err(Error::Context) };
        let (room, result) = self.room(&list, total);
        let Some(Room { region, start, end }) = room else { return result };
        let middle = start.saturating_add(coherent_size).min(end);
        let all = Region { start, end, name: Name::of(COHERENT) };
        let low = Region { start, end: middle, name: Name::of(COHERENT) };
        let high = Region { start: middle, end, name: Name::of(c"cma") };
        // Where one of the two has no page, the other has all.
        let (last, before) = if coherent_size == 0 {
            (&high, None)
        } else if high.pages().is_none() {
            (&all, None)
        } else {
            (&high, Some(&low))
        };
        self.add_pool(&installer, last, Flags::empty(), FirstOwner::NONE, before)?;
        self.kernel.consume(region, end);
        result
    }

    /// Where `total` bytes can be taken: the lowest that are left of the first region with room for them below 4 GiB; where
    /// none has, of the last one with room above, as the C original does, with [`Error::High`]. Else nothing, and the error.
    #[inline(always)]
    fn room(&self, list: &RegionList, total: usize) -> (Option<Room>, Result<(), Error>) {
        let mut found = None;
        let mut index = 0;
        loop {
            let mut region = match self.kernel.region(list, index) {
                Ok(region) => region,
                // The list's end, or there is none.
                Err(error) => return (found, Err(if found.is_none() { error } else { Error::High })),
            };
            region.end = reachable_end(region.start, region.end);
            // The bytes before the first usable page belong to the first pools that are made of the region, and may be
            // missing in the last ones.
            let lost = first_page(region.start).map_or(0, |first| first - region.start);
            while let Some(room) = Room::new(region, total, lost) {
                if let Some(pool) = self.covering(room.start, room.end) {
                    // What is left begins after it.
                    region.start = pool.public.region_end.load(Relaxed).max(pool.end());
                    continue;
                }
                found = Some(room);
                if is_below_4_gib(room.end) {
                    return (found, Ok(()));
                }
                break;
            }
            index += 1;
        }
    }
}

/// Where pools are made of a boot region.
#[derive(Clone, Copy)]
struct Room {
    /// What is left of the region.
    region: BootRegion,
    /// The first byte of a page.
    start: Pa,
    /// One past the last byte.
    end: Pa,
}

impl Room {
    /// The lowest `total` bytes of `region` from its first usable page on; `None` if it has less.
    ///
    /// Bytes that the region has, but that cannot be used, count as if they could: physical page 0, the page at the end of
    /// the address space, the part of a page at the region's start, and the `lost` bytes at the start that earlier
    /// pools left out. The room is smaller by so much.
    fn new(region: BootRegion, total: usize, lost: usize) -> Option<Room> {
        let held = region.end.checked_sub(region.start)?.saturating_add(lost);
        // The end of the address space stands one byte too low.
        let held = held.saturating_add((region.end == Pa::MAX).into());
        let start = first_page(region.start)?;
        let end = start.checked_add(total).map_or(region.end, |end| end.min(region.end));
        let has_page = end.checked_sub(start)? >= PAGE_SIZE;
        (held >= total && has_page).then_some(Room { region, start, end })
    }
}
