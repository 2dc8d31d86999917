//! Allocating buffers.

use core::ffi::c_void;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use super::{pages_for, whole_pages};
use crate::dropin::page_map::{FEWEST_ACROSS, PageMap};
use crate::dropin::pool::{FastPath, Pool};
use crate::dropin::registry::Dma;
use crate::dropin::translate::{MapOps, Request};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SIZE, Pa, Va};
use crate::mem::lock::IrqGuard;

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

/// The address of a buffer, as a pointer for C.
pub(crate) type Buffer = NonNull<c_void>;

impl<K: Kernel> Dma<K> {
    /// Allocates as [`allocate_general`](Self::allocate_general) does, for a device whose handles are physical
    /// addresses: most calls take the short path.
    #[inline(always)]
    pub fn allocate_fast(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
    ) -> Option<Buffer> {
        if !wanted.intersects(Flags::DEVICE.union(Flags::NOMAP).union(Flags::WRITE_THROUGH)) {
            for pool in self.pools() {
                let flags = pool.flags();
                if !serves_all(flags, wanted) {
                    continue;
                }
                let pages = whole_pages(size);
                if pages >= FEWEST_ACROSS {
                    return self.allocate_across(device, size, handle, wanted, pool);
                }
                match pool.allocate_fast::<false>(pages, wanted | flags & Flags::NOCACHE) {
                    FastPath::Done(found) => return return_buffer(pool, found, handle),
                    FastPath::Locked(map) => return self.allocate_locked(device, size, handle, wanted, pool, map),
                    FastPath::Unavailable => break,
                }
            }
        }
        self.allocate_general(device, size, handle, wanted, MapOps::NonCoherent)
    }

    /// Allocates [`FEWEST_ACROSS`] pages or more from the open run of `pool`.
    #[inline(never)]
    fn allocate_across(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        pool: &Pool<K>,
    ) -> Option<Buffer> {
        match pool.allocate_fast::<true>(whole_pages(size), pool.flags_for(wanted)) {
            FastPath::Done(found) => return_buffer(pool, found, handle),
            FastPath::Locked(map) => self.allocate_locked(device, size, handle, wanted, pool, map),
            FastPath::Unavailable => self.allocate_general(device, size, handle, wanted, MapOps::NonCoherent),
        }
    }

    /// Allocates from `pool`, whose lock is held, or else as [`allocate_general`](Self::allocate_general) does.
    #[inline(never)]
    fn allocate_locked<'a>(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        pool: &'a Pool<K>,
        map: IrqGuard<'a, K, PageMap>,
    ) -> Option<Buffer> {
        let (pages, flags) = (whole_pages(size), pool.flags_for(wanted));
        if let Some(page) = pool.take_locked(map, pages)
            && let Some(va) = pool.map_buffer(page, pages, flags)
        {
            return return_buffer(pool, (page, va.get()), handle);
        }
        // The pools before this one do not serve the request. This one is searched again; only a request that it cannot serve
        // pays for that.
        self.allocate_general(device, size, handle, wanted, MapOps::NonCoherent)
    }

    /// Allocates a buffer of at least `size` bytes for a device with any operations, returns its address, and writes its
    /// handle to `handle`. It lies in the first pool that has room, in the order in which the pools were installed; with
    /// operations that translate, in one of the regions that the device's node names, if one has room.
    ///
    /// Context: any if the pool's view is mapped already, or its linear map serves; else thread.
    #[inline(never)]
    pub fn allocate_general(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        ops: MapOps,
    ) -> Option<Buffer> {
        let request = Request { ops, device, size, wanted, mask: !0, align: PAGE_SIZE };
        match self.allocate_by(&request) {
            Ok((va, reached)) => {
                if let Some(handle) = handle {
                    *handle = reached;
                }
                buffer(va)
            }
            Err(missed) => {
                if let Missed::Unreachable(pa) = missed {
                    self.refuse_device(Error::NotReachable, device, pa, size);
                }
                None
            }
        }
    }

    /// Counts a request that failed in every pool that could have served it. If memory that was free could not be mapped for
    /// the processor, counts and logs why, unless the kernel logged it: it has no room for the mapping.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    fn count_failure(&self, device: Device, size: usize, wanted: Flags, missed: Missed) {
        for pool in self.pools().filter(|pool| pool.serves(device, wanted) || pool.is_owned_by(device)) {
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

    /// The flags of a request by `device` to `pool`, a region that the device's node names. A device that does not snoop the
    /// cache needs uncached memory. If other devices use the region too, its pool does not have the flag `NOCACHE`, so the
    /// request gets it.
    fn flags_for_named(&self, pool: &Pool<K>, device: Device, wanted: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE) || pool.is_reusable();
        if is_shared && !self.kernel.is_coherent(device) { wanted | Flags::NOCACHE } else { wanted }
    }

    /// Allocates a buffer of at least `size` bytes, all of which the device reaches with addresses up to `mask`. Searches
    /// the same pools as [`Dma::allocate_general`], in their order, by first fit in the part of each that the device reaches.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_within(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
    ) -> Option<(Va, usize)> {
        self.allocate_by(&Request { ops, device, size, wanted, mask, align: PAGE_SIZE }).ok()
    }

    /// Allocates a buffer by `request` and returns its address and its handle. On failure returns why. Memory that could
    /// not be mapped is counted and logged here, memory out of reach is not.
    #[inline(never)]
    pub(crate) fn allocate_by(&self, request: &Request) -> Result<(Va, usize), Missed> {
        let Request { ops, device, size, mut wanted, .. } = *request;
        let mut missed = Missed::Full;
        if size == 0 {
            return Err(missed);
        }
        // The node of a device with translated handles may name regions, which come first.
        let mut only_named = ops.are_translated();
        loop {
            if let Some(found) = self.search(&Request { wanted, ..*request }, only_named, &mut missed) {
                return Ok(found);
            }
            if !only_named {
                self.count_failure(device, size, wanted, missed);
                return Err(missed);
            }
            if let Some(lending) = self.lending.get()
                && let Some(found) = (lending.make_room)(self, lending, request)
            {
                return Ok(found);
            }
            only_named = false;
            wanted |= Flags::ADDRESS_32BITS;
        }
    }

    /// Allocates by `request`; with `only_named`, only from the regions that the device's node names. On failure `missed` is
    /// why, if a pool has room that does not serve.
    #[inline(always)]
    pub(crate) fn search(&self, request: &Request, only_named: bool, missed: &mut Missed) -> Option<(Va, usize)> {
        let Request { ops, device, size, wanted, mask, align } = *request;
        let pages = pages_for(size)?;
        let is_limited = ops.are_translated() || mask != !0 || align > PAGE_SIZE;
        for pool in self.pools().filter(|pool| pool.serves_from(device, wanted, only_named)) {
            let flags = if only_named { self.flags_for_named(pool, device, wanted) } else { wanted };
            let flags = pool.flags_for(flags);
            let taken = if is_limited {
                self.take_reachable(request, pool, pages)
            } else {
                pool.take(pages).map(|page| (page, pool.pa_of(page))).ok_or(Missed::Full)
            };
            match taken {
                Ok((page, handle)) => {
                    if let Some(va) = pool.map_buffer(page, pages, flags) {
                        return Some((va.get(), handle));
                    }
                    *missed = Missed::Unmapped;
                }
                Err(Missed::Full) => {}
                Err(out_of_reach) => *missed = out_of_reach,
            }
        }
        None
    }

    /// Takes the lowest `pages` pages of `pool` that serve `request`, for which they are enough: the device reaches all of its
    /// bytes with addresses up to its mask, and they begin at a multiple of its alignment. Returns the first page and the
    /// handle. If the pool has none, returns [`Missed::Unreachable`] with its start if so much of it is out of reach, however
    /// empty it is. Pages out of reach are not touched: not even for a moment is the pool without them.
    #[inline(never)]
    fn take_reachable(&self, request: &Request, pool: &Pool<K>, pages: usize) -> Result<(usize, usize), Missed> {
        let Request { ops, device, size, mask, align, .. } = *request;
        let bus = self.bus(ops, device);
        let (start, last) = (pool.start(), pool.start().wrapping_add(pool.size() - 1));
        let mut missed = Missed::Unreachable(start);
        let mut from = start;
        while let Some(found) = bus.next_reachable(from, last, mask) {
            let first_page = (found.first - start).div_ceil(PAGE_SIZE);
            // One past the last page where a buffer can end that begins on a page: its own last page need not be reached to
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
}

/// Converts an address to a pointer.
#[inline(always)]
fn buffer(va: Va) -> Option<Buffer> {
    NonNull::new(with_exposed_provenance_mut(va))
}

/// Converts the page and the address of a buffer in `pool`, and writes the handle of a device that is not translated.
#[inline(always)]
fn return_buffer<K: Kernel>(pool: &Pool<K>, (page, va): (usize, Va), handle: Option<&mut usize>) -> Option<Buffer> {
    if let Some(handle) = handle {
        *handle = pool.pa_of(page);
    }
    buffer(va)
}

/// Whether a pool with `flags` serves a request with `wanted` of a device that has no regions of its own.
#[inline(always)]
fn serves_all(flags: Flags, wanted: Flags) -> bool {
    (wanted.difference(flags) & Flags::ADDRESS_32BITS | flags & Flags::DEVICE).is_empty()
}
