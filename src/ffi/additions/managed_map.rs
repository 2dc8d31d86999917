//! `rt_dmam_map_single`, `rt_dmam_unmap_single`.

use core::ffi::{c_int, c_void};

use crate::abi::rt_device;
use crate::additions::device::managed::{Kind, Words};
use crate::additions::streaming::MAPPING_ERROR;
use crate::ffi::additions::managed::reserve;
use crate::ffi::additions::streaming::{rt_dma_map_single, rt_dma_unmap_single};
use crate::ffi::{DEVICES, DMA, device};
use crate::kernel::{Device, Kernel};
use crate::log::Line;
use crate::text::apart;

/// Maps a buffer as `rt_dma_map_single` does, and ties the mapping to the device: `rt_dmam_release` unmaps it.
///
/// Returns `RT_DMA_MAPPING_ERROR` also without memory for the bookkeeping. Thread.
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

/// Unmaps, before `rt_dmam_release` would, what `rt_dmam_map_single` mapped: with the same `size` and `direction`. What is
/// no managed mapping of the device (any more) is logged and counted, and changes nothing. Null `dev` does nothing.
/// Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_unmap_single(dev: *mut rt_device, dma_handle: usize, size: usize, direction: c_int) {
    let Some(device) = device(dev) else { return };
    let wanted = words_of(dma_handle, size, direction);
    match DEVICES.unmanage(device, Kind::Mapping, |words| *words == wanted) {
        Some(words) => release(device, words),
        None => {
            let format = apart!("managed unmap of 0x%lx (%lu bytes): not its mapping, or not in a thread");
            let name = DMA.kernel.device_name(device);
            DMA.refuse_line(&Line::about(name, format, &[dma_handle, size]));
        }
    }
}

fn words_of(handle: usize, size: usize, direction: c_int) -> Words {
    [handle, size, direction as usize, 0]
}

fn release(device: Device, words: Words) {
    let [handle, size, direction, _] = words;
    let dev = core::ptr::with_exposed_provenance_mut(device.0);
    // SAFETY: the device of the map call, which stays as long as something is tied to it.
    unsafe { rt_dma_unmap_single(dev, handle, size, direction as c_int) }
}
