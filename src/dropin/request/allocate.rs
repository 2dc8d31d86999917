//! Allocating from all pools: `allocate_general`, and what it calls. `allocate_fast.rs` has the shorter
//! [paths](super).

use core::mem::MaybeUninit;

use super::{BufferPtr, return_buffer, whole_pages};
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::page_map::Alignment;
use crate::dropin::pool::{Pool, SearchedPools, with_pool_flags};
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

impl<K: Kernel> Dma<K> {
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
        // Only a device with translated handles can own `memory-region` pools.
        let mut error_in_owned = AllocError::NoPool;
        if request.ops.are_translated() {
            match self.allocate_from_owned(request) {
                Ok(buffer) => return Ok(buffer),
                Err(error) => error_in_owned = error,
            }
        }
        let request = request.for_all_pools();
        let result = self.allocate_from_pools(&request, SearchedPools::All).map_err(|error| error.max(error_in_owned));
        if let Err(error) = result {
            self.count_failure(request.device, request.size, request.flags);
            if error == AllocError::Unmapped {
                self.refuse_unmapped(request.device, request.size);
            }
        }
        result
    }

    /// Allocates a buffer for `request` from the `memory-region` pools that the device owns. If they have no room, and
    /// memory was ever lent, borrowers of these regions give memory back until the request can be served.
    fn allocate_from_owned(&self, request: &BufferRequest) -> Result<(Va, Handle), AllocError> {
        let result = self.allocate_from_pools(request, SearchedPools::Owned);
        if result.is_err()
            && let Some(make_room) = self.make_room.get()
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
            // The handle that the pool's first page would have in this part. It wraps if the handles of this part are
            // smaller than the distance to it. The alignment uses only the low bits, which are then correct too.
            let first_handle = part.handle.wrapping_sub(part.first_pa - start);
            let alignment = Alignment::of_addresses(first_handle, request.align);
            if let Some(page) = pool.allocate_pages_in_part(from..end, pages, alignment) {
                return Ok((page, part.handle + (pool.pa_of(page) - part.first_pa)));
            }
        }
        Err(error)
    }

    /// Counts a failed request in each pool that may serve its flags, or that the device owns, whatever the size.
    ///
    /// Context: any.
    pub(crate) fn count_failure(&self, device: Device, size: usize, flags: Flags) {
        for pool in self.pools().filter(|pool| pool.serves(device, flags) || pool.is_owned_by(device)) {
            pool.count_failure(size);
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
