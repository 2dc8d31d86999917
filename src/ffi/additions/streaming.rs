//! `rt_dma_map_single` and its like.

use core::ffi::{c_int, c_void};

use crate::abi::rt_device;
use crate::additions::device::resource::Kind;
use crate::additions::streaming::{
    Attributes, BadMapping, Direction, MAPPING_ERROR, Master, Ops, OwnOps, Segment, Streaming,
};
use crate::ffi::additions::masked_ops::unmasked;
use crate::ffi::additions::masks::masks_of;
use crate::ffi::dropin::ops::{is_coherent_one, kept, ops_of, table_of};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, device, pointer, rt_dma_alloc, rt_dma_free, rt_dma_sync_in_data, rt_dma_sync_out_data};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Device, Va};
use crate::log::{Line, Name};
use crate::text::apart;

/// @brief Direction of a mapping: the device reads and writes.
pub const RT_DMA_BIDIRECTIONAL: c_int = 0;
/// @brief Direction of a mapping: the device reads what the processor wrote.
pub const RT_DMA_TO_DEVICE: c_int = 1;
/// @brief Direction of a mapping: the processor reads what the device wrote.
pub const RT_DMA_FROM_DEVICE: c_int = 2;
/// @brief No direction: no mapping is made with it.
pub const RT_DMA_NONE: c_int = 3;

/// @brief The handle that no mapping has: a map that fails returns it.
pub const RT_DMA_MAPPING_ERROR: usize = MAPPING_ERROR;

/// @brief Attribute of an unmap: the buffer's bytes stay as they are, because the driver has synced what it wants to see.
pub const RT_DMA_ATTR_SKIP_CPU_SYNC: usize = 1 << 0;

/// @brief Attribute of a map and of its unmap: the driver owns the cache lines of the buffer.
///
/// From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes before and after the buffer
/// included. Then a buffer that the device writes needs no bounce buffer for its alignment. A receive buffer is an example
/// that begins 2 bytes after a cache line (Linux `NET_IP_ALIGN`) and has its lines for itself. If the driver is wrong, bytes
/// of the device, or of the code that wrote, are lost.
pub const RT_DMA_ATTR_OWN_LINES: usize = 1 << 8;

/// @brief One buffer of a scatter list.
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct rt_dma_sg {
    /// The driver's buffer.
    pub addr: *mut c_void,
    /// Bytes in the buffer.
    pub length: usize,
    /// The address for the device. `rt_dma_map_sg` sets it.
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

/// The streaming mappings of the system. Only the functions below refer to them, so that a system without streaming
/// mappings does not link them.
pub(in crate::ffi) static STREAMING: Streaming<RtThread> = Streaming::new();

/// The operations of a table that the BSP set, through the functions that call it.
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
        // SAFETY: the caller's device; addresses are not read. The BSP's operation reports its own errors.
        let _ = unsafe { rt_dma_sync_in_data(dev(device), pointer(va), size, handle, flags.bits()) };
    },
};

fn dev(device: Device) -> *mut rt_device {
    pointer(device.0).cast()
}

/// Returns the device, and whether it has the library's coherent operations; `None` if it has neither these nor the
/// non-coherent ones (yet).
#[inline(always)]
fn usual(dev: *mut rt_device) -> Option<(Device, bool)> {
    let device = device(dev)?;
    Some((device, is_coherent_one(kept(device)?)?))
}

/// Returns the device as its mappings see it; `None`, with a line in the log, if it is null, and `None` if its operations
/// cannot be chosen now.
#[inline(always)]
fn master(dev: *mut rt_device) -> Option<Master> {
    let Some(device) = device(dev) else {
        let name = Name::of(apart!("(null)"));
        DMA.refuse_line(&Line::about(name, apart!("a streaming mapping needs a device"), &[]));
        return None;
    };
    master_of(device)
}

/// Returns the device as its mappings see it; `None` if its operations cannot be chosen now.
#[inline(always)]
pub(in crate::ffi) fn master_of(device: Device) -> Option<Master> {
    let now = table_of(device)?;
    let table = unmasked(device, now);
    let ops = ops_of(table).map_or(Ops::Own(&OWN), Ops::Library);
    // A device without a masked table usually has no mask, which takes no search.
    let masks = if core::ptr::eq(table, now) { DEVICES.masks(device) } else { masks_of(device) };
    // No handle is higher than a word, whatever the mask allows.
    let mask = usize::try_from(masks.streaming).unwrap_or(usize::MAX);
    Some(Master { device, ops, mask })
}

pub(in crate::ffi) fn direction_of(number: c_int) -> Direction {
    match number {
        RT_DMA_BIDIRECTIONAL => Direction::Bidirectional,
        RT_DMA_TO_DEVICE => Direction::ToDevice,
        RT_DMA_FROM_DEVICE => Direction::FromDevice,
        _ => Direction::Neither,
    }
}

fn attributes_of(bits: usize) -> Attributes {
    Attributes { skip_cpu_sync: bits & RT_DMA_ATTR_SKIP_CPU_SYNC != 0, own_lines: bits & RT_DMA_ATTR_OWN_LINES != 0 }
}

/// Returns the entries of a list; none if `sg` is null or `nents` is not positive.
///
/// # Safety
/// If it is not null, `sg` points to `nents` entries, which are the caller's for the time of the call.
pub(in crate::ffi) unsafe fn entries<'a>(sg: *mut rt_dma_sg, nents: c_int) -> &'a mut [rt_dma_sg] {
    match usize::try_from(nents) {
        // SAFETY: not null, and so the caller's.
        Ok(length) if !sg.is_null() => unsafe { core::slice::from_raw_parts_mut(sg, length) },
        _ => &mut [],
    }
}

/// @brief Hands `[cpu_addr, cpu_addr + size)` to the device.
///
/// The processor leaves the buffer alone until it is unmapped, or synced for the processor. What the processor wrote before
/// is visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`). What the device writes is visible to the processor
/// after the unmap (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`).
///
/// The buffer is any mapped memory of any alignment. A bounce buffer from a pool takes its place where the device does not
/// reach it, where it is not contiguous, and where the device would write to a cache line that the buffer shares with other
/// data.
///
/// @code{.c}
/// rt_ubase_t handle = rt_dma_map_single(dev, frame, length, RT_DMA_TO_DEVICE);
///
/// if (rt_dma_mapping_error(dev, handle))
/// {
///     return -RT_ENOMEM;
/// }
/// start_and_wait(handle, length);
/// rt_dma_unmap_single(dev, handle, length, RT_DMA_TO_DEVICE);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return The address for the device; `RT_DMA_MAPPING_ERROR`, with a line in the log, if an argument is not as stated here,
/// a page of the buffer is not mapped, or there is no memory for a bounce buffer or for the record of the mapping.
/// @note Context: any. A device's first call needs a thread. In an interrupt, memory outside the pools that is mapped
/// linearly and needs no bounce buffer can always be mapped; other memory while records last that calls in threads leave:
/// 16, and those that are unmapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_single(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_map_single_attrs(dev, cpu_addr, size, direction, 0) }
}

/// @brief Hands a buffer to the device as `rt_dma_map_single` does, with attributes.
///
/// @param[in] dev The device.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @param[in] attrs 0 or `RT_DMA_ATTR_OWN_LINES`; other bits have no effect. The unmap needs `RT_DMA_ATTR_OWN_LINES` too.
/// @return As `rt_dma_map_single`.
/// @note Context: any. A device's first call needs a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_single_attrs(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
    attrs: usize,
) -> usize {
    if let Some((device, is_coherent)) = usual(dev)
        && !DEVICES.may_have_mask(device)
    {
        let (va, way, attributes) = (cpu_addr.expose_provenance(), direction_of(direction), attributes_of(attrs));
        // SAFETY: the caller's promise.
        let handle = unsafe { STREAMING.map_at_once(&DMA, is_coherent, va, size, way, attributes) };
        return match handle {
            Some(handle) => handle,
            // SAFETY: the caller's promise.
            None => unsafe { map_usual(device, is_coherent, cpu_addr, size, direction, attrs) },
        };
    }
    // SAFETY: the caller's promise.
    unsafe { map_otherwise(dev, cpu_addr, size, direction, attrs) }
}

/// Does what `rt_dma_map_single_attrs` does, for a usual device, where a direct mapping does not serve.
///
/// # Safety
/// As `rt_dma_map_single_attrs`.
#[inline(never)] // A direct mapping needs no stack frame then.
unsafe fn map_usual(
    usual: Device,
    is_coherent: bool,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
    attrs: usize,
) -> usize {
    let va = cpu_addr.expose_provenance();
    let (way, attributes) = (direction_of(direction), attributes_of(attrs));
    // SAFETY: the caller's promise.
    match unsafe { STREAMING.map_pooled(&DMA, usual, is_coherent, va, size, way, attributes) } {
        Some(handle) => handle,
        // SAFETY: the caller's promise.
        None => unsafe { map_otherwise(dev(usual), cpu_addr, size, direction, attrs) },
    }
}

/// Does what `rt_dma_map_single_attrs` does, for any device and buffer.
///
/// # Safety
/// As `rt_dma_map_single_attrs`.
#[inline(never)] // The usual mapping needs no stack frame then.
unsafe fn map_otherwise(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
    attrs: usize,
) -> usize {
    let Some(master) = master(dev) else { return MAPPING_ERROR };
    let (va, direction, attributes) = (cpu_addr.expose_provenance(), direction_of(direction), attributes_of(attrs));
    // SAFETY: the caller's promise.
    let result = unsafe { STREAMING.map_not_at_once(&DMA, &master, va, size, direction, attributes) };
    result.unwrap_or(MAPPING_ERROR)
}

/// @brief Hands a part of a page to the device as `rt_dma_map_single` does a buffer.
///
/// @param[in] dev The device.
/// @param[in] page_pa The physical address of the page, which is mapped linearly or belongs to a buffer of a pool.
/// @param[in] offset The first byte of the part, counted from the page's first.
/// @param[in] size Bytes in the part, not zero. It may end in a later page.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return As `rt_dma_map_single`.
/// @note Context: any. A device's first call needs a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_page(
    dev: *mut rt_device,
    page_pa: usize,
    offset: usize,
    size: usize,
    direction: c_int,
) -> usize {
    let Some(master) = master(dev) else { return MAPPING_ERROR };
    // SAFETY: the caller's promise.
    let result = unsafe { STREAMING.map_page(&DMA, &master, page_pa, offset, size, direction_of(direction)) };
    result.unwrap_or(MAPPING_ERROR)
}

/// @brief Hands every buffer of a list to the device, or none.
///
/// Each buffer is mapped as by `rt_dma_map_single`, and its `dma_handle` is set.
///
/// @code{.c}
/// struct rt_dma_sg list[] = { { header, sizeof(*header), 0 }, { body, length, 0 } };
///
/// if (rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE) == 0)
/// {
///     return -RT_ENOMEM;
/// }
/// start_and_wait(list[0].dma_handle, list[1].dma_handle);
/// rt_dma_unmap_sg(dev, list, 2, RT_DMA_TO_DEVICE);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in,out] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return `nents`; 0 if a buffer cannot be mapped, or the list is null or empty. Then no buffer is mapped, and every
/// `dma_handle` is `RT_DMA_MAPPING_ERROR`.
/// @note Context: any. A device's first call needs a thread.
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
    // SAFETY: the caller's promise.
    match unsafe { STREAMING.map_list(&DMA, &master, list, direction_of(direction)) } {
        Ok(()) => nents,
        Err(_) => 0,
    }
}

/// @brief Ends a mapping: the buffer is the processor's again, with what the device wrote to it.
///
/// A wrong `size` or `direction` is logged and counted, and the mapping is ended as it was made: the bytes arrive, and a
/// bounce buffer is freed. (Of a buffer outside the pools that needed no bounce buffer, only the caller knows the size and
/// the direction.)
///
/// An unmap for another device, of an unknown handle, or a second unmap is logged and counted, and changes nothing. One
/// exception: a second unmap of a buffer that had no bounce buffer, and lay outside the pools when it was mapped, is not
/// noticed. If a buffer is mapped more than once under one handle, an unmap with the size and direction of none of these
/// mappings changes nothing either.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_single_attrs(dev, dma_handle, size, direction, 0) }
}

/// @brief Ends a mapping as `rt_dma_unmap_single` does, with attributes.
///
/// With `RT_DMA_ATTR_SKIP_CPU_SYNC` nothing is copied and no cache is maintained, and the buffer's bytes stay as they are: the
/// driver has synced what it wants to see by `rt_dma_sync_single_for_cpu`, and may have written to the buffer since.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @param[in] attrs `RT_DMA_ATTR_SKIP_CPU_SYNC`, `RT_DMA_ATTR_OWN_LINES` (if the map had it), both, or 0; other bits have no
/// effect.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single_attrs(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
    attrs: usize,
) {
    if let Some((device, is_coherent)) = usual(dev)
        && !DEVICES.may_manage(dma_handle)
    {
        let (way, attributes) = (direction_of(direction), attributes_of(attrs));
        // SAFETY: the caller's promise.
        if unsafe { STREAMING.unmap_at_once(&DMA, is_coherent, dma_handle, size, way, attributes) } {
            return;
        }
        return unmap_usual(device, dma_handle, size, direction, attrs);
    }
    unmap_otherwise(dev, dma_handle, size, direction, attrs);
}

/// Does what `rt_dma_unmap_single_attrs` does, for a usual device and a mapping that is not managed, where it is not a direct
/// one.
#[inline(never)] // As `map_usual`.
fn unmap_usual(usual: Device, dma_handle: usize, size: usize, direction: c_int, attrs: usize) {
    let (way, attributes) = (direction_of(direction), attributes_of(attrs));
    // SAFETY: the C caller's promise.
    if !unsafe { STREAMING.unmap_pooled(&DMA, usual, dma_handle, size, way, attributes) } {
        unmap_otherwise(dev(usual), dma_handle, size, direction, attrs);
    }
}

/// Does what `rt_dma_unmap_single_attrs` does, for any device and mapping.
#[inline(never)] // As `map_otherwise`.
fn unmap_otherwise(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int, attrs: usize) {
    let Some(master) = master(dev) else { return };
    if DEVICES.may_manage(dma_handle) {
        return unmap_managed(&master, dma_handle, size, direction, attrs);
    }
    let (direction, attributes) = (direction_of(direction), attributes_of(attrs));
    // SAFETY: the C caller's promise. A refused call is logged where it is refused; C is not told.
    let _ = unsafe { STREAMING.unmap_not_at_once(&DMA, &master, dma_handle, size, direction, attributes) };
}

/// Ends a mapping, which is not managed any more after that.
#[inline(always)]
fn unmap(master: &Master, handle: usize, size: usize, direction: c_int, attrs: usize) {
    if DEVICES.may_manage(handle) {
        unmap_managed(master, handle, size, direction, attrs);
    } else {
        let _ = unmap_known(master, handle, size, direction, attrs);
    }
}

#[inline(never)]
fn unmap_managed(master: &Master, handle: usize, size: usize, direction: c_int, attrs: usize) {
    let claim = DEVICES.claim(Kind::Mapping, handle, |device, _| device == master.device);
    let result = unmap_known(master, handle, size, direction, attrs);
    if let Some(claim) = claim {
        let is_gone = matches!(result, Ok(()) | Err(BadMapping::WrongSize | BadMapping::WrongDirection));
        DEVICES.settle(claim, is_gone);
    }
}

/// Ends a mapping that is not managed (any more).
#[inline(always)]
pub(in crate::ffi) fn unmap_known(
    master: &Master,
    handle: usize,
    size: usize,
    direction: c_int,
    attrs: usize,
) -> Result<(), BadMapping> {
    let (direction, attributes) = (direction_of(direction), attributes_of(attrs));
    // SAFETY: the C caller's promise. A refused call is logged where it is refused; C is not told.
    unsafe { STREAMING.unmap_with(&DMA, master, handle, size, direction, attributes) }
}

/// @brief Ends a mapping that `rt_dma_map_page` made, as `rt_dma_unmap_single` does.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_page(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_single(dev, dma_handle, size, direction) }
}

/// @brief Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_sg(dev: *mut rt_device, sg: *mut rt_dma_sg, nents: c_int, direction: c_int) {
    // SAFETY: the caller's promise.
    unsafe { rt_dma_unmap_sg_attrs(dev, sg, nents, direction, 0) }
}

/// @brief Ends the mapping of every buffer of a list, each as `rt_dma_unmap_single_attrs` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction of the mapping.
/// @param[in] attrs As for `rt_dma_unmap_single_attrs`.
/// @note Context: any.
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

/// @brief Makes a mapped buffer, or a part of it, the processor's, with what the device wrote, until it is synced for the
/// device.
///
/// Where the device is not coherent, a part begins and ends on a cache line, or where the mapping does. `direction` is that of
/// the mapping; for a bidirectional mapping it may be any, and `RT_DMA_TO_DEVICE` brings the processor no bytes. A call for
/// bytes that are not mapped, or with a wrong direction, is logged and counted, and changes nothing.
///
/// @code{.c}
/// rt_dma_sync_single_for_cpu(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
/// is_done = status->flags & DONE;
/// rt_dma_sync_single_for_device(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
/// @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_cpu(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's promise. A refused call is logged where it is refused; C is not told.
    let _ = unsafe { STREAMING.sync_for_cpu(&DMA, &master, dma_handle, size, direction_of(direction)) };
}

/// @brief Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it.
///
/// With `RT_DMA_FROM_DEVICE` the device is shown none of the processor's bytes: what the device has written since the last
/// sync for the processor stays, and what the processor wrote meanwhile may be lost. Parts, directions and errors are as for
/// `rt_dma_sync_single_for_cpu`.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
/// @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_device(
    dev: *mut rt_device,
    dma_handle: usize,
    size: usize,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's promise. A refused call is logged where it is refused; C is not told.
    let _ = unsafe { STREAMING.sync_for_device(&DMA, &master, dma_handle, size, direction_of(direction)) };
}

/// @brief Syncs every buffer of a list for the processor, each as `rt_dma_sync_single_for_cpu` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_sg_for_cpu(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's list.
    let list = unsafe { entries(sg, nents) };
    // SAFETY: the caller's promise.
    unsafe { STREAMING.sync_list_for_cpu(&DMA, &master, list, direction_of(direction)) };
}

/// @brief Syncs every buffer of a list for the device, each as `rt_dma_sync_single_for_device` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_sg_for_device(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(master) = master(dev) else { return };
    // SAFETY: the caller's list.
    let list = unsafe { entries(sg, nents) };
    // SAFETY: the caller's promise.
    unsafe { STREAMING.sync_list_for_device(&DMA, &master, list, direction_of(direction)) };
}

/// @brief Returns whether a map failed.
///
/// @param[in] dev The device.
/// @param[in] dma_handle What the map returned.
/// @return 0 if it is the handle of a mapping; `-RT_ENOMEM` if it is `RT_DMA_MAPPING_ERROR`.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_mapping_error(dev: *mut rt_device, dma_handle: usize) -> c_int {
    let _ = dev;
    if dma_handle == MAPPING_ERROR { errors().nomem as c_int } else { 0 }
}
