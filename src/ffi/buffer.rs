//! `rt_dma_alloc`, `rt_dma_free`, `rt_dma_sync_out_data`, `rt_dma_sync_in_data`.

use core::ffi::c_void;

use super::ops::{default_table, table_of};
use super::{DMA, device, pointer, write_if};
use crate::abi::rt_device;
use crate::flags::Flags;
use crate::kernel::rtthread::errors;
use crate::map_ops::MapOps;

/// Allocates a buffer that the device can reach.
///
/// `size` is in bytes, and is rounded up to whole pages. `dma_handle` takes the address for the device; it may be null.
/// `flags` are `RT_DMA_F_*`. Returns the address for the processor (with `RT_DMA_F_NOMAP` the physical address), or null
/// if `dev` is null, `size` is zero, or no pool that serves the request has room.
///
/// Any context, but a thread for a device's first call, and for a pool's first buffer of a memory type (not cached,
/// write-through); from an interrupt such a call returns null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    let Some(device) = device(dev) else {
        return core::ptr::null_mut();
    };
    if size == 0 {
        return core::ptr::null_mut();
    }
    let Some(table) = table_of(device) else {
        return core::ptr::null_mut();
    };
    match table.alloc {
        None => match DMA.allocate(device, size, Flags::from_bits_retain(flags)) {
            Some(buffer) => {
                // SAFETY: the caller's, or null.
                unsafe { write_if(dma_handle, buffer.pa) };
                pointer(buffer.va)
            }
            None => core::ptr::null_mut(),
        },
        Some(alloc) => {
            let mut handle = 0;
            // SAFETY: an operation of the device's table takes what this function takes; the handle is ours.
            let buffer = unsafe { alloc(dev, size, &mut handle, flags) };
            if !buffer.is_null() {
                // SAFETY: as above.
                unsafe { write_if(dma_handle, handle) };
            }
            buffer
        }
    }
}

/// Gives a buffer back.
///
/// `size`, `cpu_addr` and `dma_handle` are those of its `rt_dma_alloc`; a zero `dma_handle` says that the caller did not
/// ask for it. What does not fit (another size, an address that was not handed out, a second free) is logged and
/// counted, and changes nothing. Null `dev` or `cpu_addr`, or zero `size`, does nothing.
///
/// Any context, but a thread for a buffer that has a mapping of its own (one of a pool beyond the view limit).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_free(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    let Some(device) = device(dev) else { return };
    if size == 0 || cpu_addr.is_null() {
        return;
    }
    let Some(table) = table_of(device) else {
        return;
    };
    match table.free {
        None => {
            let va = cpu_addr.expose_provenance();
            // A refused call is logged where it is refused; C has no way to be told.
            let _ = DMA.free(MapOps::Coherent, device, size, va, dma_handle, Flags::from_bits_retain(flags));
        }
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(free) => unsafe { free(dev, size, cpu_addr, dma_handle, flags) },
    }
}

/// Makes what the processor wrote to `[data, data + size)` visible to the device.
///
/// `dma_handle` takes the address for the device; it may be null. Returns `RT_EOK`; `-RT_EINVAL` if `dev` or `data` is
/// null, `size` is zero, or nothing is mapped at `data`; `-RT_ERROR` if the device cannot reach it.
///
/// Any context, but a thread for a device's first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_out_data(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev) else {
        return errors.inval;
    };
    if data.is_null() || size == 0 {
        return errors.inval;
    }
    let Some(table) = table_of(device) else {
        return errors.error;
    };
    let mut handle = 0;
    let Some(sync) = table.sync_out_data.or(default_table(device).sync_out_data) else {
        return errors.nosys;
    };
    // SAFETY: an operation of the device's table takes what this function takes; the handle is ours.
    let result = unsafe { sync(dev, data, size, &mut handle, flags) };
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    result
}

/// Makes what the device wrote to `[out_data, out_data + size)` visible to the processor.
///
/// Bytes that share a cache line with the buffer's ends are kept. Returns `RT_EOK`; `-RT_EINVAL` if `dev` or `out_data`
/// is null, `size` is zero, or nothing is mapped at `out_data`.
///
/// Any context, but a thread for a device's first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_in_data(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev) else {
        return errors.inval;
    };
    if out_data.is_null() || size == 0 {
        return errors.inval;
    }
    let Some(table) = table_of(device) else {
        return errors.error;
    };
    let Some(sync) = table.sync_in_data.or(default_table(device).sync_in_data) else {
        return errors.nosys;
    };
    // SAFETY: an operation of the device's table takes what this function takes.
    unsafe { sync(dev, out_data, size, dma_handle, flags) }
}
