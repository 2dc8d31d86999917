//! `rt_dma_map_sg` and its like: scatter lists.

use core::ffi::{c_int, c_void};

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::streaming::{MAPPING_ERROR, MappedBuffer, Segment};
use crate::ffi::additions::streaming::arguments::{bus_master, direction_of, mapped_buffer};
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::additions::streaming::unmap::unmap;
use crate::kernel::{Handle, Va};

/// @brief One buffer of a scatter list.
#[repr(C)]
#[allow(non_camel_case_types)]
pub struct rt_dma_sg {
    /// The driver's buffer.
    pub addr: *mut c_void,
    /// Bytes in the buffer.
    pub length: rt_size_t,
    /// The address for the device. `rt_dma_map_sg` sets it.
    pub dma_handle: rt_ubase_t,
}

impl Segment for rt_dma_sg {
    fn va(&self) -> Va {
        self.addr.expose_provenance()
    }

    fn size(&self) -> usize {
        self.length
    }

    fn handle(&self) -> Handle {
        self.dma_handle
    }

    fn set_handle(&mut self, handle: Handle) {
        self.dma_handle = handle;
    }
}

/// Returns the entries of a list that the caller may read; none if `sg` is null or `nents` is not positive.
///
/// # Safety
/// If it is not null, `sg` points to `nents` entries, which no other code changes during the call.
pub(in crate::ffi) unsafe fn entries<'a>(sg: *const rt_dma_sg, nents: c_int) -> &'a [rt_dma_sg] {
    match usize::try_from(nents) {
        // SAFETY: it is not null, so the caller guarantees `nents` entries, which no other code changes. Entries in
        // memory have at most `isize::MAX` bytes together.
        Ok(length) if !sg.is_null() => unsafe { core::slice::from_raw_parts(sg, length) },
        _ => &[],
    }
}

/// Returns the entries of a list that the caller may change; none if `sg` is null or `nents` is not positive.
///
/// # Safety
/// If it is not null, `sg` points to `nents` entries, which no other code uses during the call.
unsafe fn entries_mut<'a>(sg: *mut rt_dma_sg, nents: c_int) -> &'a mut [rt_dma_sg] {
    match usize::try_from(nents) {
        // SAFETY: it is not null, so the caller guarantees `nents` entries, which no other code uses. Entries in memory
        // have at most `isize::MAX` bytes together.
        Ok(length) if !sg.is_null() => unsafe { core::slice::from_raw_parts_mut(sg, length) },
        _ => &mut [],
    }
}

/// Returns the mapped buffer of each entry of a list.
pub(in crate::ffi) fn mapped_buffers(list: &[rt_dma_sg], direction: c_int) -> impl Iterator<Item = MappedBuffer> {
    let direction = direction_of(direction);
    list.iter().map(move |segment| MappedBuffer::new(segment.dma_handle, segment.length, direction))
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
/// @param[in,out] sg The list, which no other code uses during the call.
/// @param[in] nents Entries in the list.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return `nents`; 0 if a buffer cannot be mapped, `dev` or the list is null, or `nents` is 0 or less. Then no buffer
/// is mapped, and every `dma_handle` is `RT_DMA_MAPPING_ERROR`.
/// @note Context: thread first, then any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_sg(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) -> c_int {
    // SAFETY: the list is null, or has `nents` entries that no other code uses during the call (`crate::ffi`).
    let list = unsafe { entries_mut(sg, nents) };
    // As after any failure, each entry has `RT_DMA_MAPPING_ERROR`.
    let Ok(master) = bus_master(dev) else {
        list.iter_mut().for_each(|segment| segment.set_handle(MAPPING_ERROR));
        return 0;
    };
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its list.
    match unsafe { STREAMING.map_list(&master, list, direction_of(direction)) } {
        Ok(()) => nents,
        Err(_) => 0,
    }
}

/// @brief Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list, which no other code changes during the call. No `length` and no `dma_handle` has changed
/// since the map.
/// @param[in] nents Entries in the list, as for the map.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_sg(dev: *mut rt_device, sg: *mut rt_dma_sg, nents: c_int, direction: c_int) {
    // SAFETY: the caller passes a list of `nents` entries, and keeps to `# Safety` of `additions::streaming` for their
    // mappings.
    unsafe { rt_dma_unmap_sg_attrs(dev, sg, nents, direction, 0) }
}

/// @brief Ends the mapping of every buffer of a list, each as `rt_dma_unmap_single_attrs` does.
///
/// @param[in] dev The device.
/// @param[in] sg The list, which no other code changes during the call. No `length` and no `dma_handle` has changed
/// since the map.
/// @param[in] nents Entries in the list, as for the map.
/// @param[in] direction The direction of the mapping.
/// @param[in] attrs 0 or `RT_DMA_ATTR_SKIP_CPU_SYNC`. Not `RT_DMA_ATTR_OWN_LINES`: no list is mapped with it. Other
/// bits have no effect.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_sg_attrs(
    dev: *mut rt_device,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
    attrs: rt_ubase_t,
) {
    let Ok(master) = bus_master(dev) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    for segment in unsafe { entries(sg, nents) } {
        // SAFETY: the device exists, and the caller keeps to `# Safety` of `additions::streaming`.
        unsafe { unmap(&master, &mapped_buffer(segment.dma_handle, segment.length, direction, attrs)) };
    }
}

/// @brief Syncs every buffer of a list for the processor, each as `rt_dma_sync_single_for_cpu` does.
///
/// A wrong entry is logged and counted, as by that function, and the other entries are synced all the same.
///
/// @param[in] dev The device.
/// @param[in] sg The list, of which the call reads each `dma_handle` and `length`. No other code changes it during the
/// call.
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
    let Ok(master) = bus_master(dev) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    for mapped in mapped_buffers(unsafe { entries(sg, nents) }, direction) {
        // A refused call is logged where it is refused, and C gets no error.
        // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for the mapping.
        let _ = unsafe { STREAMING.sync_for_cpu(&master, &mapped) };
    }
}

/// @brief Syncs every buffer of a list for the device, each as `rt_dma_sync_single_for_device` does.
///
/// A wrong entry is logged and counted, as by that function, and the other entries are synced all the same.
///
/// @param[in] dev The device.
/// @param[in] sg The list, of which the call reads each `dma_handle` and `length`. No other code changes it during the
/// call.
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
    let Ok(master) = bus_master(dev) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    for mapped in mapped_buffers(unsafe { entries(sg, nents) }, direction) {
        // A refused call is logged where it is refused, and C gets no error.
        // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for the mapping.
        let _ = unsafe { STREAMING.sync_for_device(&master, &mapped) };
    }
}
