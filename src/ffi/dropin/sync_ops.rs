//! The sync operations of the four tables that the library gives to devices.
//!
//! virtio and network drivers call sync for every buffer. For speed, each table therefore has functions of its own,
//! without a test at run time of which table it is. `benches/syncs.c` compares their instructions with RT-Thread's.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_err_t, rt_size_t, rt_ubase_t};
use crate::dropin::translate::MapOps;
use crate::error::Error;
use crate::ffi::status::{errors, status};
use crate::ffi::{DMA, variable, write_if};
use crate::flags::Flags;
use crate::kernel::Device;

/// The coherent table's `sync_out_data`. Unless `dma_handle` is null, writes the handle there, or 0 if the call fails.
///
/// # Safety
/// As `rt_dma_sync_out_data`, but `dev` and `data` are not null and `size` is not zero.
pub(super) unsafe extern "C" fn sync_out_coherent(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    if dma_handle.is_null() {
        let device = Device::at(dev.expose_provenance());
        return result_of(DMA.sync_out_without_handle(device, data.expose_provenance(), size));
    }
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
    unsafe { sync_out(dev, data, size, dma_handle, flags, MapOps::Coherent) }
}

/// The non-coherent table's `sync_out_data`. Does not check the address for a caller that does not need the handle.
///
/// # Safety
/// As [`sync_out_coherent`].
pub(super) unsafe extern "C" fn sync_out_non_coherent(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    if dma_handle.is_null() {
        return errors().ok;
    }
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
    unsafe { sync_out(dev, data, size, dma_handle, flags, MapOps::NonCoherent) }
}

/// The device tree table's `sync_out_data`.
///
/// # Safety
/// As [`sync_out_coherent`].
pub(super) unsafe extern "C" fn sync_out_device_tree(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
    unsafe { sync_out_translated(dev, data, size, dma_handle, flags, MapOps::DeviceTree) }
}

/// The PCI table's `sync_out_data`. A buffer that lies in the first window of the bridge, as nearly every buffer does,
/// is translated here; any other buffer in [`sync_out_translated`].
///
/// # Safety
/// As [`sync_out_coherent`].
pub(super) unsafe extern "C" fn sync_out_pci(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let device = Device::at(dev.expose_provenance());
    let Some(handle) = DMA.first_window_handle(device, data.expose_provenance(), size) else {
        // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
        return unsafe { sync_out_translated(dev, data, size, dma_handle, flags, MapOps::Pci) };
    };
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, handle) };
    DMA.flush_out(MapOps::Pci, data.expose_provenance(), size, Flags::from_bits_retain(flags));
    errors().ok
}

/// Makes the bytes of a buffer visible to the device by operations that translate handles, and writes the handle. One
/// copy of [`sync_out`] serves both tables.
///
/// # Safety
/// As [`sync_out_coherent`].
unsafe fn sync_out_translated(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: MapOps,
) -> isize {
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
    unsafe { sync_out(dev, data, size, dma_handle, flags, ops) }
}

/// Makes the bytes of a buffer visible to the device by the operations `ops`, and writes the handle.
///
/// # Safety
/// As [`sync_out_coherent`].
#[inline(always)] // Otherwise each call with a handle takes 28 instructions more on aarch64.
unsafe fn sync_out(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: MapOps,
) -> isize {
    let (device, flags) = (Device::at(dev.expose_provenance()), Flags::from_bits_retain(flags));
    let data = data.expose_provenance();
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    let handle = unsafe { variable(dma_handle) };
    let result = DMA.sync_out(ops, device, data, size, handle, flags);
    if result.is_err() {
        // SAFETY: as above.
        unsafe { write_if(dma_handle, 0) };
    }
    result_of(result)
}

/// The coherent table's `sync_in_data`.
///
/// # Safety
/// As `rt_dma_sync_in_data`, but `dev` and `out_data` are not null and `size` is not zero.
// As in `rt_dma_alloc`: a `link_section` keeps LLVM from moving parts of it into functions of their own, which would cost 6
// instructions.
#[unsafe(link_section = ".text.sync_in_coherent")]
pub(super) unsafe extern "C" fn sync_in_coherent(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    _dma_handle: rt_ubase_t,
    _flags: rt_ubase_t,
) -> rt_err_t {
    let device = Device::at(dev.expose_provenance());
    // SAFETY: the driver gave the buffer to the device. If the driver writes to it in that time, it allows that the
    // bytes are lost, as with the C original.
    result_of(unsafe { DMA.sync_in(MapOps::Coherent, device, out_data.expose_provenance(), size, Flags::empty()) })
}

/// The non-coherent table's `sync_in_data`: there is nothing to do.
///
/// # Safety
/// As [`sync_in_coherent`].
pub(super) unsafe extern "C" fn sync_in_non_coherent(
    _dev: *mut rt_device,
    _out_data: *mut c_void,
    _size: rt_size_t,
    _dma_handle: rt_ubase_t,
    _flags: rt_ubase_t,
) -> rt_err_t {
    errors().ok
}

/// The `sync_in_data` of the device tree's table and of the PCI table.
///
/// # Safety
/// As [`sync_in_coherent`].
pub(super) unsafe extern "C" fn sync_in_translated(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    // The PCI operations maintain the cache for the same flags.
    if !MapOps::DeviceTree.maintain_cache(Flags::from_bits_retain(flags)) {
        return errors().ok;
    }
    // The function of the coherent table does the rest, so that there is one copy of it.
    // SAFETY: the caller passes a device.
    unsafe { sync_in_coherent(dev, out_data, size, dma_handle, flags) }
}

/// Returns the error number of a sync call's result.
fn result_of(result: Result<(), Error>) -> isize {
    match result {
        Ok(()) => errors().ok,
        Err(error) => refused(error),
    }
}

/// Returns the error number of a refused sync call.
#[cold]
#[inline(never)] // As a separate function, it leaves two instructions for the usual result.
fn refused(error: Error) -> isize {
    status(Err(error))
}
