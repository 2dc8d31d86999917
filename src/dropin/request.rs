//! Requests of drivers: allocating and freeing buffers.

use crate::dropin::page_map::{MANY, PageMap, Taken};
use crate::dropin::pool::mapping::Mapping;
use crate::dropin::pool::{Pool, Sought, Usual};
use crate::dropin::registry::Dma;
use crate::dropin::translate::{Bus, MapOps, Request};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::log::Name;
use crate::mem::lock::IrqGuard;
use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::ptr::{NonNull, with_exposed_provenance_mut};

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
    /// Allocates a buffer of at least `size` bytes and returns its address and its handle. It lies in the first pool that
    /// has room, in the order in which the pools were installed; with device-tree operations, in one of the regions that
    /// the device's node names, if one has room.
    ///
    /// Context: any if the pool's view is mapped already, or its linear map serves; else thread.
    #[inline(always)]
    pub fn allocate(&self, ops: MapOps, device: Device, size: usize, wanted: Flags) -> Option<(Va, usize)> {
        let mut handle = 0;
        let buffer = match ops.are_translated() {
            true => self.allocate_translated(device, size, Some(&mut handle), wanted, ops),
            false => self.allocate_untranslated(device, size, Some(&mut handle), wanted),
        };
        buffer.map(|buffer| (buffer.as_ptr().expose_provenance(), handle))
    }

    /// Allocates as [`allocate`](Self::allocate) does, for a device whose handles are physical addresses. Writes the
    /// handle to `handle`.
    #[inline(always)]
    pub fn allocate_untranslated(
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
                if pages >= MANY {
                    return self.allocate_many(device, size, handle, wanted, pool);
                }
                match pool.allocate_usual(pages, wanted | flags & Flags::NOCACHE) {
                    Usual::Done((page, va)) => {
                        if let Some(handle) = handle {
                            *handle = pool.pa_of(page);
                        }
                        return buffer(va);
                    }
                    Usual::Locked(map) => return self.allocate_locked(device, size, handle, wanted, pool, map),
                    Usual::No => break,
                }
            }
        }
        self.allocate_translated(device, size, handle, wanted, MapOps::NonCoherent)
    }

    /// Allocates [`MANY`] pages or more from the open run of `pool`.
    #[inline(never)]
    fn allocate_many(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        pool: &'static Pool<K>,
    ) -> Option<Buffer> {
        match pool.allocate_many(whole_pages(size), pool.request(wanted)) {
            Usual::Done((page, va)) => {
                if let Some(handle) = handle {
                    *handle = pool.pa_of(page);
                }
                buffer(va)
            }
            Usual::Locked(map) => self.allocate_locked(device, size, handle, wanted, pool, map),
            Usual::No => self.allocate_translated(device, size, handle, wanted, MapOps::NonCoherent),
        }
    }

    /// Allocates from `pool`, whose lock is held, or else from the pools after it.
    #[inline(never)]
    fn allocate_locked<'a>(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        pool: &'static Pool<K>,
        map: IrqGuard<'a, K, PageMap>,
    ) -> Option<Buffer> {
        let pages = whole_pages(size);
        let mut missed = Missed::Full;
        let request = pool.request(wanted);
        if let Some(taken) = pool.take_locked(map, pages, request) {
            if let Some(va) = pool.show(taken, pages, request) {
                if let Some(handle) = handle {
                    *handle = pool.pa_of(taken.page);
                }
                return buffer(Some(va));
            }
            missed = Missed::Unmapped;
        }
        let request = Request { ops: MapOps::NonCoherent, device, size, wanted, mask: !0, align: PAGE_SIZE };
        self.allocate_reporting(&request, pool.next.get(), missed, handle)
    }

    /// Allocates as [`allocate`](Self::allocate) does, for a device with any operations. Writes the handle to `handle`.
    #[inline(never)]
    pub fn allocate_translated(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut usize>,
        wanted: Flags,
        ops: MapOps,
    ) -> Option<Buffer> {
        let request = Request { ops, device, size, wanted, mask: !0, align: PAGE_SIZE };
        self.allocate_reporting(&request, self.first.get(), Missed::Full, handle)
    }

    /// Allocates by `request` from `next` and the pools after it. On failure logs why.
    #[inline(never)]
    fn allocate_reporting(
        &self,
        request: &Request,
        next: Option<&'static Pool<K>>,
        missed: Missed,
        handle: Option<&mut usize>,
    ) -> Option<Buffer> {
        match self.allocate_from(request, next, missed) {
            Ok((va, reached)) => {
                if let Some(handle) = handle {
                    *handle = reached;
                }
                buffer(Some(va))
            }
            Err(missed) => {
                if let Missed::Unreachable(pa) = missed {
                    self.refuse_device(Error::NotReachable, request.device, pa, request.size);
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

    /// What a device's request is to one of its regions: where others get cached memory too, and so no flag of the pool shows
    /// it, a device that does not snoop the cache gets uncached memory all the same.
    fn own_request(&self, pool: &Pool<K>, device: Device, wanted: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE) || pool.is_lent();
        if is_shared && !self.kernel.is_coherent(device) { wanted | Flags::NOCACHE } else { wanted }
    }

    /// Allocates a buffer of at least `size` bytes, all of which the device reaches with addresses up to `mask`. Searches
    /// the same pools as [`Dma::allocate`], in their order, by first fit in the part of each that the device reaches.
    ///
    /// Context: as [`Dma::allocate`].
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
    pub(crate) fn allocate_by(&self, request: &Request) -> Result<(Va, usize), Missed> {
        self.allocate_from(request, self.first.get(), Missed::Full).map(|(va, handle)| (va.get(), handle))
    }

    /// Allocates by `request` from the pools from `first` on. `missed` is why the pools before them did not serve it.
    #[inline(never)]
    fn allocate_from(
        &self,
        request: &Request,
        first: Option<&'static Pool<K>>,
        mut missed: Missed,
    ) -> Result<(NonZeroUsize, usize), Missed> {
        let Request { ops, device, size, mut wanted, .. } = *request;
        if size == 0 {
            return Err(missed);
        }
        // A device with translated handles may have regions of its own, which come first.
        let mut own = ops.are_translated();
        loop {
            if let Some(found) = self.search(&Request { wanted, ..*request }, own, first, &mut missed) {
                return Ok(found);
            }
            if !own {
                self.count_failure(device, size, wanted, missed);
                return Err(missed);
            }
            if let Some(lending) = self.lending.get()
                && let Some(found) = (lending.make_room)(self, lending, request)
            {
                return Ok(found);
            }
            own = false;
            wanted |= Flags::ADDRESS_32BITS;
        }
    }

    /// Allocates by `request` from the pools from `first` on; with `own`, only from the regions that the device's node names.
    /// On failure `missed` is why, if a pool has room that does not serve.
    #[inline(always)]
    pub(crate) fn search(
        &self,
        request: &Request,
        own: bool,
        first: Option<&'static Pool<K>>,
        missed: &mut Missed,
    ) -> Option<(NonZeroUsize, usize)> {
        let Request { ops, device, size, wanted, mask, align } = *request;
        let pages = pages_for(size)?;
        let is_limited = ops.are_translated() || mask != !0 || align > PAGE_SIZE;
        let mut next = first;
        while let Some(pool) = next {
            if pool.serves_as(device, wanted, own) {
                let request = pool.request(if own { self.own_request(pool, device, wanted) } else { wanted });
                let taken = if is_limited {
                    self.take_reachable(self.bus(ops, device), pool, size, mask, align, request)
                } else {
                    pool.take(pages, request).map(|taken| (taken, pool.pa_of(taken.page))).ok_or(Missed::Full)
                };
                match taken {
                    Ok((taken, handle)) => {
                        if let Some(va) = pool.show(taken, pages, request) {
                            return Some((va, handle));
                        }
                        *missed = Missed::Unmapped;
                    }
                    Err(Missed::Full) => {}
                    Err(out_of_reach) => *missed = out_of_reach,
                }
            }
            next = pool.next.get();
        }
        None
    }

    /// Takes the lowest pages of a pool that hold `size` bytes, all of which the device reaches with addresses up to `mask`,
    /// and that begin at a multiple of `align`; returns the first page and the handle. If the pool has none, returns
    /// [`Missed::Unreachable`] with its start if so much of it is out of reach, however empty it is. Pages out of reach
    /// are not touched: not even for a moment is the pool without them.
    #[inline(never)]
    fn take_reachable(
        &self,
        bus: Bus<K>,
        pool: &Pool<K>,
        size: usize,
        mask: u64,
        align: usize,
        wanted: Flags,
    ) -> Result<(Taken, usize), Missed> {
        let Some(pages) = pages_for(size) else { return Err(Missed::Full) };
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
                if let Some(taken) = pool.take_between(first_page, end, pages, align, wanted) {
                    return Ok((taken, found.handle + (pool.pa_of(taken.page) - found.first)));
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

    /// Frees the buffer of `size` bytes at `va`, whose handle under `ops` must be `handle`; zero means that the caller
    /// did not ask for the handle. `wanted` are the flags of the call: one number may be both an address in a view and
    /// that of memory that is not mapped, and with [`Flags::NOMAP`] it is looked for as the latter first.
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
        if va == 0 || size == 0 {
            let error = if va == 0 { Error::Foreign } else { Error::WrongSize };
            self.refuse(error, Name::NONE, size, va, handle);
            return Err(error);
        }
        match ops.are_translated() {
            true => self.free_translated(device, size, va, handle, wanted, ops),
            false => self.free_untranslated(device, size, va, handle, wanted),
        }
    }

    /// Frees as [`free`](Self::free) does, for a device whose handles are physical addresses. Does nothing if `size`
    /// or `va` is zero.
    #[inline(always)]
    pub fn free_untranslated(
        &self,
        device: Device,
        size: usize,
        va: Va,
        handle: usize,
        wanted: Flags,
    ) -> Result<(), Error> {
        if !wanted.contains(Flags::NOMAP) && va.is_multiple_of(PAGE_SIZE) {
            for pool in self.pools() {
                let Some(page) = pool.page_usual(va) else { continue };
                if handle != 0 && handle != pool.pa_of(page) {
                    break;
                }
                let pages = whole_pages(size);
                if pages >= MANY {
                    return self.free_many(size, va, handle, pool, page);
                }
                return match pool.free_usual(page, pages) {
                    Usual::Done(()) => Ok(()),
                    Usual::Locked(map) => self.free_locked(size, va, handle, pool, page, map),
                    Usual::No => self.free_later(size, va, handle, pool, page),
                };
            }
        }
        self.free_translated(device, size, va, handle, wanted, MapOps::NonCoherent)
    }

    /// Frees the buffer of [`MANY`] pages or more at `page` of `pool`. A size of zero counts as this many, too: then it does
    /// nothing.
    #[inline(never)]
    fn free_many(&self, size: usize, va: Va, handle: usize, pool: &Pool<K>, page: usize) -> Result<(), Error> {
        if size == 0 {
            return Ok(());
        }
        match pool.free_many(page, whole_pages(size)) {
            Usual::Done(()) => Ok(()),
            Usual::Locked(map) => self.free_locked(size, va, handle, pool, page, map),
            Usual::No => self.free_later(size, va, handle, pool, page),
        }
    }

    /// Frees the buffer at `page` of `pool`, whose lock another core has.
    #[cold]
    #[inline(never)]
    fn free_later(&self, size: usize, va: Va, handle: usize, pool: &Pool<K>, page: usize) -> Result<(), Error> {
        self.free_locked(size, va, handle, pool, page, pool.lock())
    }

    /// Frees the buffer at `page` of `pool`, whose lock is held.
    #[inline(never)]
    fn free_locked<'a>(
        &self,
        size: usize,
        va: Va,
        handle: usize,
        pool: &'a Pool<K>,
        page: usize,
        map: IrqGuard<'a, K, PageMap>,
    ) -> Result<(), Error> {
        let result = pool.free_checked(map, page, whole_pages(size));
        if let Err(error) = result {
            self.refuse(error, pool.name(), size, va, handle);
        }
        result
    }

    /// Frees as [`free`](Self::free) does, for a device with any operations. Does nothing if `size` or `va` is zero.
    #[inline(never)]
    pub fn free_translated(
        &self,
        device: Device,
        size: usize,
        va: Va,
        handle: usize,
        wanted: Flags,
        ops: MapOps,
    ) -> Result<(), Error> {
        // Zero is also the address in the record of a buffer that is gone.
        if size == 0 || va == 0 {
            return Ok(());
        }
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

    /// Checks the handle and the size of a found buffer, unmaps it if it has a mapping of its own, and frees its pages.
    #[inline(always)] // `free_translated` alone calls it.
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
    #[inline(always)] // `free_translated` alone calls it.
    fn find(&self, va: Va, wanted: Flags) -> Option<Found<K>> {
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

/// The address of a buffer, as a pointer for C.
pub(crate) type Buffer = NonNull<c_void>;

/// Converts an address to a pointer.
#[inline(always)]
fn buffer(va: Option<NonZeroUsize>) -> Option<Buffer> {
    NonNull::new(with_exposed_provenance_mut(va.map_or(0, NonZeroUsize::get)))
}

/// Whether a pool with `flags` serves a request with `wanted` of a device that has no regions of its own.
#[inline(always)]
fn serves_all(flags: Flags, wanted: Flags) -> bool {
    (wanted.difference(flags) & Flags::ADDRESS_32BITS | flags & Flags::DEVICE).is_empty()
}

/// The number of pages that hold `size` bytes; for a size of zero, more pages than any pool has.
#[inline(always)]
fn whole_pages(size: usize) -> usize {
    (size.wrapping_sub(1) >> PAGE_SHIFT) + 1
}

/// The number of pages that hold `size` bytes; `None` if `size` is zero.
#[inline(always)]
fn pages_for(size: usize) -> Option<usize> {
    Some((size.checked_sub(1)? >> PAGE_SHIFT) + 1)
}
