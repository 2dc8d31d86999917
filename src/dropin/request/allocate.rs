//! Allocating buffers: the functions of the [paths](super) in their order, and what the general path calls.
//!
//! `allocate_fast`, `allocate_across` and `allocate_locked` serve a request from one pool, and `allocate_general` from
//! all. With the general path alone, an allocation of 4 KiB and its free take 568 instructions on aarch64; the bound is
//! 220.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use super::whole_pages;
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::page_map::{Alignment, FEWEST_ACROSS};
use crate::dropin::pool::{AllocatedPages, Pool, SearchedPools, Unserved, serves_without_device, with_pool_flags};
use crate::dropin::registry::Dma;
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Pa, Va};

/// Why an allocation fails. If pools fail for different reasons, the one furthest down here is reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AllocError {
    /// No pool serves such a request.
    NoPool,
    /// The pool that begins at this address is large enough, but the device does not reach enough of it.
    Unreachable(Pa),
    /// A pool has no room now, or is too small.
    Full,
    /// A pool has room that could not be mapped for the processor.
    Unmapped,
}

/// The address of a buffer, as a pointer for C.
pub type BufferPtr = NonNull<c_void>;

impl<K: Kernel> Dma<K> {
    /// Allocates from the open run of the first pool that serves the flags, for a device whose handles are physical
    /// addresses. If that fails, the next function in the order of the [paths](super) continues.
    // The functions up to `allocate_general` pass the arguments on one by one, in registers. In a struct, whose address
    // they would pass, an allocation of 4 KiB would take about 12 instructions more on aarch64.
    // LLVM inlines this function without `inline(always)`: `rt_dma_alloc` is its only caller.
    pub fn allocate_fast(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut MaybeUninit<Handle>>,
        flags: Flags,
    ) -> Option<BufferPtr> {
        // With `DEVICE`, the pool must belong to the device, which `serves_without_device` does not check. The other
        // two need `map_buffer` after the allocation: it notes that the pool has a buffer without a mapping (`NOMAP`),
        // and chooses the write-through view.
        if !flags.intersects(Flags::DEVICE.union(Flags::NOMAP).union(Flags::WRITE_THROUGH)) {
            for pool in self.pools() {
                let pool_flags = pool.flags();
                if !serves_without_device(pool_flags, flags) {
                    continue;
                }
                let pages = whole_pages(size);
                if pages >= FEWEST_ACROSS {
                    return self.allocate_across(device, size, handle, flags, pool);
                }
                return match pool.allocate_pages_in_word(pages, with_pool_flags(pool_flags, flags)) {
                    Ok(AllocatedPages { page, va }) => return_buffer(va, pool.pa_of(page), handle),
                    Err(unserved) => self.allocate_locked(device, size, handle, flags, pool, unserved),
                };
            }
        }
        self.allocate_general(device, size, handle, flags, MapOps::UNTRANSLATED)
    }

    /// Allocates [`FEWEST_ACROSS`] pages or more from the open run of `pool`; fails at once if no pool is large enough.
    /// (If the pool took them by [`allocate_locked`](Self::allocate_locked) instead, an allocation of 1 MiB would take
    /// 33 instructions more on aarch64.)
    #[inline(never)] // As a part of `rt_dma_alloc`, it would make each call need a stack frame.
    fn allocate_across(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut MaybeUninit<Handle>>,
        flags: Flags,
        pool: &Pool<K>,
    ) -> Option<BufferPtr> {
        let pages = whole_pages(size);
        if pages > pool.page_count() {
            // The general path alone would take 210 instructions more on the host to find that no pool is large enough.
            if self.pools().all(|pool| pages > pool.page_count()) {
                self.count_failure(device, size, flags);
                return None;
            }
            return self.allocate_general(device, size, handle, flags, MapOps::UNTRANSLATED);
        }
        match pool.allocate_pages_across(pages, with_pool_flags(pool.flags(), flags)) {
            Ok(AllocatedPages { page, va }) => return_buffer(va, pool.pa_of(page), handle),
            Err(unserved) => self.allocate_locked(device, size, handle, flags, pool, unserved),
        }
    }

    /// Allocates from `pool`, if its lock is held. Otherwise, or if this pool cannot serve the request, allocates as
    /// [`allocate_general`](Self::allocate_general) does.
    fn allocate_locked<'a>(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut MaybeUninit<Handle>>,
        flags: Flags,
        pool: &'a Pool<K>,
        unserved: Unserved<'a, K>,
    ) -> Option<BufferPtr> {
        let pages = whole_pages(size);
        // A call that does not hold the lock does not wait for it here, as a free does. The cause may also be that the
        // view is not mapped; the general path finds out.
        if let Unserved::Locked(map) = unserved
            && let Some(page) = pool.allocate_pages_locked(map, pages)
            && let Some(va) = pool.map_buffer(page, pages, with_pool_flags(pool.flags(), flags))
        {
            return return_buffer(va.get(), pool.pa_of(page), handle);
        }
        // This function was called for the first pool that serves the request, so the search begins at the same pool
        // again. Only a request that the pool has no room for takes this additional time.
        self.allocate_general(device, size, handle, flags, MapOps::UNTRANSLATED)
    }

    /// Allocates a buffer of at least `size` bytes for a device with any operations, returns its address, and writes
    /// its handle to `handle`. This is [`allocate_in_order`](Self::allocate_in_order) with the arguments of C.
    ///
    /// Context: any if the pool's view is mapped already; otherwise thread.
    pub fn allocate_general(
        &self,
        device: Device,
        size: usize,
        handle: Option<&mut MaybeUninit<Handle>>,
        flags: Flags,
        ops: MapOps,
    ) -> Option<BufferPtr> {
        match self.allocate_in_order(&BufferRequest::new(ops, device, size, flags)) {
            Ok((va, new_handle)) => return_buffer(va, new_handle, handle),
            Err(error) => {
                if let AllocError::Unreachable(pa) = error {
                    self.refuse_device(device, pa, size, Error::NotReachable);
                }
                None
            }
        }
    }

    /// Allocates a buffer for `request` and returns its address and its handle. If handles are translated, the
    /// `memory-region` pools that the device owns are searched first. Then all pools are searched in the order of
    /// the list. The first pool with enough room serves the request.
    ///
    /// Context: as [`allocate_general`](Self::allocate_general).
    ///
    /// # Errors
    /// The reason why no pool served the request. [`AllocError::Unmapped`] is counted and logged here;
    /// [`AllocError::Unreachable`] is not.
    pub fn allocate_in_order(&self, request: &BufferRequest) -> Result<(Va, Handle), AllocError> {
        if request.size == 0 {
            return Err(AllocError::NoPool);
        }
        let mut error_in_owned = AllocError::NoPool;
        // Only a device with translated handles can own `memory-region` pools.
        if request.ops.are_translated() {
            match self.allocate_from_owned(request) {
                Ok(buffer) => return Ok(buffer),
                Err(error) => error_in_owned = error,
            }
        }
        let request = BufferRequest { flags: request.flags_in_all_pools(), ..*request };
        match self.allocate_from_pools(&request, SearchedPools::All) {
            Ok(buffer) => Ok(buffer),
            Err(error) => {
                let error = error.max(error_in_owned);
                self.report_failure(&request, error);
                Err(error)
            }
        }
    }

    /// Allocates a buffer for `request` from the `memory-region` pools that the device owns. If they have no room, and
    /// memory was ever lent, borrowers of these regions give memory back until the request can be served.
    fn allocate_from_owned(&self, request: &BufferRequest) -> Result<(Va, Handle), AllocError> {
        let result = self.allocate_from_pools(request, SearchedPools::Owned);
        if result.is_err()
            && let Some(make_room) = self.loans.make_room.get()
            && let Some(buffer) = make_room(self, request)
        {
            return Ok(buffer);
        }
        result
    }

    /// Allocates a buffer for `request`, whose size is not zero, from the first of these pools that can serve it.
    ///
    /// # Errors
    /// The last of the pools' reasons, in the order of [`AllocError`].
    pub(crate) fn allocate_from_pools(
        &self,
        request: &BufferRequest,
        pools: SearchedPools,
    ) -> Result<(Va, Handle), AllocError> {
        let mut error = AllocError::NoPool;
        for pool in self.pools().filter(|pool| pool.serves_among(request.device, request.flags, pools)) {
            match self.allocate_from_pool(request, pool, pools) {
                Ok(buffer) => return Ok(buffer),
                Err(other) => error = error.max(other),
            }
        }
        Err(error)
    }

    /// Allocates a buffer for `request` from one of these pools, and maps it.
    fn allocate_from_pool(
        &self,
        request: &BufferRequest,
        pool: &Pool<K>,
        pools: SearchedPools,
    ) -> Result<(Va, Handle), AllocError> {
        let BufferRequest { ops, device, size, flags, mask, align } = *request;
        let pages = whole_pages(size);
        let (page, handle) = if ops.are_translated() || mask != NO_MASK || align > PAGE_SIZE {
            self.allocate_reachable(request, pool)?
        } else {
            let page = pool.allocate_pages(pages).ok_or(AllocError::Full)?;
            (page, pool.pa_of(page))
        };
        let flags = match pools {
            SearchedPools::Owned => self.flags_for_owned(pool, device, flags),
            SearchedPools::All => flags,
        };
        // `map_buffer` frees the pages if it fails.
        let va = pool.map_buffer(page, pages, with_pool_flags(pool.flags(), flags)).ok_or(AllocError::Unmapped)?;
        Ok((va.get(), handle))
    }

    /// Returns the flags of a request of `device` to `pool`, a `memory-region` that it owns. A device that does not
    /// snoop the cache needs uncached memory. If other devices use the region too, its pool does not have the flag
    /// `NOCACHE`, so the request gets it.
    fn flags_for_owned(&self, pool: &Pool<K>, device: Device, flags: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE) || pool.is_reusable();
        if is_shared && self.needs_uncached_region(device) { flags | Flags::NOCACHE } else { flags }
    }

    /// Allocates the lowest contiguous free pages of `pool` that the request can use: the device reaches all `size`
    /// bytes with handles up to its mask, and the first handle has the required alignment. Returns the first page and
    /// its handle. Pages that the device does not reach are never allocated, not even for a short time.
    ///
    /// # Errors
    /// [`AllocError::Unreachable`] with the start of the pool if the device could not reach such a buffer even in an
    /// empty pool; [`AllocError::Full`] if it could, or if the pool is too small.
    fn allocate_reachable(&self, request: &BufferRequest, pool: &Pool<K>) -> Result<(usize, Handle), AllocError> {
        let pages = whole_pages(request.size);
        if pages > pool.page_count() {
            return Err(AllocError::Full);
        }
        let (start, last) = (pool.start(), pool.start() + (pool.size() - 1));
        let mut error = AllocError::Unreachable(start);
        for part in self.bus(request.ops, request.device).reachable(start, last, request.mask) {
            let from = (part.first_pa - start).div_ceil(PAGE_SIZE);
            // A buffer begins at this offset at the latest. Its own last page need not be reached to the end.
            let Some(last_offset) = (part.last_pa - start + 1).checked_sub(request.size) else { continue };
            let end = last_offset / PAGE_SIZE + pages;
            if from + pages > end {
                continue;
            }
            error = AllocError::Full;
            // The handle that the pool's first page would have in this part. It may be less than zero, but the low
            // bits, which alone count, are right all the same.
            let first_handle = part.handle.wrapping_sub(part.first_pa - start);
            let alignment = Alignment::of_addresses(first_handle, request.align);
            if let Some(page) = pool.allocate_pages_in_part(from..end, pages, alignment) {
                return Ok((page, part.handle + (pool.pa_of(page) - part.first_pa)));
            }
        }
        Err(error)
    }

    /// Counts a request that failed in every pool that could have served it.
    ///
    /// Context: any.
    pub(crate) fn count_failure(&self, device: Device, size: usize, flags: Flags) {
        for pool in self.pools().filter(|pool| pool.serves(device, flags) || pool.is_owned_by(device)) {
            pool.count_failure(size);
        }
    }

    /// Counts a request that failed for the reason `error` in every pool that could have served it.
    ///
    /// Context: any.
    fn report_failure(&self, request: &BufferRequest, error: AllocError) {
        let BufferRequest { device, size, flags, .. } = *request;
        self.count_failure(device, size, flags);
        if error == AllocError::Unmapped {
            self.refuse_unmapped(device, size);
        }
    }

    /// Counts and logs why memory that was free could not be mapped for the processor. If the kernel had no room for
    /// the mapping, it has logged that itself.
    ///
    /// Context: any.
    #[cold]
    fn refuse_unmapped(&self, device: Device, size: usize) {
        if !self.kernel.can_sleep() {
            self.count_refused();
        } else if !self.kernel.has_page_tables() {
            self.refuse_device(device, 0, size, Error::NoPageTables);
        }
    }
}

/// Returns the address of a new buffer as a pointer, and writes its handle to `handle`.
fn return_buffer(va: Va, new_handle: Handle, handle: Option<&mut MaybeUninit<Handle>>) -> Option<BufferPtr> {
    if let Some(handle) = handle {
        handle.write(new_handle);
    }
    NonNull::new(with_exposed_provenance_mut(va))
}
