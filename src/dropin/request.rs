//! Requests of drivers: allocating and freeing buffers.

use crate::dropin::pool::mapping::Mapping;
use crate::dropin::pool::{Pool, Sought};
use crate::dropin::registry::Dma;
use crate::dropin::translate::{Bus, MapOps};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::log::Name;

/// Why an allocation fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missed {
    /// No pool has room.
    Full,
    /// A pool has room, from this address on, but the device does not reach it.
    Unreachable(Pa),
    /// A pool has room that could not be mapped for the processor.
    Unmapped,
}

/// A buffer that was found by its address.
struct Found<K: Kernel> {
    pool: &'static Pool<K>,
    page: usize,
    /// The buffer's own mapping, if it is not seen through a view.
    mapping: Option<&'static Mapping>,
}

impl<K: Kernel> Dma<K> {
    /// A buffer of at least `size` bytes and its handle: from the first pool that has one, in the order in which they were
    /// installed; with device-tree operations from those that the device's node names first. Any context if the pool's
    /// view is mapped already, or its linear map serves; else *thread*.
    #[inline(always)]
    pub fn allocate(&self, ops: MapOps, device: Device, size: usize, wanted: Flags) -> Option<(Va, usize)> {
        let result = self.allocate_by(ops, device, size, wanted, !0, PAGE_SIZE);
        if let Err(Missed::Unreachable(pa)) = result {
            self.refuse_device(Error::NotReachable, device, pa, size);
        }
        result.ok()
    }

    /// Counts a request that failed in every pool that could have served it. If memory that was free could not be mapped for
    /// the processor, counts and logs why, unless the kernel logged it: it has no room for the mapping.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    fn count_failure(&self, device: Device, size: usize, wanted: Flags, missed: Missed) {
        for pool in self.pools().filter(|pool| pool.serves(device, wanted) || pool.is_named_by(device)) {
            pool.count_failure(size);
        }
        if missed != Missed::Unmapped {
            return;
        }
        if !self.kernel.can_sleep() {
            self.count_refused();
        } else if !self.kernel.has_page_tables() {
            self.refuse_device(Error::NoPageTables, device, 0, size);
        }
    }

    /// What a device's request is to one of its regions: where strangers are served too, and so no flag of the pool says
    /// it, a device that does not snoop the cache gets uncached memory all the same.
    fn own_request(&self, pool: &Pool<K>, device: Device, wanted: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE);
        if is_shared && !self.kernel.is_coherent(device) { wanted | Flags::NOCACHE } else { wanted }
    }

    /// A buffer of at least `size` bytes, all of which the device reaches with addresses up to `mask`: from the pools that
    /// [`Dma::allocate`] would look into, in their order, by first fit in the part of each that the device reaches. Context
    /// as [`Dma::allocate`].
    pub fn allocate_within(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
    ) -> Option<(Va, usize)> {
        self.allocate_by(ops, device, size, wanted, mask, PAGE_SIZE).ok()
    }

    /// The same at a physical address that is a multiple of `align`, a power of two. On failure it returns why. Memory that
    /// could not be mapped is counted and logged here, memory out of reach is not.
    ///
    /// One loop for every device. Those whose handles are physical addresses, and that have no mask, take the short path.
    #[inline(always)]
    pub(crate) fn allocate_by(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
        align: usize,
    ) -> Result<(Va, usize), Missed> {
        let mut missed = Missed::Full;
        let pages = pages_for(size).ok_or(missed)?;
        let is_limited = ops.are_translated() || mask != !0 || align > PAGE_SIZE;
        let mut wanted = wanted;
        // A device with translated handles may have regions of its own, which come first.
        let mut own = ops.are_translated();
        loop {
            let mut next = self.first.get();
            while let Some(pool) = next {
                if pool.serves_as(device, wanted, own) {
                    let taken = if is_limited {
                        self.take_reachable(self.bus(ops, device), pool, size, mask, align)
                    } else {
                        pool.take(pages).map(|page| (page, pool.pa_of(page))).ok_or(Missed::Full)
                    };
                    match taken {
                        Ok((page, handle)) => {
                            let request = if own { self.own_request(pool, device, wanted) } else { wanted };
                            if let Some(va) = pool.show(page, pages, request) {
                                return Ok((va, handle));
                            }
                            missed = Missed::Unmapped;
                        }
                        Err(Missed::Full) => {}
                        Err(out_of_reach) => missed = out_of_reach,
                    }
                }
                next = pool.next.get();
            }
            if !own {
                self.count_failure(device, size, wanted, missed);
                return Err(missed);
            }
            own = false;
            wanted |= Flags::ADDRESS_32BITS;
        }
    }

    /// Takes the lowest pages of a pool that hold `size` bytes, all of which the device reaches with addresses up to `mask`,
    /// and that begin at a multiple of `align`; returns the first page and the handle. If the pool has none, returns
    /// [`Missed::Unreachable`] with its start if so much of it is out of reach, however empty it is. Pages out of reach are not touched: not
    /// even for a moment is the pool without them.
    #[inline(never)]
    fn take_reachable(
        &self,
        bus: Bus<K>,
        pool: &Pool<K>,
        size: usize,
        mask: u64,
        align: usize,
    ) -> Result<(usize, usize), Missed> {
        let Some(pages) = pages_for(size) else { return Err(Missed::Full) };
        let (start, last) = (pool.start(), pool.start().wrapping_add(pool.size() - 1));
        let mut missed = Missed::Unreachable(start);
        let mut from = start;
        while let Some(found) = bus.next_reachable(from, last, mask) {
            let first_page = (found.first - start).div_ceil(PAGE_SIZE);
            // Behind the last page where a buffer can end that begins on a page: its own last page need not be reached to
            // the end.
            let end = (found.last - start + 1).checked_sub(size).map_or(0, |offset| offset / PAGE_SIZE + pages);
            if first_page < end && pages <= end - first_page {
                missed = Missed::Full;
                if let Some(page) = pool.take_between(first_page, end, pages, align) {
                    return Ok((page, found.handle + (pool.pa_of(page) - found.first)));
                }
            }
            if found.last >= last {
                break;
            }
            from = found.last + 1;
        }
        Err(missed)
    }

    /// The device's bus under `ops`.
    #[inline(always)]
    pub(crate) fn bus(&self, ops: MapOps, device: Device) -> Bus<K> {
        Bus { kernel: self.kernel, ops, device }
    }

    /// Frees the buffer of `size` bytes at `va`, whose handle under `ops` must be `handle`; zero means that the caller did not
    /// ask for the handle. `wanted` are the flags of the call: one number may be both an address in a view and that of memory
    /// that is not mapped, and with [`Flags::NOMAP`] it is looked for as the latter first.
    ///
    /// # Errors
    /// Why the call is refused. It is counted and logged, and changes nothing.
    ///
    /// Context: any; thread for a buffer with a mapping of its own.
    #[inline(always)]
    pub fn free(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        va: Va,
        handle: usize,
        wanted: Flags,
    ) -> Result<(), Error> {
        let found = self.find(va, wanted);
        let result = match &found {
            Some(found) => self.give_back(found, self.bus(ops, device), size, va, handle),
            None => Err(Error::Foreign),
        };
        if let Err(error) = result {
            let name = found.map_or(Name::NONE, |found| found.pool.name());
            self.refuse(error, name, size, va, handle);
        }
        result
    }

    #[inline(always)] // `free` alone calls it.
    fn give_back(&self, found: &Found<K>, bus: Bus<K>, size: usize, va: Va, handle: usize) -> Result<(), Error> {
        let Found { pool, page, mapping } = *found;
        let pa = pool.pa_of(page);
        if handle != 0 && handle != pa && !bus.is_handle(pa, handle) {
            return Err(Error::WrongHandle);
        }
        let pages = pages_for(size).ok_or(Error::WrongSize)?;
        if let Some(mapping) = mapping {
            pool.unmap(mapping, va, page, pages)?;
        }
        pool.free(page, pages)
    }

    /// Finds the buffer that was handed out at `va`, if there can be one. Context: any.
    #[inline(always)] // `free` alone calls it.
    fn find(&self, va: Va, wanted: Flags) -> Option<Found<K>> {
        // The address of a buffer that is gone.
        if va == 0 {
            return None;
        }
        let order = match wanted.contains(Flags::NOMAP) {
            true => [Sought::Physical, Sought::InView],
            false => [Sought::InView, Sought::Physical],
        };
        for sought in order {
            for pool in self.pools() {
                if let Some(page) = pool.buffer_at(va, sought) {
                    return Some(Found { pool, page, mapping: None });
                }
            }
            // After the views, so that buffers in views do not pay for those with mappings of their own.
            if sought == Sought::InView {
                for pool in self.pools() {
                    if let Some((page, mapping)) = pool.own.at(va) {
                        return Some(Found { pool, page, mapping: Some(mapping) });
                    }
                }
            }
        }
        None
    }
}

/// The number of pages that hold `size` bytes; `None` if `size` is zero.
#[inline(always)]
fn pages_for(size: usize) -> Option<usize> {
    Some((size.checked_sub(1)? >> PAGE_SHIFT) + 1)
}
