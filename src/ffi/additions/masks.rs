//! `rt_dma_set_mask` and its like, and the table of operations of a device that has a coherent mask.
//!
//! That table stands before the one that the device had: its `alloc` obeys the mask, the rest passes on. So a device
//! without a mask pays nothing.

use core::ffi::c_void;
use core::hint::black_box;

use crate::abi::{rt_device, rt_dma_map_ops};
use crate::additions::device::masks::is_within;
use crate::additions::device::record::NoRecord;
use crate::dropin::map_ops::MapOps;
use crate::ffi::additions::remembered::{UNMASK, masks_of, remember};
use crate::ffi::dropin::ops::{by, default_table, free_with, kept, ops_of, table_of};
use crate::ffi::{DEVICES, DMA, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::rtthread::{errors, rt_dma_port_device_set_ops};
use crate::kernel::{Device, Kernel};

static MASKED: rt_dma_map_ops =
    rt_dma_map_ops { alloc: Some(alloc), free: Some(free), sync_out_data: Some(sync_out), sync_in_data: Some(sync_in) };

/// Sets the streaming mask: which addresses the device can name in what is mapped for it.
///
/// `mask` has a one for each address bit that the device drives: `0xffffffff` for 32. A device that has set none has
/// all ones. Returns `RT_EOK`; `-RT_EINVAL` if `dev` is null or `mask` zero; `-RT_EIO` if no page of any installed pool
/// that serves the device lies wholly within the mask; `-RT_ENOMEM`; `-RT_EBUSY` if it needs a thread. A failure changes
/// nothing. `rt_dmam_release` ends the masks of the device. Thread for a device's first mask, and for its first call at all;
/// then any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, true, false)
}

/// Sets the coherent mask: from then on `rt_dma_alloc` and all that is built on it give the device only buffers whose
/// handles, from the first byte to the last, lie within `mask`; also from the reachable part of a pool that straddles it.
/// Buffers that the device holds already stay, and are freed as ever.
///
/// Where the BSP gave the device an allocation of its own, that allocates, and what lies beyond the mask is given back to
/// it. A BSP that gives a device operations of its own does so before: later it takes the mask away.
///
/// Returns and context as `rt_dma_set_mask`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_coherent_mask(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, false, true)
}

/// Sets the streaming and the coherent mask, or neither.
///
/// Returns and context as `rt_dma_set_mask`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask_and_coherent(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, true, true)
}

/// The streaming mask: all ones if none was set, 0 if `dev` is null. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).streaming)
}

/// The coherent mask: all ones if none was set, 0 if `dev` is null. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_coherent_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).coherent)
}

fn set_masks(dev: *mut rt_device, mask: u64, streaming: bool, coherent: bool) -> isize {
    let errors = errors();
    let Some(device) = device(dev).filter(|_| mask != 0) else { return errors.inval };
    let Some(now) = table_of(device) else {
        return if DMA.kernel.can_sleep() { errors.nomem } else { errors.busy };
    };
    let operations = unmasked(device, now);
    // A BSP's own allocation takes from where it likes: whether the mask serves shows when it is called.
    let ops = ops_of(operations).or(operations.alloc.is_none().then_some(MapOps::NonCoherent));
    if ops.is_some_and(|ops| !DMA.can_reach(ops, device, mask)) {
        return errors.io;
    }
    let limits = coherent && mask != !0;
    let behind = if limits { core::ptr::from_ref(operations).expose_provenance() } else { 0 };
    let [streaming, coherent] = [streaming, coherent].map(|wanted| wanted.then_some(mask));
    remember();
    UNMASK.set(black_box(&UNMASKED));
    match DEVICES.set_masks(device, streaming, coherent, behind) {
        Ok(()) if limits => {
            // SAFETY: the caller's device; the table is a static, and its record says what it stands before.
            unsafe { rt_dma_port_device_set_ops(dev.cast(), core::ptr::from_ref(&MASKED).cast()) };
            errors.ok
        }
        Ok(()) => errors.ok,
        Err(NoRecord::NoMemory) => errors.nomem,
        Err(NoRecord::Context) => errors.busy,
    }
}

static UNMASKED: fn(Device) = unmask;

/// Gives the device the operations back that it had before its coherent mask was set.
fn unmask(device: Device) {
    if kept(device).is_some_and(|now| core::ptr::eq(now, &MASKED)) {
        let table = core::ptr::from_ref(behind(device).1);
        // SAFETY: the caller's device; the table is a static of ours, or one that the BSP keeps.
        unsafe { rt_dma_port_device_set_ops(pointer(device.0), table.cast()) };
    }
}

/// The table that `now`, the device's, stands before, if it is a masked one.
pub(in crate::ffi) fn unmasked(device: Device, now: &'static rt_dma_map_ops) -> &'static rt_dma_map_ops {
    if core::ptr::eq(now, &MASKED) { behind(device).1 } else { now }
}

/// The device's coherent mask, and the table that its masked one stands before.
fn behind(device: Device) -> (u64, &'static rt_dma_map_ops) {
    let (mask, operations) = DEVICES.coherent_mask(device);
    let table = core::ptr::with_exposed_provenance::<rt_dma_map_ops>(operations);
    // SAFETY: null, or the address of what was once the device's table: a static of ours, or one that the BSP keeps.
    (mask, unsafe { table.as_ref() }.unwrap_or_else(|| default_table(device)))
}

unsafe extern "C" fn alloc(dev: *mut rt_device, size: usize, dma_handle: *mut usize, flags: usize) -> *mut c_void {
    let none = core::ptr::null_mut();
    let Some(device) = device(dev) else { return none };
    let (mask, table) = behind(device);
    let wanted = Flags::from_bits_retain(flags);
    let buffer = match (table.alloc, ops_of(table)) {
        (Some(own), ops) if ops.is_none() || mask == !0 => {
            let mut handle = 0;
            // SAFETY: an operation of the device's table takes what this function takes; the handle is ours.
            let va = unsafe { own(dev, size, &mut handle, flags) };
            if va.is_null() {
                None
            } else if is_within(handle, size, mask) {
                Some((va, handle))
            } else {
                // SAFETY: as above; it was allocated just now.
                unsafe { free(dev, size, va, handle, flags) };
                None
            }
        }
        (_, ops) => {
            let ops = ops.unwrap_or(MapOps::NonCoherent);
            DMA.allocate_within(ops, device, size, wanted, mask).map(|(va, handle)| (pointer(va), handle))
        }
    };
    let Some((va, handle)) = buffer else { return none };
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    va
}

unsafe extern "C" fn free(dev: *mut rt_device, size: usize, cpu_addr: *mut c_void, dma_handle: usize, flags: usize) {
    let Some(device) = device(dev) else { return };
    match behind(device).1.free {
        // SAFETY: the caller's promise.
        None => unsafe { free_with(dev, size, cpu_addr, dma_handle, flags, by(MapOps::NonCoherent)) },
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(free) => unsafe { free(dev, size, cpu_addr, dma_handle, flags) },
    }
}

unsafe extern "C" fn sync_out(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    let Some(device) = device(dev) else { return errors().inval };
    match behind(device).1.sync_out_data.or(default_table(device).sync_out_data) {
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(sync) => unsafe { sync(dev, data, size, dma_handle, flags) },
        None => errors().nosys,
    }
}

unsafe extern "C" fn sync_in(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    let Some(device) = device(dev) else { return errors().inval };
    match behind(device).1.sync_in_data.or(default_table(device).sync_in_data) {
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(sync) => unsafe { sync(dev, out_data, size, dma_handle, flags) },
        None => errors().nosys,
    }
}
