//! The four tables of map operations, as C sees them, and which of them a device has.

use core::ffi::c_void;

use super::{DMA, device, pointer, write_if};
use crate::abi::{rt_device, rt_dma_map_ops};
use crate::flags::Flags;
use crate::kernel::rtthread::{errors, rt_dma_port_device_ops, rt_dma_port_device_set_ops};
use crate::kernel::{Device, Kernel};
use crate::map_ops::{BadSync, MapOps};

/// Our tables, in the order of [`MapOps`].
static TABLES: [rt_dma_map_ops; 4] = [
    rt_dma_map_ops {
        alloc: None,
        free: None,
        sync_out_data: Some(sync_out::<{ MapOps::Coherent as usize }>),
        sync_in_data: Some(sync_in::<{ MapOps::Coherent as usize }>),
    },
    rt_dma_map_ops {
        alloc: None,
        free: None,
        sync_out_data: Some(sync_out::<{ MapOps::NonCoherent as usize }>),
        sync_in_data: Some(sync_in::<{ MapOps::NonCoherent as usize }>),
    },
    rt_dma_map_ops {
        alloc: Some(alloc::<{ MapOps::DeviceTree as usize }>),
        free: Some(free::<{ MapOps::DeviceTree as usize }>),
        sync_out_data: Some(sync_out::<{ MapOps::DeviceTree as usize }>),
        sync_in_data: Some(sync_in::<{ MapOps::DeviceTree as usize }>),
    },
    rt_dma_map_ops {
        alloc: Some(alloc::<{ MapOps::Pci as usize }>),
        free: Some(free::<{ MapOps::Pci as usize }>),
        sync_out_data: Some(sync_out::<{ MapOps::Pci as usize }>),
        sync_in_data: Some(sync_in::<{ MapOps::Pci as usize }>),
    },
];

fn table(ops: MapOps) -> &'static rt_dma_map_ops {
    let [coherent, non_coherent, device_tree, pci] = &TABLES;
    match ops {
        MapOps::Coherent => coherent,
        MapOps::NonCoherent => non_coherent,
        MapOps::DeviceTree => device_tree,
        MapOps::Pci => pci,
    }
}

/// Which of our operations a table is; `None` for a table of the BSP's.
pub(super) fn ops_of(table: &rt_dma_map_ops) -> Option<MapOps> {
    let all = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];
    all.into_iter().find(|ops| core::ptr::eq(table, self::table(*ops)))
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
        Some(device) if DMA.kernel.has_node(device) && DMA.claim_regions(device) == Ok(true) => {
            table(MapOps::DeviceTree)
        }
        _ => core::ptr::null(),
    }
}

const fn ops(number: usize) -> MapOps {
    match number {
        0 => MapOps::Coherent,
        1 => MapOps::NonCoherent,
        2 => MapOps::DeviceTree,
        _ => MapOps::Pci,
    }
}

// A table's functions are told apart by a constant; each only adds it to the arguments of the one that works.

unsafe extern "C" fn alloc<const OPS: usize>(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    // SAFETY: the caller's `dma_handle`.
    unsafe { alloc_with(dev, size, dma_handle, flags, Some(ops(OPS))) }
}

/// `rt_dma_alloc`, with the device's own operations if none are given.
///
/// # Safety
/// As `rt_dma_alloc`.
#[inline(never)]
pub(super) unsafe fn alloc_with(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: Option<MapOps>,
) -> *mut c_void {
    let Some(device) = device(dev) else { return core::ptr::null_mut() };
    let ops = match ops {
        Some(ops) => ops,
        None => match table_of(device) {
            // SAFETY: what the caller promises, the operation is promised.
            Some(rt_dma_map_ops { alloc: Some(alloc), .. }) => unsafe {
                return alloc_by(*alloc, dev, size, dma_handle, flags);
            },
            Some(_) => MapOps::Coherent,
            None => return core::ptr::null_mut(),
        },
    };
    match DMA.allocate(ops, device, size, Flags::from_bits_retain(flags)) {
        Some((va, handle)) => {
            // SAFETY: the caller's, or null.
            unsafe { write_if(dma_handle, handle) };
            pointer(va.get())
        }
        None => core::ptr::null_mut(),
    }
}

/// By the BSP's operation, which is not asked to allocate nothing, and need not know of a null `dma_handle`.
///
/// # Safety
/// As `rt_dma_alloc`.
#[cold]
#[inline(never)]
unsafe fn alloc_by(
    alloc: unsafe extern "C" fn(*mut rt_device, usize, *mut usize, usize) -> *mut c_void,
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    let mut handle = 0;
    if size == 0 {
        return core::ptr::null_mut();
    }
    // SAFETY: what the caller promises; the handle is ours.
    let buffer = unsafe { alloc(dev, size, &mut handle, flags) };
    if !buffer.is_null() {
        // SAFETY: the caller's, or null.
        unsafe { write_if(dma_handle, handle) };
    }
    buffer
}

unsafe extern "C" fn free<const OPS: usize>(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { free_with(dev, size, cpu_addr, dma_handle, flags, Some(ops(OPS))) }
}

/// `rt_dma_free`, with the device's own operations if none are given.
///
/// # Safety
/// As `rt_dma_free`.
#[inline(never)]
pub(super) unsafe fn free_with(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
    ops: Option<MapOps>,
) {
    let Some(device) = device(dev) else { return };
    if size == 0 || cpu_addr.is_null() {
        return;
    }
    let ops = match ops {
        Some(ops) => ops,
        None => match table_of(device) {
            // SAFETY: what the caller promises, the operation is promised.
            Some(rt_dma_map_ops { free: Some(free), .. }) => unsafe {
                return free(dev, size, cpu_addr, dma_handle, flags);
            },
            Some(_) => MapOps::Coherent,
            None => return,
        },
    };
    // A refused call is logged where it is refused; C has no way to be told.
    let _ = DMA.free(ops, device, size, cpu_addr.expose_provenance(), dma_handle, Flags::from_bits_retain(flags));
}

unsafe extern "C" fn sync_out<const OPS: usize>(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sync_out_with(dev, data, size, dma_handle, flags, Some(ops(OPS))) }
}

/// `rt_dma_sync_out_data`, with the device's own operations if none are given.
///
/// # Safety
/// As `rt_dma_sync_out_data`.
#[inline(never)]
pub(super) unsafe fn sync_out_with(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    ops: Option<MapOps>,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev).filter(|_| !data.is_null() && size != 0) else { return errors.inval };
    let mut handle = 0;
    let ops = match ops {
        Some(ops) => ops,
        None => match table_of(device) {
            Some(rt_dma_map_ops { sync_out_data: Some(sync), .. }) => {
                // SAFETY: what the caller promises, the operation is promised; the handle is ours.
                let result = unsafe { sync(dev, data, size, &mut handle, flags) };
                // SAFETY: the caller's, or null.
                unsafe { write_if(dma_handle, handle) };
                return result;
            }
            Some(_) => DMA.default_ops(device),
            None => return errors.error,
        },
    };
    match DMA.sync_out(ops, device, data.expose_provenance(), size, Flags::from_bits_retain(flags)) {
        Ok(handle) => {
            // SAFETY: the caller's, or null.
            unsafe { write_if(dma_handle, handle) };
            errors.ok
        }
        Err(error) => sync_error(error),
    }
}

unsafe extern "C" fn sync_in<const OPS: usize>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sync_in_with(dev, out_data, size, dma_handle, flags, Some(ops(OPS))) }
}

/// `rt_dma_sync_in_data`, with the device's own operations if none are given.
///
/// # Safety
/// As `rt_dma_sync_in_data`.
#[inline(never)]
pub(super) unsafe fn sync_in_with(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
    ops: Option<MapOps>,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev).filter(|_| !out_data.is_null() && size != 0) else { return errors.inval };
    let ops = match ops {
        Some(ops) => ops,
        None => match table_of(device) {
            // SAFETY: what the caller promises, the operation is promised.
            Some(rt_dma_map_ops { sync_in_data: Some(sync), .. }) => unsafe {
                return sync(dev, out_data, size, dma_handle, flags);
            },
            Some(_) => DMA.default_ops(device),
            None => return errors.error,
        },
    };
    match DMA.sync_in(ops, device, out_data.expose_provenance(), size, Flags::from_bits_retain(flags)) {
        Ok(()) => errors.ok,
        Err(error) => sync_error(error),
    }
}

fn sync_error(error: BadSync) -> isize {
    match error {
        BadSync::NotMapped => errors().inval,
        BadSync::NotReachable => errors().error,
    }
}
