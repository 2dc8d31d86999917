//! `rt_dma_set_max_segment` and the other limits of a device's segments.

use crate::abi::{rt_device, rt_err_t, rt_size_t, rt_ubase_t};
use crate::additions::device::limits::Limits;
use crate::additions::streaming::KEPT_BITS;
use crate::ffi::additions::device::{set_new_device_hook, status_without_record};
use crate::ffi::dropin::ops::{stored_table, table_or_choose};
use crate::ffi::status::{errors, status};
use crate::ffi::{DEVICES, device_at};
use crate::kernel::{Device, PAGE_SIZE};

/// Changes the limits of a device. Returns `-RT_EINVAL` if `is_valid` is false.
fn change_limits(dev: *mut rt_device, is_valid: bool, change: impl FnOnce(&mut Limits)) -> rt_err_t {
    let Some(device) = device_at(dev) else { return errors().inval };
    if !is_valid {
        return errors().inval;
    }
    // Without operations the device is a new one: what was set now would end when its operations are chosen.
    if let Err(error) = table_or_choose(device) {
        return status(Err(error));
    }
    set_new_device_hook();
    DEVICES.set_limits(device, change).map_or_else(status_without_record, |()| errors().ok)
}

/// Returns whether the bits that are set in `mask` are its lowest ones. Zero and all ones are such masks too.
fn is_low_bits(mask: usize) -> bool {
    mask & mask.wrapping_add(1) == 0
}

/// Returns the limits of a device; the default ones for a null pointer, and for a device without operations, which is
/// new: what is recorded at its address are the limits of an earlier device.
fn limits_of(dev: *mut rt_device) -> Limits {
    let device = device_at(dev).filter(|device| stored_table(*device).is_some());
    device.map_or(Limits::DEFAULT, |device| DEVICES.limits(device))
}

/// @brief Sets the maximum number of bytes that the device takes in one segment.
///
/// The library does not split or merge segments. It keeps the limit for the code that builds the device's scatter
/// lists, which asks for it by `rt_dma_get_max_segment`. `rt_dmam_release` ends the limits of the device.
///
/// @code{.c}
/// if (rt_dma_set_max_segment(dev, 0x10000) != RT_EOK || rt_dma_set_segment_boundary(dev, 0xffff) != RT_EOK
///     || rt_dma_set_min_align_mask(dev, 0xfff) != RT_EOK)
/// {
///     return -RT_ERROR;
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] size Bytes, not zero.
/// @retval RT_EOK The limit is set.
/// @retval -RT_EINVAL `dev` is NULL, or `size` is 0.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping.
/// @retval -RT_EBUSY The call needs a thread, or a region of the device is being uninstalled.
/// @note Context: thread first, then any. A device's first limit needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_max_segment(dev: *mut rt_device, size: rt_size_t) -> rt_err_t {
    change_limits(dev, size != 0, |limits| limits.max_segment = size)
}

/// @brief Returns the maximum number of bytes that the device takes in one segment.
///
/// @param[in] dev The device.
/// @return Bytes; 65,536 if no limit was set, or `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_max_segment(dev: *mut rt_device) -> rt_size_t {
    limits_of(dev).max_segment
}

/// @brief Sets the boundary that no segment of the device crosses.
///
/// As with `rt_dma_set_max_segment`, the code that builds the device's scatter lists asks for it.
///
/// @param[in] dev The device.
/// @param[in] mask The boundary minus one: `0xffff` if no segment may cross a multiple of 64 KiB. All ones mean that
/// there is no boundary. 0 is accepted, as on Linux: a segment then has one byte.
/// @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two.
/// @note Context: thread first, then any. A device's first limit needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_segment_boundary(dev: *mut rt_device, mask: rt_ubase_t) -> rt_err_t {
    change_limits(dev, is_low_bits(mask), |limits| limits.boundary_mask = mask)
}

/// @brief Returns the boundary that no segment of the device crosses.
///
/// @param[in] dev The device.
/// @return The boundary minus one; all ones if none was set, or `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_segment_boundary(dev: *mut rt_device) -> rt_ubase_t {
    limits_of(dev).boundary_mask
}

/// Returns the low bits of an address that a bounce buffer of the device keeps: the function of [`KEPT_BITS`].
fn kept_bits(device: Device) -> usize {
    DEVICES.limits(device).align_mask
}

/// @brief Sets which low bits of a buffer's address its bounce buffer keeps.
///
/// Some devices need this because their descriptors contain only a part of the address, and the rest follows from the
/// position in the list. An NVMe controller is an example: every page of a buffer except the first begins at offset 0,
/// so its mask is `0xfff`.
///
/// @param[in] dev The device.
/// @param[in] mask The bits, up to a page: `0xfff` for the offset in a page. 0 if no bit is kept.
/// @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two up to a page.
/// @note Context: thread first, then any. A device's first limit needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_min_align_mask(dev: *mut rt_device, mask: rt_ubase_t) -> rt_err_t {
    change_limits(dev, is_low_bits(mask) && mask < PAGE_SIZE, |limits| {
        KEPT_BITS.set(&(kept_bits as fn(Device) -> usize));
        limits.align_mask = mask;
    })
}

/// @brief Returns which low bits of a buffer's address its bounce buffer keeps.
///
/// @param[in] dev The device.
/// @return The bits; 0 if none were set, or `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_min_align_mask(dev: *mut rt_device) -> rt_ubase_t {
    limits_of(dev).align_mask
}
