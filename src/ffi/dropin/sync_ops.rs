//! The sync operations of the four tables that the library gives to devices.
//!
//! virtio and network drivers call sync for every buffer. For speed, each table therefore has functions of its own, and
//! no test at run time finds out which table it is: `OPS` is the index of the table's operations in [`MapOps::ALL`].
//! `benches/syncs.c` compares their instructions with RT-Thread's.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_err_t, rt_size_t, rt_ubase_t};
use crate::dropin::map_ops::MapOps;
use crate::error::Error;
use crate::ffi::status::{errors, status};
use crate::ffi::{DMA, write_if};
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Va};

/// A table's `sync_out_data`. Unless `dma_handle` is null, writes the handle there, or 0 if the call fails.
///
/// # Safety
/// As `rt_dma_sync_out_data`, but `dev` and `data` are not null and `size` is not zero.
pub(super) unsafe extern "C" fn sync_out<const OPS: usize>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let ops = const { MapOps::ALL[OPS] };
    let (device, data, flags) =
        (Device::at(dev.expose_provenance()), data.expose_provenance(), Flags::from_bits_retain(flags));
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe {
        match ops {
            MapOps::Coherent if dma_handle.is_null() => sync_status(DMA.flush_or_refuse(device, data, size)),
            // The address is not checked for a caller that does not need the handle.
            MapOps::NonCoherent if dma_handle.is_null() => errors().ok,
            MapOps::Coherent | MapOps::NonCoherent => sync_out_by(ops, device, data, size, dma_handle, flags),
            MapOps::Pci => match DMA.first_window_handle(device, data, size) {
                // Nearly every buffer of a PCI device lies in the first window of the bridge.
                Some(handle) => write_handle_and_flush(ops, data, size, handle, dma_handle, flags),
                None => sync_out_translated(ops, device, data, size, dma_handle, flags),
            },
            MapOps::DeviceTree => sync_out_translated(ops, device, data, size, dma_handle, flags),
        }
    }
}

/// Does what [`sync_out_by`] does. One copy of it serves both tables that translate handles.
///
/// # Safety
/// As [`sync_out_by`].
unsafe fn sync_out_translated(
    ops: MapOps,
    device: Device,
    data: Va,
    size: usize,
    dma_handle: *mut usize,
    flags: Flags,
) -> isize {
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { sync_out_by(ops, device, data, size, dma_handle, flags) }
}

/// Makes the bytes of a buffer visible to the device by the operations `ops`, and writes the handle.
///
/// # Safety
/// `dma_handle` is null or may be written.
#[inline(always)] // Otherwise each call with a handle takes 28 instructions more on aarch64.
unsafe fn sync_out_by(
    ops: MapOps,
    device: Device,
    data: Va,
    size: usize,
    dma_handle: *mut usize,
    flags: Flags,
) -> isize {
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe {
        match DMA.handle_or_refuse(ops, device, data, size) {
            Ok(handle) => write_handle_and_flush(ops, data, size, handle, dma_handle, flags),
            Err(error) => {
                write_if(dma_handle, 0);
                status_of_refusal(error)
            }
        }
    }
}

/// Ends a sync out of a buffer whose handle is known: writes the handle, and flushes the buffer if the operations and
/// the flags require it.
///
/// # Safety
/// `dma_handle` is null or may be written.
unsafe fn write_handle_and_flush(
    ops: MapOps,
    data: Va,
    size: usize,
    handle: Handle,
    dma_handle: *mut usize,
    flags: Flags,
) -> isize {
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, handle) };
    DMA.flush_out(ops, data, size, flags);
    errors().ok
}

/// The coherent table's `sync_in_data`.
///
/// # Safety
/// As `rt_dma_sync_in_data`, but `dev` and `out_data` are not null and `size` is not zero.
// The `link_section` keeps LLVM from moving parts of it into other functions: see `rt_dma_alloc`. That would cost 6
// instructions.
#[unsafe(link_section = ".text.sync_in_coherent")]
pub(super) unsafe extern "C" fn sync_in_coherent(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    _dma_handle: rt_ubase_t,
    _flags: rt_ubase_t,
) -> rt_err_t {
    let (device, data) = (Device::at(dev.expose_provenance()), out_data.expose_provenance());
    // SAFETY: the driver gave the buffer to the device. If the driver writes to it in that time, it allows that the
    // bytes are lost, as with the C original.
    sync_status(unsafe { DMA.invalidate_or_refuse(device, data, size) })
}

/// The `sync_in_data` of another table: does what the coherent table's does, if its operations maintain the cache.
///
/// # Safety
/// As [`sync_in_coherent`].
pub(super) unsafe extern "C" fn sync_in<const OPS: usize>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    if !const { MapOps::ALL[OPS] }.sync_maintains_cache(Flags::from_bits_retain(flags)) {
        return errors().ok;
    }
    // SAFETY: as this function demands.
    unsafe { sync_in_coherent(dev, out_data, size, dma_handle, flags) }
}

/// Returns the error number of a sync call's result.
fn sync_status(result: Result<(), Error>) -> isize {
    match result {
        Ok(()) => errors().ok,
        Err(error) => status_of_refusal(error),
    }
}

/// Returns the error number of a refused sync call.
#[cold]
#[inline(never)] // As a separate function, it leaves two instructions for the usual result.
fn status_of_refusal(error: Error) -> isize {
    status(Err(error))
}
