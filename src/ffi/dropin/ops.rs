//! The four tables of map operations, as C sees them, and which of them a device has.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_dma_map_ops};
use crate::dropin::device_tree::Asked;
use crate::dropin::map_ops::{MapOps, Way};
use crate::error::Error;
use crate::ffi::{DMA, NEW_DEVICE, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::Device;
use crate::kernel::rtthread::{Number, number, rt_dma_port_device_choose_ops, rt_dma_port_device_ops};

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
    let [coherent, ..] = &TABLES;
    TABLES.get(ops as usize).unwrap_or(coherent)
}

/// Which of our operations a table is; `None` for a table of the BSP's.
pub(in crate::ffi) fn ops_of(table: &rt_dma_map_ops) -> Option<MapOps> {
    let all = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];
    all.into_iter().find(|ops| core::ptr::eq(table, self::table(*ops)))
}

/// The operations that stand in where a table of the BSP's has none.
pub(in crate::ffi) fn default_table(device: Device) -> &'static rt_dma_map_ops {
    table(DMA.default_ops(device))
}

/// The device's operations, chosen at its first call and kept in `dev->dma_ops`; `None` if they cannot be chosen now.
#[inline(always)]
pub(in crate::ffi) fn table_of(device: Device) -> Option<&'static rt_dma_map_ops> {
    kept(device).or_else(|| choose(device))
}

/// The operations that are kept in `dev->dma_ops`.
#[inline(always)]
pub(in crate::ffi) fn kept(device: Device) -> Option<&'static rt_dma_map_ops> {
    // SAFETY: the caller's device; `dma_ops` is null, or one of our tables, or a table that the BSP set and keeps.
    unsafe { rt_dma_port_device_ops(pointer(device.0)).cast::<rt_dma_map_ops>().as_ref() }
}

#[cold]
#[inline(never)]
fn choose(device: Device) -> Option<&'static rt_dma_map_ops> {
    if let Ok(ops) = DMA.choose_ops(device) {
        if let Some(forget) = NEW_DEVICE.get() {
            forget(device);
        }
        // Unless another thread, or the BSP, was faster: what it set may be a table with a mask.
        // SAFETY: the caller's device; the table is a static.
        unsafe { rt_dma_port_device_choose_ops(pointer(device.0), core::ptr::from_ref(table(ops)).cast()) };
    }
    kept(device)
}

/// The operations of a device that its device-tree node asks for (revision r2).
///
/// Installs the regions that the node names in `memory-region`, once. Returns null if `dev` is null, has no node, or
/// its node asks for none. Does not write `dev->dma_ops`. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_ofw_device_map_ops(dev: *mut rt_device) -> *const rt_dma_map_ops {
    match device(dev) {
        Some(device) if DMA.claim_regions(device) == Asked::Operations => table(MapOps::DeviceTree),
        _ => core::ptr::null(),
    }
}

/// The operations whose number is in a `call`.
const fn ops(call: usize) -> MapOps {
    match call % 4 {
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
    // SAFETY: the caller's promise.
    unsafe { alloc_with(dev, size, dma_handle, flags, BY | OPS) }
}

/// `rt_dma_alloc`, by the operations that `call` says.
///
/// # Safety
/// As `rt_dma_alloc`.
#[inline(never)]
pub(in crate::ffi) unsafe fn alloc_with(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    call: usize,
) -> *mut c_void {
    let Some(device) = device(dev).filter(|_| size != 0) else { return core::ptr::null_mut() };
    let ops = match is_own(call) {
        false => ops(call),
        true => match table_of(device) {
            Some(rt_dma_map_ops { alloc: Some(alloc), .. }) => {
                // It need not know of a null `dma_handle`.
                let mut unasked = 0;
                let handle = if dma_handle.is_null() { &raw mut unasked } else { dma_handle };
                // SAFETY: what the caller promises, the operation is promised; the handle is the caller's, or ours.
                return unsafe { alloc(dev, size, handle, flags) };
            }
            Some(_) => MapOps::NonCoherent,
            None => return core::ptr::null_mut(),
        },
    };
    let buffer = DMA.allocate(ops, device, size, Flags::from_bits_retain(flags));
    let Some((va, handle)) = buffer else { return core::ptr::null_mut() };
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    pointer(va)
}

unsafe extern "C" fn free<const OPS: usize>(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { free_with(dev, size, cpu_addr, dma_handle, flags, BY | OPS) }
}

/// `rt_dma_free`, by the operations that `call` says.
///
/// # Safety
/// As `rt_dma_free`.
#[inline(never)]
pub(in crate::ffi) unsafe fn free_with(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
    call: usize,
) {
    let Some(device) = device(dev).filter(|_| size != 0 && !cpu_addr.is_null()) else { return };
    let ops = match is_own(call) {
        false => ops(call),
        true => match table_of(device) {
            // SAFETY: what the caller promises, the operation is promised.
            Some(rt_dma_map_ops { free: Some(free), .. }) => unsafe {
                return free(dev, size, cpu_addr, dma_handle, flags);
            },
            Some(_) => MapOps::NonCoherent,
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
    unsafe { sync(dev, data, size, dma_handle, flags, BY | OPS) }
}

unsafe extern "C" fn sync_in<const OPS: usize>(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sync(dev, out_data, size, pointer(dma_handle).cast(), flags, BY | SYNC_IN | OPS) }
}

/// A call by the operations whose number is beside this; by the device's own without it. Less than zero, which one
/// instruction tells.
const BY: usize = usize::MAX << 3;
/// A call by the device's own operations.
pub(in crate::ffi) const OWN: usize = 0;
/// A sync of what comes in.
pub(in crate::ffi) const SYNC_IN: usize = 4;

/// A call by `ops`, whatever the device's own are.
pub(in crate::ffi) const fn by(ops: MapOps) -> usize {
    BY | ops as usize
}

fn is_own(call: usize) -> bool {
    (call as isize) >= 0
}

/// `rt_dma_sync_out_data`, and `rt_dma_sync_in_data`, whose `dma_handle` is a number: as `call` says.
///
/// # Safety
/// As those two.
#[inline(never)]
pub(in crate::ffi) unsafe fn sync(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    call: usize,
) -> isize {
    let which = 'number: {
        let Some(device) = device(dev).filter(|_| !data.is_null() && size != 0) else { break 'number Number::Inval };
        let way = if call & SYNC_IN != 0 { Way::In } else { Way::Out };
        let mut unasked = 0;
        let handle = if dma_handle.is_null() { &raw mut unasked } else { dma_handle };
        let mut ops = ops(call);
        if is_own(call) {
            let Some(table) = table_of(device) else { break 'number Number::Error };
            if way == Way::In {
                if let Some(sync) = table.sync_in_data {
                    // SAFETY: what the caller promises, the operation is promised.
                    return unsafe { sync(dev, data, size, dma_handle.expose_provenance(), flags) };
                }
            } else if let Some(sync) = table.sync_out_data {
                // SAFETY: the handle is the caller's, or ours.
                unsafe { handle.write(0) };
                // SAFETY: what the caller promises, the operation is promised.
                return unsafe { sync(dev, data, size, handle, flags) };
            }
            ops = DMA.default_ops(device);
        }
        match DMA.sync(way, ops, device, data.expose_provenance(), size, Flags::from_bits_retain(flags)) {
            Ok(address) => {
                if way == Way::Out {
                    // SAFETY: the caller's, or ours.
                    unsafe { handle.write(address) };
                }
                Number::Ok
            }
            Err(Error::NotReachable) => Number::Error,
            Err(_) => Number::Inval,
        }
    };
    number(which)
}
