//! The sync operations of the four tables that the library gives to devices.
//!
//! virtio and network drivers sync every buffer. So each kind of operations has code of its own, without a test of the kind.
//! `benches/syncs.c` counts it against the steps that RT-Thread takes.

use core::ffi::c_void;

use crate::abi::rt_device;
use crate::dropin::translate::MapOps;
use crate::error::Error;
use crate::ffi::status::{errors, status};
use crate::ffi::{DMA, write_if};
use crate::flags::Flags;
use crate::kernel::Device;

/// The operations of table `index`. Evaluated only by the compiler.
pub(in crate::ffi) const fn ops_at(index: usize) -> MapOps {
    MapOps::ALL[index]
}

/// The `sync_out_data` of table `OPS`. Writes the handle, or 0 where the call fails, unless `dma_handle` is null.
///
/// # Safety
/// As `rt_dma_sync_out_data`, but `dev` and `data` are not null and `size` is not zero.
pub(in crate::ffi) unsafe extern "C" fn sync_out<const OPS: usize>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    let ops = const { ops_at(OPS) };
    // SAFETY: the caller's promise.
    unsafe {
        match ops {
            MapOps::Coherent if dma_handle.is_null() => flush(dev, data, size),
            // There is nothing to do.
            MapOps::NonCoherent if dma_handle.is_null() => errors().ok,
            MapOps::Coherent | MapOps::NonCoherent => sync_out_physical::<OPS>(dev, data, size, dma_handle, flags),
            MapOps::DeviceTree => sync_out_translated(dev, data, size, dma_handle, flags, ops),
            MapOps::Pci => sync_out_pci(dev, data, size, dma_handle, flags),
        }
    }
}

/// The operation of a coherent table for a caller that does not ask for the handle.
#[inline(never)] // It needs no register that has to be saved.
fn flush(dev: *mut rt_device, data: *mut c_void, size: usize) -> isize {
    result_of(DMA.sync_out_without_handle(Device(dev.expose_provenance()), data.expose_provenance(), size))
}

/// The operation of a table whose handles are physical addresses, for a caller that asks for the handle.
///
/// # Safety
/// As [`sync_out`].
#[inline(never)] // The other cases would save its registers too.
unsafe fn sync_out_physical<const OPS: usize>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's place.
    let store = |handle| unsafe { dma_handle.write(handle) };
    sync_out_by(const { ops_at(OPS) }, dev, data, size, flags, store)
}

/// The operation of a PCI device: what the first window of its bridge holds, as it does nearly every buffer, is translated
/// here.
///
/// # Safety
/// As [`sync_out`].
#[inline(never)]
unsafe fn sync_out_pci(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    let device = Device(dev.expose_provenance());
    let Some(handle) = DMA.first_window_handle(device, data.expose_provenance(), size) else {
        // SAFETY: the caller's promise.
        return unsafe { sync_out_translated(dev, data, size, dma_handle, flags, MapOps::Pci) };
    };
    // SAFETY: null, or the caller's place.
    unsafe { write_if(dma_handle, handle) };
    DMA.flush_out(MapOps::Pci, data.expose_provenance(), size, Flags::from_bits_retain(flags));
    errors().ok
}

/// The operation of a table whose handles are translated.
///
/// # Safety
/// As [`sync_out`].
#[inline(never)]
unsafe fn sync_out_translated(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: MapOps,
) -> isize {
    // SAFETY: null, or the caller's place.
    let store = |handle| unsafe { write_if(dma_handle, handle) };
    sync_out_by(ops, dev, data, size, flags, store)
}

#[inline(always)]
fn sync_out_by(
    ops: MapOps,
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    flags: usize,
    store: impl Fn(usize),
) -> isize {
    let (device, flags) = (Device(dev.expose_provenance()), Flags::from_bits_retain(flags));
    let result = DMA.sync_out_to(ops, device, data.expose_provenance(), size, flags, &store);
    result_of(result.inspect_err(|_| store(0)))
}

/// The `sync_in_data` of table `OPS`.
///
/// # Safety
/// As `rt_dma_sync_in_data`, but `dev` and `out_data` are not null and `size` is not zero.
#[inline(never)]
pub(in crate::ffi) unsafe extern "C" fn sync_in<const OPS: usize>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    _dma_handle: usize,
    flags: usize,
) -> isize {
    let ops = const { ops_at(OPS) };
    if !ops.maintain_cache(Flags::from_bits_retain(flags)) {
        return errors().ok;
    }
    if ops.are_translated() {
        // The code of coherent operations.
        // SAFETY: the caller's promise.
        return unsafe { sync_in::<0>(dev, out_data, size, 0, flags) };
    }
    let device = Device(dev.expose_provenance());
    result_of(DMA.sync_in(ops, device, out_data.expose_provenance(), size, Flags::empty()))
}

#[inline(always)]
fn result_of(result: Result<(), Error>) -> isize {
    match result {
        Ok(()) => errors().ok,
        Err(error) => refused(error),
    }
}

#[cold]
#[inline(never)] // Apart from the usual result, which takes two instructions then.
fn refused(error: Error) -> isize {
    status(Err(error))
}
