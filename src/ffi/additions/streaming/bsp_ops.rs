//! What a streaming mapping calls for a device whose table (`dev->dma_ops`) the BSP set.
//!
//! Such a table may have any mix of operations: the BSP's own, copies of the library's, and null ones, which stand for
//! the library's too. An operation of the BSP's own is called. In place of one of the library's, the work is done here
//! (except for `free`: `rt_dma_free` serves both), because a mapping needs something else than a driver's call does:
//!
//! * A bounce buffer lies within the streaming mask if possible. `rt_dma_alloc` keeps to the coherent mask.
//! * A sync maintains the cache unless the flags have `NOCACHE`. Some sync operations of the library never do, and one
//!   does so whatever the flags are.

use crate::additions::streaming::BspOps;
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::translate::NO_MASK;
use crate::ffi::additions::device::masks::masks_of;
use crate::ffi::additions::device::operations::{allocating_ops_of, unmasked_operation};
use crate::ffi::additions::with_handle;
use crate::ffi::dropin::ops::ops_with;
use crate::ffi::status::errors;
use crate::ffi::{DMA, c_device, pointer, rt_dma_alloc, rt_dma_free};
use crate::flags::Flags;
use crate::kernel::{Addresses, Cache, Device, Handle, Va};
use crate::mem::cache;

/// The operations of the table that a device has at the time of the call.
pub(super) static BSP_OPS: BspOps =
    BspOps { alloc: alloc_by_table, free: free_by_table, sync_out: sync_out_by_table, sync_in: sync_in_by_table };

/// Allocates a bounce buffer by the table's `alloc`. Returns its address and its handle.
///
/// # Safety
/// As [`BspOps`] demands of its `alloc`.
unsafe fn alloc_by_table(device: Device, size: usize) -> Option<(Va, Handle)> {
    if let Some(ops) = allocating_ops_of(device) {
        return allocate_preferring_mask(ops, device, size);
    }
    // SAFETY: the caller guarantees that the device exists; the handle may be written.
    with_handle(|handle| unsafe { rt_dma_alloc(c_device(device), size, handle, 0) })
}

/// Allocates a bounce buffer by operations of the library: within the device's streaming mask, or else anywhere. For
/// memory outside of the mask, a `sync_out` of the BSP's own may return a handle within it.
fn allocate_preferring_mask(ops: MapOps, device: Device, size: usize) -> Option<(Va, Handle)> {
    let anywhere = BufferRequest::new(ops, device, size, Flags::empty());
    let within_mask = BufferRequest { mask: masks_of(device).streaming, ..anywhere };
    // No borrower gives memory back for the first request, and its failure is not counted: the second one may succeed.
    DMA.allocate_without_reclaim_uncounted(&within_mask).or_else(|| DMA.allocate_in_order(&anywhere).ok())
}

/// Frees a bounce buffer by the table's `free`.
///
/// # Safety
/// As [`BspOps`] demands of its `free`.
unsafe fn free_by_table(device: Device, size: usize, va: Va, handle: Handle) {
    // SAFETY: the caller guarantees that the device exists, and that the buffer is its own and is freed once.
    unsafe { rt_dma_free(c_device(device), size, pointer(va), handle, 0) }
}

/// Makes the processor's bytes visible to the device by the table's `sync_out_data`. Returns their handle.
///
/// # Safety
/// As [`BspOps`] demands of its `sync_out`.
unsafe fn sync_out_by_table(device: Device, va: Va, size: usize, flags: Flags) -> Option<Handle> {
    // Not a masked operation, which would refuse a handle outside the mask, and log it. Here the caller checks the
    // mask: it makes a bounce buffer then.
    let sync = unmasked_operation(device, |table| table.sync_out_data)?;
    if let Some(ops) = ops_with(sync, |table| table.sync_out_data) {
        // Not the function, which would log that the device does not reach the bytes. They are contiguous, so the
        // first one's address is enough: a table whose own `alloc` returns other memory needs its own `sync_out_data`.
        let handle = DMA.bus(ops, device).handle_of(DMA.kernel.v2p(va)?, size, NO_MASK)?;
        if !flags.contains(Flags::NOCACHE) {
            DMA.kernel.cache_flush(va, size);
        }
        return Some(handle);
    }
    let mut handle = 0;
    // SAFETY: the caller guarantees that the device exists, and that the bytes are mapped; the handle is a local
    // variable.
    let result = unsafe { sync(c_device(device), pointer(va), size, &mut handle, flags.bits()) };
    (result == errors().ok).then_some(handle)
}

/// Makes the device's bytes visible to the processor by the table's `sync_in_data`. Returns whether it succeeded.
///
/// # Safety
/// As [`BspOps`] demands of its `sync_in`.
unsafe fn sync_in_by_table(device: Device, va: Va, size: usize, handle: Handle, flags: Flags) -> bool {
    let Some(sync) = unmasked_operation(device, |table| table.sync_in_data) else { return false };
    if ops_with(sync, |table| table.sync_in_data).is_none() {
        // SAFETY: the caller guarantees that the device exists, that the bytes are mapped, that `sync_out` returned
        // their handle, and that no code has written to them if the cache is maintained.
        let result = unsafe { sync(c_device(device), pointer(va), size, handle, flags.bits()) };
        return result == errors().ok;
    }
    if !flags.contains(Flags::NOCACHE) {
        // SAFETY: the caller guarantees that no code has written to the bytes since they were flushed.
        unsafe { cache::invalidate(DMA.kernel, va, size) }
    }
    true
}
