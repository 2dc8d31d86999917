//! `rt_dmam_release`: releases a device's managed resources, and ends its masks and limits.

use crate::abi::rt_device;
use crate::ffi::additions::device::forget_earlier_device;
use crate::ffi::additions::device::masks::update_block_pools;
use crate::ffi::additions::hooks::{MASKS, tidy_streams};
use crate::ffi::{DEVICES, DMA, device_at};

/// @brief Releases all managed buffers, mappings and block pools of the device, the newest first.
///
/// A driver calls this function when the device is removed. The device's masks and limits end too, and bounce buffers
/// that were left when an interrupt unmapped buffers are freed. Buffers, mappings and block pools that are not managed
/// stay, and so does the device's right to its regions, which `rt_dma_own_region_release` ends. If the function is
/// called twice, or by two threads at once, each resource is released once. A call outside of a thread is counted, and
/// changes nothing.
///
/// A driver should make this call for each device that is removed. Without it, what the device leaves is forgotten at
/// the first call of the next device at its address, whose `dma_ops` is NULL then. If the BSP sets `dma_ops` before
/// that, the library cannot know that the device is new: it treats the managed resources, mappings and limits of the
/// earlier device as those of the new one. On such a BSP, a driver must make this call.
///
/// @param[in] dev The device. With NULL the call does nothing.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_release(dev: *mut rt_device) {
    let Some(device) = device_at(dev) else { return };
    if !DMA.may_sleep_or_count() {
        return;
    }
    // A device without operations is a new one: what is recorded at its address was an earlier device's.
    forget_earlier_device(device);
    // An operation of the BSP that frees a bounce buffer reads the device, which may be gone after this call.
    tidy_streams();
    DEVICES.release(device);
    // After the release of the resources. The device may have a copy of a masked table, in which the BSP replaced
    // `alloc` and `free`. Unmasking replaces the copy by the original table, which would then free buffers that the
    // BSP's `alloc` returned.
    if let Some(masks) = MASKS.get() {
        (masks.unmask)(device);
    }
    DEVICES.forget_masks_and_limits(device);
    update_block_pools(device);
}
