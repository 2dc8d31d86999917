//! `rt_dma_map_single` and its like.

use core::ffi::{c_int, c_void};

use crate::abi::rt_device;
use crate::additions::device::resource::Kind;
use crate::additions::streaming::{
    AtUnmap, BadMapping, Direction, MAPPING_ERROR, Master, Ops, OwnOps, Segment, Streaming,
};
use crate::ffi::additions::masks::{masks_of, unmasked};
use crate::ffi::dropin::ops::{ops_of, table_of};
use crate::ffi::{DEVICES, DMA, device, pointer, rt_dma_alloc, rt_dma_free, rt_dma_sync_in_data, rt_dma_sync_out_data};
use crate::flags::Flags;
use crate::kernel::rtthread::{RtThread, errors};
use crate::kernel::{Device, Va};
use crate::log::{Line, Name};
use crate::text::apart;

/// The device reads and writes.
pub const RT_DMA_BIDIRECTIONAL: c_int = 0;
/// The device reads what the processor wrote.
pub const RT_DMA_TO_DEVICE: c_int = 1;
/// The processor reads what the device wrote.
pub const RT_DMA_FROM_DEVICE: c_int = 2;
/// Nobody said: no mapping is made.
pub const RT_DMA_NONE: c_int = 3;

/// The handle that no mapping has: what a mapping call returns when it fails.
pub const RT_DMA_MAPPING_ERROR: usize = MAPPING_ERROR;

/// An attribute of an unmap: the buffer's bytes stay as they are, because the driver has synced what it wants to see.
pub const RT_DMA_ATTR_SKIP_CPU_SYNC: usize = 1 << 0;

/// One buffer of a scatter list.
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct rt_dma_sg {
    /// The driver's buffer.
    pub addr: *mut c_void,
    /// Bytes.
    pub length: usize,
    /// Where the device finds it: `rt_dma_map_sg` fills it in.
    pub dma_handle: usize,
}

impl Segment for rt_dma_sg {
    fn va(&self) -> Va {
        self.addr.expose_provenance()
    }

    fn size(&self) -> usize {
        self.length
    }

    fn handle(&self) -> usize {
        self.dma_handle
    }

    fn set_handle(&mut self, handle: usize) {
        self.dma_handle = handle;
    }
}

/// Only the functions below refer to it: a system without streaming mappings does not link it.
pub(in crate::ffi) static STREAMING: Streaming<RtThread> = Streaming::new();

/// A table of the BSP's own, through the functions that look into it.
static OWN: OwnOps = OwnOps {
    alloc: |device, size| {
        let mut handle = 0;
        // SAFETY: the caller's device; the handle is ours.
        let va = unsafe { rt_dma_alloc(dev(device), size, &mut handle, 0) };
        (!va.is_null()).then(|| (va.expose_provenance(), handle))
    },
    // SAFETY: the caller's device; addresses are not read.
    free: |device, size, va, handle| unsafe { rt_dma_free(dev(device), size, pointer(va), handle, 0) },
    sync_out: |device, va, size, flags: Flags| {
        let mut handle = 0;
        // SAFETY: the caller's device; the handle is ours.
        let result = unsafe { rt_dma_sync_out_data(dev(device), pointer(va), size, &mut handle, flags.bits()) };
        (result == errors().ok).then_some(handle)
    },
    sync_in: |device, va, size, handle, flags| {
        // SAFETY: the caller's device; addresses are not read. What the BSP refuses, it refuses itself.
        let _ = unsafe { rt_dma_sync_in_data(dev(device), pointer(va), size, handle, flags.bits()) };
    },
};

fn dev(device: Device) -> *mut rt_device {
    pointer(device.0).cast()
}

/// The highest address that the device can put on its bus.
fn mask_of(device: Device) -> u64 {
    masks_of(device).streaming
}

/// The device as its mappings see it; `None`, with a line, if it is null, or its operations cannot be chosen now.
fn master(dev: *mut rt_device) -> Option<Master> {
    let Some(device) = device(dev) else {
        let name = Name::of(apart!("(null)"));
        DMA.refuse_line(&Line::about(name, apart!("a streaming mapping needs a device"), &[]));
        return None;
    };
    master_of(device)
}

/// The device as its mappings see it; `None` if its operations cannot be chosen now.
pub(in crate::ffi) fn master_of(device: Device) -> Option<Master> {
    let table = unmasked(device, table_of(device)?);
    let ops = ops_of(table).map_or(Ops::Own(&OWN), Ops::Library);
    // No handle is higher than a word, whatever the mask allows.
    let mask = usize::try_from(mask_of(device)).unwrap_or(usize::MAX);
    Some(Master { device, ops, mask })
}

fn direction_of(number: c_int) -> Direction {
    match number {
        RT_DMA_BIDIRECTIONAL => Direction::Bidirectional,
        RT_DMA_TO_DEVICE => Direction::ToDevice,
        RT_DMA_FROM_DEVICE => Direction::FromDevice,
        _ => Direction::Neither,
    }
}

/// The list's entries; none if it is null or says so.
///
/// # Safety
/// If it is not null, `sg` points to `nents` entries, which are the caller's for the time of the call.
unsafe fn entries<'a>(sg: *mut rt_dma_sg, nents: c_int) -> &'a mut [rt_dma_sg] {
    match usize::try_from(nents) {
        // SAFETY: not null, and so the caller's.
        Ok(length) if !sg.is_null() => unsafe { core::slice::from_raw_parts_mut(sg, length) },
        _ => &mut [],
    }
}

/// Makes `[cpu_addr, cpu_addr + size)` the device's, and returns the address for the device, or RT_DMA_MAPPING_ERROR.
///
/// Until it is unmapped, or synced for the processor, the processor leaves the buffer alone. What it wrote before is
/// visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`), and what the device writes will be to the
/// processor (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`). The buffer may be any mapped memory of any alignment:
/// one that the device does not reach, that is not contiguous, or that the device would write and that shares a cache
/// line with something else, is copied through a bounce buffer from a pool.
///
/// Fails, with a line in the log, if `dev` or `cpu_addr` is null, `size` is zero, not all of it is mapped,
/// `direction` is none of the three, or there is no memory for a bounce buffer or its record.
///
/// Any context, but a thread for a device's first call. In an interrupt, memory outside the pools that is mapped
/// linearly and needs no bounce buffer can always be mapped; other memory while records last that calls in threads
/// leave (16, or what is unmapped).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_single(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
) -> usize {
    let Some(master) = master(dev) else { return MAPPING_ERROR };
    let va = cpu_addr.expose_provenance();
    STREAMING.map(&DMA, &master, va, size, direction_of(direction)).unwrap_or(MAPPING_ERROR)
}

/// The same for the `size` bytes at `offset` of the page at physical address `page_pa`, which must be mapped
/// linearly, or be a buffer of a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_page(
    dev: *mut rt_device,
    page_pa: usize,
    offset: usize,
    size: usize,
    direction: c_int,
) -> usize {
    let Some(master) = master(dev) else { return MAPPING_ERROR };
    let direction = direction_of(direction);
    STREAMING.map_page(&DMA, &master, page_pa, offset, size, direction).unwrap_or(MAPPING_ERROR)
}

/// The same for each of the `nents` buffers of `sg`, whose `dma_handle` it fills in. Returns `nents`, or 0, with
/// nothing left mapped and every `dma_handle` RT_DMA_MAPPING_ERROR, if one cannot be mapped or the list is null or
/// empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_sg(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) -> c_int {
    let Some(master) = master(dev) else { return 0 };
    // SAFETY: the caller's list.
    let list = unsafe { entries(sg, nents) };
    match STREAMING.map_list(&DMA, &master, list, direction_of(direction)) {
        Ok(()) => nents,
        Err(_) => 0,
    }
}

/// Makes a mapped buffer the processor's again, with what the device wrote to it.
///
/// `dma_handle`, `size` and `direction` are those of the mapping. A wrong `size` or `direction` is logged and counted, and
/// the mapping is ended as it was made: the bytes arrive, and a bounce buffer is given back. (Of a buffer outside the pools
/// that needed no bounce buffer, only the caller knows the size and the direction.) An unmap for another device, of an
/// unknown handle, or a second unmap is logged and counted, and changes nothing; but a second unmap of a buffer that had no
/// bounce buffer and lay outside the pools when it was mapped is not noticed. If one buffer is mapped more than once under
/// one handle, an unmap with the size and direction of none of these mappings changes nothing either. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_single_attrs(dev, dma_handle, size, direction, 0) }
}

/// Ends the mapping of a buffer as `rt_dma_unmap_single` does, with attributes.
///
/// `attrs` is 0 or `RT_DMA_ATTR_SKIP_CPU_SYNC`: then nothing is copied and no cache is maintained, and the buffer's bytes
/// stay as they are. A driver has synced what it wants to see by `rt_dma_sync_single_for_cpu`, and may have written to the
/// buffer since. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single_attrs(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
    attrs: usize,
) {
    let Some(master) = master(dev) else { return };
    unmap(&master, dma_handle, size, direction, attrs);
}

/// Ends a mapping, after which it is managed no more if it was.
fn unmap(master: &Master, handle: usize, size: usize, direction: c_int, attrs: usize) {
    let claim = DEVICES.claim(Kind::Mapping, handle, |device, _| device == master.device);
    let result = unmap_known(master, handle, size, direction, attrs);
    if let Some(claim) = claim {
        let is_gone = matches!(result, Ok(()) | Err(BadMapping::WrongSize | BadMapping::WrongDirection));
        DEVICES.settle(claim, is_gone);
    }
}

/// Ends a mapping that is not managed (any more).
pub(in crate::ffi) fn unmap_known(
    master: &Master,
    handle: usize,
    size: usize,
    direction: c_int,
    attrs: usize,
) -> Result<(), BadMapping> {
    // A refused call is logged where it is refused; C has no way to be told.
    STREAMING.unmap_with(&DMA, master, handle, size, direction_of(direction), at_unmap(attrs))
}

/// Ends the mapping of a page as `rt_dma_unmap_single` does: for what `rt_dma_map_page` mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_page(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_single(dev, dma_handle, size, direction) }
}

/// Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_sg(dev: *mut rt_device, sg: *mut rt_dma_sg, nents: c_int, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_sg_attrs(dev, sg, nents, direction, 0) }
}

/// Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single_attrs` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_sg_attrs(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
    attrs: usize,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's list.
    let list = unsafe { entries(sg, nents) };
    for segment in list {
        unmap(&master, segment.dma_handle, segment.length, direction, attrs);
    }
}

fn at_unmap(attrs: usize) -> AtUnmap {
    if attrs & RT_DMA_ATTR_SKIP_CPU_SYNC != 0 { AtUnmap::SkipSync } else { AtUnmap::Sync }
}

/// Makes a mapped buffer the processor's, with what the device wrote to it, until it is synced for the device.
///
/// `dma_handle` and `size` may be those of a part of the mapping; where the device is not coherent, one that begins and
/// ends on a cache line, or where the mapping does. `direction` is that of the mapping; for a bidirectional mapping it may
/// be any, and `RT_DMA_TO_DEVICE` brings the processor no bytes. Zero bytes are nothing, and no error. What does not fit is
/// logged and counted, and changes nothing. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_cpu(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // A refused call is logged where it is refused; C has no way to be told.
    let _ = STREAMING.sync_for_cpu(&DMA, &master, dma_handle, size, direction_of(direction));
}

/// Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it: otherwise as
/// `rt_dma_sync_single_for_cpu`.
///
/// With `RT_DMA_FROM_DEVICE` the device is shown none of the processor's bytes: what it has written since the last sync
/// for the processor stays, and what the processor wrote meanwhile may be lost. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_device(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // As above.
    let _ = STREAMING.sync_for_device(&DMA, &master, dma_handle, size, direction_of(direction));
}

/// `rt_dma_sync_single_for_cpu` for every buffer of a list. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_sg_for_cpu(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's list.
    STREAMING.sync_list_for_cpu(&DMA, &master, unsafe { entries(sg, nents) }, direction_of(direction));
}

/// `rt_dma_sync_single_for_device` for every buffer of a list. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_sg_for_device(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's list.
    STREAMING.sync_list_for_device(&DMA, &master, unsafe { entries(sg, nents) }, direction_of(direction));
}

/// 0 if `dma_handle` is that of a mapping, `-RT_ENOMEM` if it is RT_DMA_MAPPING_ERROR. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_mapping_error(dev: *mut rt_device, dma_handle: usize) -> c_int {
    let _ = dev;
    if dma_handle == MAPPING_ERROR { errors().nomem as c_int } else { 0 }
}
