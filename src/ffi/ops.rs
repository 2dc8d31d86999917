//! The four tables of map operations, as C sees them, and which of them a device has.

use core::ffi::c_void;

use super::{DMA, device, pointer, write_if};
use crate::abi::{rt_device, rt_dma_map_ops};
use crate::flags::Flags;
use crate::kernel::rtthread::{errors, rt_dma_port_device_ops, rt_dma_port_device_set_ops};
use crate::kernel::{Device, Kernel};
use crate::map_ops::{BadSync, MapOps};

static COHERENT: rt_dma_map_ops = rt_dma_map_ops {
    alloc: None,
    free: None,
    sync_out_data: Some(sync_out::<{ MapOps::Coherent as u8 }>),
    sync_in_data: Some(sync_in::<{ MapOps::Coherent as u8 }>),
};

static NON_COHERENT: rt_dma_map_ops = rt_dma_map_ops {
    alloc: None,
    free: None,
    sync_out_data: Some(sync_out::<{ MapOps::NonCoherent as u8 }>),
    sync_in_data: Some(sync_in::<{ MapOps::NonCoherent as u8 }>),
};

static DEVICE_TREE: rt_dma_map_ops = rt_dma_map_ops {
    alloc: Some(alloc::<{ MapOps::DeviceTree as u8 }>),
    free: Some(free::<{ MapOps::DeviceTree as u8 }>),
    sync_out_data: Some(sync_out::<{ MapOps::DeviceTree as u8 }>),
    sync_in_data: Some(sync_in::<{ MapOps::DeviceTree as u8 }>),
};

static PCI: rt_dma_map_ops = rt_dma_map_ops {
    alloc: Some(alloc::<{ MapOps::Pci as u8 }>),
    free: Some(free::<{ MapOps::Pci as u8 }>),
    sync_out_data: Some(sync_out::<{ MapOps::Pci as u8 }>),
    sync_in_data: Some(sync_in::<{ MapOps::Pci as u8 }>),
};

fn table(ops: MapOps) -> &'static rt_dma_map_ops {
    match ops {
        MapOps::Coherent => &COHERENT,
        MapOps::NonCoherent => &NON_COHERENT,
        MapOps::DeviceTree => &DEVICE_TREE,
        MapOps::Pci => &PCI,
    }
}

/// The operations that stand in where a table of the BSP's has none.
pub(super) fn default_table(device: Device) -> &'static rt_dma_map_ops {
    table(DMA.default_ops(device))
}

/// The device's operations, chosen at its first call and kept in `dev->dma_ops`; `None` if they cannot be chosen now.
#[inline(always)]
pub(super) fn table_of(device: Device) -> Option<&'static rt_dma_map_ops> {
    // SAFETY: the caller's device.
    let kept = unsafe { rt_dma_port_device_ops(pointer(device.0)) };
    // SAFETY: `dma_ops` is null, or one of our tables, or a table that the BSP set and keeps.
    match unsafe { kept.cast::<rt_dma_map_ops>().as_ref() } {
        Some(table) => Some(table),
        None => choose(device),
    }
}

/// Which of our tables the device has; `Some(None)` if it is one of the BSP's, `None` if it cannot be chosen now.
pub(super) fn kind_of(device: Device) -> Option<Option<MapOps>> {
    let kept = table_of(device)?;
    let ours = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];
    Some(ours.into_iter().find(|ops| core::ptr::eq(table(*ops), kept)))
}

#[cold]
#[inline(never)]
fn choose(device: Device) -> Option<&'static rt_dma_map_ops> {
    let table = table(DMA.choose_ops(device).ok()?);
    // SAFETY: the caller's device; the table is a static.
    unsafe { rt_dma_port_device_set_ops(pointer(device.0), core::ptr::from_ref(table).cast()) };
    Some(table)
}

/// The operations of a device that its device-tree node asks for (revision r2).
///
/// Installs the regions that the node names in `memory-region`, once. Returns null if `dev` is null, has no node, or
/// its node asks for none. Does not write `dev->dma_ops`. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_ofw_device_map_ops(dev: *mut rt_device) -> *const rt_dma_map_ops {
    match device(dev) {
        Some(device) if DMA.kernel.has_node(device) && DMA.claim_regions(device) == Ok(true) => &DEVICE_TREE,
        _ => core::ptr::null(),
    }
}

const fn ops(number: u8) -> MapOps {
    match number {
        0 => MapOps::Coherent,
        1 => MapOps::NonCoherent,
        2 => MapOps::DeviceTree,
        _ => MapOps::Pci,
    }
}

// A table's functions are told apart by a constant; each only adds it to the arguments of the one that works.

unsafe extern "C" fn alloc<const OPS: u8>(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    // SAFETY: the caller's `dma_handle`.
    unsafe { alloc_with(dev, size, dma_handle, flags, ops(OPS)) }
}

#[inline(never)]
unsafe fn alloc_with(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: MapOps,
) -> *mut c_void {
    let Some(device) = device(dev) else { return core::ptr::null_mut() };
    match DMA.allocate_with(ops, device, size, Flags::from_bits_retain(flags)) {
        Some((va, handle)) => {
            // SAFETY: the caller's, or null.
            unsafe { write_if(dma_handle, handle) };
            pointer(va)
        }
        None => core::ptr::null_mut(),
    }
}

unsafe extern "C" fn free<const OPS: u8>(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    let Some(device) = device(dev) else { return };
    let (va, flags) = (cpu_addr.expose_provenance(), Flags::from_bits_retain(flags));
    // A refused call is logged where it is refused; C has no way to be told.
    let _ = DMA.free(ops(OPS), device, size, va, dma_handle, flags);
}

unsafe extern "C" fn sync_out<const OPS: u8>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's `dma_handle`.
    unsafe { sync_out_with(dev, data, size, dma_handle, flags, ops(OPS)) }
}

#[inline(never)]
unsafe fn sync_out_with(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: MapOps,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev) else { return errors.inval };
    match DMA.sync_out(ops, device, data.expose_provenance(), size, Flags::from_bits_retain(flags)) {
        Ok(handle) => {
            // SAFETY: the caller's, or null.
            unsafe { write_if(dma_handle, handle) };
            errors.ok
        }
        Err(error) => sync_error(error),
    }
}

unsafe extern "C" fn sync_in<const OPS: u8>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    let _ = dma_handle;
    sync_in_with(dev, out_data, size, flags, ops(OPS))
}

#[inline(never)]
fn sync_in_with(dev: *mut rt_device, out_data: *mut c_void, size: usize, flags: usize, ops: MapOps) -> isize {
    let Some(device) = device(dev) else { return errors().inval };
    match DMA.sync_in(ops, device, out_data.expose_provenance(), size, Flags::from_bits_retain(flags)) {
        Ok(()) => errors().ok,
        Err(error) => sync_error(error),
    }
}

fn sync_error(error: BadSync) -> isize {
    match error {
        BadSync::NotMapped => errors().inval,
        BadSync::NotReachable => errors().error,
    }
}
