//! Allocating from one pool, for a device whose handles are physical addresses: the functions of the [paths](super) up
//! to the general one, in their order.
//!
//! With the general path alone, an allocation of 4 KiB and its free take 568 instructions on aarch64; the bound is 220.

use core::mem::MaybeUninit;

use super::{BufferPtr, return_buffer, whole_pages};
use crate::dropin::map_ops::MapOps;
use crate::dropin::page_map::FEWEST_ACROSS;
use crate::dropin::pool::{AllocatedPages, Pool, Unserved, serves_without_device, with_pool_flags};
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel};

impl<K: Kernel> Dma<K> {
    /// Allocates from the open run of the first pool that serves the flags, for a device whose handles are physical
    /// addresses. If that fails, the next function in the order of the [paths](super) continues.
    // The functions of this file pass the arguments on one by one, in registers. In a struct, whose address
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
}
