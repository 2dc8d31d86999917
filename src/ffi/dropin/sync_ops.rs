//! The sync operations of the four tables that the library gives to devices.
//!
//! virtio and network drivers call sync for every buffer. For speed, the code is therefore generated once for each set of
//! operations, without a test at run time of which set it is. `benches/syncs.c` compares its instructions with RT-Thread's.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_err_t, rt_size_t, rt_ubase_t};
use crate::dropin::translate::MapOps;
use crate::error::Error;
use crate::ffi::status::{errors, status};
use crate::ffi::{DMA, write_if};
use crate::flags::Flags;
use crate::kernel::Device;

/// Returns the operations of table `index`. It is called only at compile time.
pub(in crate::ffi) const fn ops_at(index: usize) -> MapOps {
    MapOps::ALL[index]
}

/// Is `sync_out_data` of table `OPS`. Unless `dma_handle` is null, writes the handle there, or 0 if the call fails.
///
/// # Safety
/// As `rt_dma_sync_out_data`, but `dev` and `data` are not null and `size` is not zero.
pub(in crate::ffi) unsafe extern "C" fn sync_out<const OPS: rt_size_t>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let ops = const { ops_at(OPS) };
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
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

/// Does what [`sync_out`] does, with coherent operations and a null `dma_handle`.
#[inline(never)] // As a separate function, it needs no register that has to be saved.
fn flush(dev: *mut rt_device, data: *mut c_void, size: usize) -> isize {
    result_of(DMA.sync_out_without_handle(Device(dev.expose_provenance()), data.expose_provenance(), size))
}

/// Does what [`sync_out`] does, for operations whose handles are physical addresses. `dma_handle` is not null.
///
/// # Safety
/// As [`sync_out`].
#[inline(never)] // If it were inlined, the other cases would also save the registers that it uses.
unsafe fn sync_out_physical<const OPS: usize>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    // SAFETY: `dma_handle` is not null, and the caller guarantees that it may be written.
    let store = |handle| unsafe { dma_handle.write(handle) };
    sync_out_with(const { ops_at(OPS) }, dev, data, size, flags, store)
}

/// Does what [`sync_out`] does, for PCI. A buffer that lies in the first window of the bridge, as nearly every buffer does, is
/// translated here; any other buffer in [`sync_out_translated`].
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
        // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written.
        return unsafe { sync_out_translated(dev, data, size, dma_handle, flags, MapOps::Pci) };
    };
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, handle) };
    DMA.flush_out(MapOps::Pci, data.expose_provenance(), size, Flags::from_bits_retain(flags));
    errors().ok
}

/// Does what [`sync_out`] does, for operations whose handles are translated.
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
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    let store = |handle| unsafe { write_if(dma_handle, handle) };
    sync_out_with(ops, dev, data, size, flags, store)
}

fn sync_out_with(
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

/// Is `sync_in_data` of table `OPS`.
///
/// # Safety
/// As `rt_dma_sync_in_data`, but `dev` and `out_data` are not null and `size` is not zero.
#[inline(never)]
pub(in crate::ffi) unsafe extern "C" fn sync_in<const OPS: rt_size_t>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    _dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let ops = const { ops_at(OPS) };
    if !ops.maintain_cache(Flags::from_bits_retain(flags)) {
        return errors().ok;
    }
    if ops.are_translated() {
        // This is the code of the coherent table, which does the same work. One copy of it suffices.
        // SAFETY: the caller passes a device.
        return unsafe { sync_in::<0>(dev, out_data, size, 0, flags) };
    }
    let device = Device(dev.expose_provenance());
    result_of(DMA.sync_in(ops, device, out_data.expose_provenance(), size, Flags::empty()))
}

fn result_of(result: Result<(), Error>) -> isize {
    match result {
        Ok(()) => errors().ok,
        Err(error) => refused(error),
    }
}

#[cold]
#[inline(never)] // As a separate function, it leaves two instructions for the usual result.
fn refused(error: Error) -> isize {
    status(Err(error))
}
