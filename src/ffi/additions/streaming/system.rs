//! The streaming mappings of the system, and what they and the device records call.

use crate::additions::streaming::{BspOps, Streaming, StreamingMaps};
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::translate::NO_MASK;
use crate::ffi::additions::device::masks::masks_of;
use crate::ffi::additions::device::operations::{allocating_ops_of, unmasked_operation};
use crate::ffi::additions::hooks::StreamFunctions;
use crate::ffi::additions::with_handle;
use crate::ffi::dropin::ops::{ops_with, stored_table};
use crate::ffi::status::errors;
use crate::ffi::{DMA, c_device, pointer, rt_dma_alloc, rt_dma_free};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Addresses, Cache, Device, Handle, Va};
use crate::mem::cache;

/// The streaming mappings of the system. Only functions that make, end or sync such mappings refer to them, so that a
/// system without streaming mappings does not link them.
pub(in crate::ffi) static STREAMING: Streaming<'static, RtThread> = Streaming::new(&DMA, &MAPPINGS);

static MAPPINGS: StreamingMaps<RtThread> = StreamingMaps::new();

/// What other additions call.
pub(super) static FUNCTIONS: StreamFunctions = StreamFunctions {
    forget_earlier_device: |device| STREAMING.forget_earlier_device(device, || stored_table(device).is_none()),
    tidy: || STREAMING.tidy(),
};

/// The operations of a table that the BSP set, through the functions that call it. Some sync operations of the library
/// leave the cache alone, and one maintains it whatever the flags are. Where a table has one of these, the cache is
/// therefore maintained here.
pub(super) static BSP: BspOps = BspOps { alloc, free, sync_out, sync_in };

/// See [`BspOps::alloc`].
///
/// # Safety
/// The device exists.
unsafe fn alloc(device: Device, size: usize) -> Option<(Va, Handle)> {
    if let Some(ops) = allocating_ops_of(device) {
        // Within the streaming mask if possible. `rt_dma_alloc` keeps to the coherent mask.
        let request = BufferRequest::new(ops, device, size, Flags::empty());
        let mask = masks_of(device).streaming;
        let within_mask = DMA.allocate_without_reclaim_uncounted(&BufferRequest { mask, ..request });
        return within_mask.or_else(|| DMA.allocate_in_order(&request).ok());
    }
    // SAFETY: the caller guarantees that the device exists; the handle may be written.
    with_handle(|handle| unsafe { rt_dma_alloc(c_device(device), size, handle, 0) })
}

/// See [`BspOps::free`].
///
/// # Safety
/// The device exists.
unsafe fn free(device: Device, size: usize, va: Va, handle: Handle) {
    // SAFETY: the caller guarantees that the device exists; addresses are not read.
    unsafe { rt_dma_free(c_device(device), size, pointer(va), handle, 0) }
}

/// See [`BspOps::sync_out`].
///
/// # Safety
/// The device exists.
unsafe fn sync_out(device: Device, va: Va, size: usize, flags: Flags) -> Option<Handle> {
    // Not a masked operation, which would refuse a handle outside the mask, and log it. Here the caller checks the
    // mask: it makes a bounce buffer then.
    let sync = unmasked_operation(device, |table| table.sync_out_data)?;
    if let Some(ops) = ops_with(sync, |table| table.sync_out_data) {
        // Not the function, which would log that the device does not reach the bytes.
        let handle = DMA.bus(ops, device).handle_of(DMA.kernel.v2p(va)?, size, NO_MASK)?;
        if !flags.contains(Flags::NOCACHE) {
            DMA.kernel.cache_flush(va, size);
        }
        return Some(handle);
    }
    let mut handle = 0;
    // SAFETY: the caller guarantees that the device exists; the handle is a local variable.
    let result = unsafe { sync(c_device(device), pointer(va), size, &mut handle, flags.bits()) };
    (result == errors().ok).then_some(handle)
}

/// See [`BspOps::sync_in`].
///
/// # Safety
/// The device exists. Without `NOCACHE` among the flags, no code has written to the bytes since they were flushed.
unsafe fn sync_in(device: Device, va: Va, size: usize, handle: Handle, flags: Flags) -> bool {
    let Some(sync) = unmasked_operation(device, |table| table.sync_in_data) else { return false };
    if ops_with(sync, |table| table.sync_in_data).is_none() {
        // SAFETY: the caller guarantees that the device exists; addresses are not read.
        let result = unsafe { sync(c_device(device), pointer(va), size, handle, flags.bits()) };
        return result == errors().ok;
    }
    if !flags.contains(Flags::NOCACHE) {
        // SAFETY: the caller guarantees that no code has written to the bytes since they were flushed.
        unsafe { cache::invalidate(DMA.kernel, va, size) }
    }
    true
}
