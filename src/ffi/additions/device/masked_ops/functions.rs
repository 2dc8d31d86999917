//! The functions of the masked tables.

use core::ffi::c_void;

use super::{freeing_table, masked_ops_of};
use crate::abi::{rt_device, rt_dma_map_ops, rt_err_t, rt_size_t, rt_ubase_t};
use crate::additions::device::masks::{MaskedOps, Masks, is_within};
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::ffi::additions::{return_buffer, with_handle};
use crate::ffi::dropin::ops::{self, default_table, ops_of_alloc, ops_with};
use crate::ffi::status::errors;
use crate::ffi::{DMA, c_device, device_at, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::{Cache, Device, Handle, Va};

/// Allocates within the coherent mask.
///
/// # Safety
/// As `rt_dma_alloc`.
pub(super) unsafe extern "C" fn masked_alloc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    let buffer = device_at(dev).and_then(|device| allocate(device, size, flags));
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// Allocates within the coherent mask of a device with a masked table. Returns the buffer and its handle.
fn allocate(device: Device, size: usize, flags: usize) -> Option<(Va, Handle)> {
    let MaskedOps { masks: Masks { coherent: mask, .. }, original } = masked_ops_of(device)?;
    // With a mask, the library allocates here, because its operation in the table does not know the mask. A null
    // operation is the library's too.
    if let Some(ops) = ops_of_alloc(original)
        && (mask != NO_MASK || original.alloc.is_none())
    {
        let request = BufferRequest { mask, ..BufferRequest::new(ops, device, size, Flags::from_bits_retain(flags)) };
        return DMA.allocate_in_order(&request).ok();
    }
    let (alloc, dev) = (original.alloc?, c_device(device));
    // SAFETY: an operation of the device's table takes what this function takes; the handle is valid.
    let (va, handle) = with_handle(|handle| unsafe { alloc(dev, size, handle, flags) })?;
    // An operation of the BSP does not know of the mask.
    if !is_within(handle, size, mask) {
        // SAFETY: the buffer was allocated by this table just now. The device may have another table by now.
        unsafe { free_by(original, dev, size, pointer(va), handle, flags) };
        return None;
    }
    Some((va, handle))
}

/// Frees by the operations of the [table that frees](freeing_table) for the device.
///
/// # Safety
/// As `rt_dma_free`.
pub(super) unsafe extern "C" fn masked_free(
    dev: *mut rt_device,
    size: rt_size_t,
    cpu_addr: *mut c_void,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) {
    let Some(device) = device_at(dev) else { return };
    // SAFETY: the caller passes what `rt_dma_free` takes; the table is the one that frees for the device.
    unsafe { free_by(freeing_table(device), dev, size, cpu_addr, dma_handle, flags) };
}

/// Frees by the operation of `table`.
///
/// # Safety
/// As `rt_dma_free`. `table` allocated the buffer, or is the one that [frees](freeing_table) for the device.
unsafe fn free_by(
    table: &rt_dma_map_ops,
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    let free = table.free.unwrap_or(ops::free::<{ MapOps::UNTRANSLATED as usize }>);
    // SAFETY: an operation of the device's table takes what this function takes.
    unsafe { free(dev, size, cpu_addr, dma_handle, flags) }
}

/// Syncs for the device, and refuses a handle outside the streaming mask.
///
/// # Safety
/// As `rt_dma_sync_out_data`.
pub(super) unsafe extern "C" fn masked_sync_out(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let errors = errors();
    let Some(device) = device_at(dev) else { return errors.inval };
    let Some(MaskedOps { masks, original }) = masked_ops_of(device) else { return errors.error };
    let Some(sync) = original.sync_out_data.or_else(|| default_table(device).sync_out_data) else {
        return errors.nosys;
    };
    let mut handle = 0;
    // SAFETY: an operation of the device's table takes what this function takes; the handle is a local variable.
    let result = unsafe { sync(dev, data, size, &mut handle, flags) };
    if result != errors.ok {
        return result;
    }
    if !is_within(handle, size, masks.streaming) {
        // SAFETY: the caller passes what `rt_dma_sync_out_data` takes; this operation returned the handle.
        unsafe { undo_sync_out(original, dev, data, size, handle) };
        DMA.refuse_device(device, handle, size, Error::NotReachable);
        return errors.error;
    }
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, handle) };
    result
}

/// Undoes a `sync_out` by the operations of `table` whose result is not used, if they are the BSP's own: calls the
/// `sync_in`. The BSP's `sync_out` may hold something until the next `sync_in`, and the driver does not call that after
/// an error.
///
/// # Safety
/// As `rt_dma_sync_in_data` with `NOCACHE`. The `sync_out` of the table, or the default one in its place, returned the
/// handle for these bytes.
unsafe fn undo_sync_out(table: &rt_dma_map_ops, dev: *mut rt_device, data: *mut c_void, size: usize, handle: Handle) {
    let (Some(sync_out), Some(sync_in)) = (table.sync_out_data, table.sync_in_data) else { return };
    let are_own = ops_with(sync_out, |table| table.sync_out_data).is_none()
        && ops_with(sync_in, |table| table.sync_in_data).is_none();
    if !are_own {
        return;
    }
    // A `sync_in` may invalidate lines whatever the flags are, and the driver keeps the bytes.
    if DMA.is_mapped(data.expose_provenance(), size) {
        DMA.kernel.cache_flush(data.expose_provenance(), size);
    }
    // SAFETY: an operation of the device's table takes what this function takes.
    unsafe { sync_in(dev, data, size, handle, Flags::NOCACHE.bits()) };
}

/// Syncs for the processor by the operations of the original table.
///
/// # Safety
/// As `rt_dma_sync_in_data`.
pub(super) unsafe extern "C" fn masked_sync_in(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let Some(device) = device_at(dev) else { return errors().inval };
    let Some(MaskedOps { original, .. }) = masked_ops_of(device) else { return errors().error };
    match original.sync_in_data.or_else(|| default_table(device).sync_in_data) {
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(sync) => unsafe { sync(dev, out_data, size, dma_handle, flags) },
        None => errors().nosys,
    }
}
