//! `rt_dmam_map_single`, `rt_dmam_unmap_single`.

use core::ffi::{c_int, c_void};

use crate::abi::rt_device;
use crate::additions::device::resource::{Kind, Words};
use crate::additions::streaming::MAPPING_ERROR;
use crate::ffi::additions::managed::reserve;
use crate::ffi::additions::streaming::{master_of, rt_dma_map_single, unmap_known};
use crate::ffi::{DEVICES, DMA, device};
use crate::kernel::Device;
use crate::text::apart;

/// Maps a buffer as `rt_dma_map_single` does, and ties the mapping to the device: `rt_dmam_release` unmaps it.
///
/// A driver may also unmap it by `rt_dma_unmap_single`: then it is tied to the device no more. Returns
/// `RT_DMA_MAPPING_ERROR` also without memory for the bookkeeping. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_map_single(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
) -> usize {
    // Before the mapping is, so that nothing can fail after.
    let Some(slot) = device(dev).and_then(reserve) else { return MAPPING_ERROR };
    // SAFETY: the caller's.
    let handle = unsafe { rt_dma_map_single(dev, cpu_addr, size, direction) };
    if handle != MAPPING_ERROR {
        slot.manage(Kind::Mapping, release, words_of(handle, size, direction));
    }
    handle
}

/// Unmaps, before `rt_dmam_release` would, what `rt_dmam_map_single` mapped: with the same `size` and `direction`.
///
/// A wrong `size` or `direction` is logged and counted, and the buffer is unmapped as it was mapped. What is no managed
/// mapping of the device (any more) is logged and counted, and changes nothing; the same holds if the device has more than
/// one managed mapping of the handle, and none with this size and direction. Null `dev` does nothing. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_unmap_single(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    let Some(device) = device(dev) else { return };
    let wanted = words_of(dma_handle, size, direction);
    let refuse = |format| {
        DMA.refuse_line(&DMA.line_about(device, format, &[dma_handle, size]));
    };
    if let Some(words) = DEVICES.unmanage(device, Kind::Mapping, |words| *words == wanted) {
        release(device, words);
    } else if let Some(words) = DEVICES.unmanage_only(device, Kind::Mapping, |[handle, ..]| *handle == dma_handle) {
        release(device, words);
        refuse(apart!("managed unmap of 0x%lx (%lu bytes): wrong size or direction, unmapped as it was mapped"));
    } else {
        refuse(apart!("managed unmap of 0x%lx (%lu bytes): not its mapping, or not in a thread"));
    }
}

fn words_of(handle: usize, size: usize, direction: c_int) -> Words {
    [handle, size, direction as usize, 0]
}

fn release(device: Device, words: Words) {
    let [handle, size, direction, _] = words;
    // The device's operations were chosen to map.
    if let Some(master) = master_of(device) {
        let _ = unmap_known(&master, handle, size, direction as c_int, 0);
    }
}
