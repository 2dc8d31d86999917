//! `rt_dmam_map_single`, `rt_dmam_unmap_single`.

use core::ffi::{c_int, c_void};

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::device::managed::Selection;
use crate::additions::device::resource::{Arguments, ResourceKind};
use crate::additions::streaming::{MAPPING_ERROR, MappedBuffer};
use crate::ffi::additions::device::forget_earlier_device;
use crate::ffi::additions::device::managed::reserve;
use crate::ffi::additions::streaming::arguments::direction_of;
use crate::ffi::additions::streaming::single::rt_dma_map_single;
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::{DEVICES, DMA, c_device, device_at};
use crate::kernel::{Device, Handle};
use crate::text::text;

/// @brief Hands a buffer to the device as `rt_dma_map_single` does, and makes the mapping managed: `rt_dmam_release`
/// unmaps it.
///
/// A driver may also unmap it by `rt_dma_unmap_single`. After that it is not managed any more.
///
/// @param[in] dev The device.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return As `rt_dma_map_single`; `RT_DMA_MAPPING_ERROR` also without memory for the bookkeeping, and outside of a
/// thread, where the call is counted.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_map_single(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    direction: c_int,
) -> rt_ubase_t {
    let Some(device) = device_at(dev) else {
        // It refuses the call.
        // SAFETY: `dev` is null.
        return unsafe { rt_dma_map_single(dev, cpu_addr, size, direction) };
    };
    // The place is reserved first, so that nothing can fail once the buffer is mapped.
    let Some(reservation) = reserve(device) else { return MAPPING_ERROR };
    // SAFETY: the caller passes a `dev` that is null or points to a device, and keeps to `# Safety` of
    // `additions::streaming`.
    let handle = unsafe { rt_dma_map_single(dev, cpu_addr, size, direction) };
    if handle != MAPPING_ERROR {
        // SAFETY: `handle` is that of the mapping. The call that unmaps it takes the resource out of the list, or
        // claims it, before. Until then, and until `rt_dmam_release`, the driver leaves the buffer to the device.
        unsafe { reservation.manage(ResourceKind::Mapping, release, arguments_of(handle, size, direction)) };
    }
    handle
}

/// @brief Ends a mapping of `rt_dmam_map_single` before `rt_dmam_release` would.
///
/// A wrong `size` or `direction` is logged and counted, and the buffer is unmapped as it was mapped. These calls are
/// logged and counted too, and change nothing:
/// - The handle is not that of a managed mapping of the device (any more).
/// - The device has several managed mappings with the handle, and none of them has this size and direction.
///
/// A call outside of a thread is counted only, and changes nothing.
///
/// @param[in] dev The device. With NULL the call does nothing.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_unmap_single(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    let Some(device) = device_at(dev) else { return };
    // This may be the first call of a new device, which has no mapping of an earlier one at its address.
    forget_earlier_device(device);
    let wanted = arguments_of(dma_handle, size, direction);
    let is_wanted = |arguments: &Arguments| *arguments == wanted;
    if let Some(arguments) = DEVICES.unmanage(device, ResourceKind::Mapping, Selection::Newest, is_wanted) {
        // SAFETY: the mapping has left the list, so no other call ends it. The caller guarantees that the device
        // exists, and that no code has accessed the buffer while it was mapped.
        return unsafe { release(device, arguments) };
    }
    let refuse = |text| DMA.refuse_line(&DMA.line_about(device, text));
    let has_handle = |[handle, ..]: &Arguments| *handle == dma_handle;
    let Some(arguments) = DEVICES.unmanage(device, ResourceKind::Mapping, Selection::Only, has_handle) else {
        return refuse(text!("managed unmap of 0x%lx (%lu bytes): unknown or ambiguous", dma_handle, size));
    };
    // SAFETY: the mapping has left the list, so no other call ends it. The caller guarantees that the device exists,
    // and that no code has accessed the buffer while it was mapped.
    unsafe { release(device, arguments) };
    refuse(text!(
        "managed unmap of 0x%lx (%lu bytes): wrong size or direction, unmapped as it was mapped",
        dma_handle,
        size
    ));
}

/// Returns the arguments with which the mapping is managed. The last one is not used.
fn arguments_of(handle: Handle, size: usize, direction: c_int) -> Arguments {
    [handle, size, direction as usize, 0]
}

/// Ends a managed mapping.
///
/// # Safety
/// As for [`ReleaseFunction`](crate::additions::device::resource::ReleaseFunction).
unsafe fn release(device: Device, arguments: Arguments) {
    let [handle, size, direction, _] = arguments;
    let mapped = MappedBuffer::new(handle, size, direction_of(direction as c_int));
    // `unmap` logs and counts an error, and there is no caller to return it to.
    // SAFETY: the caller guarantees that the device exists. `rt_dmam_map_single` made the mapping; its caller does not
    // access the buffer until it is unmapped.
    let _ = unsafe { STREAMING.unmap(c_device(device), &mapped) };
}
