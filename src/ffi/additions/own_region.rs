//! `rt_dma_own_region_init`, `rt_dma_own_region_release`.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_err_t, rt_size_t};
use crate::ffi::dropin::ops::table_or_choose;
use crate::ffi::status::{errors, status};
use crate::ffi::{DMA, device_at};
use crate::kernel::rtthread::rt_dma_port_node;

/// @brief Makes the device an owner of the memory regions that its node names, and checks one of them.
///
/// If region `index` is not one of the device's pools after that, the call returns an error. A device that is the owner
/// already stays so.
///
/// A device is served from all regions that its node names in `memory-region`, and needs no call for that. A driver
/// calls this function for one of two purposes: to learn whether a region is there, as drivers for Linux do by
/// `of_reserved_mem_device_init_by_idx`; or to get the regions again after `rt_dma_own_region_release`.
///
/// @code{.c}
/// if (rt_dma_own_region_init(dev, RT_NULL, 0) != RT_EOK)
/// {
///     rt_kprintf("the display has no memory of its own\n");
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] node The node that names the region: the device's own, or NULL for that one.
/// @param[in] index The number of the region in `memory-region`, from 0 on.
/// @retval RT_EOK The device is an owner of the region.
/// @retval -RT_EINVAL `dev` is NULL, or `node` is another node.
/// @retval -RT_EEMPTY The node names no such region, or the region is refused: a line in the log gives the reason. The
/// device owns the other regions nevertheless.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping. The device may own some of the regions.
/// @retval -RT_EBUSY The caller may not sleep; or another thread is uninstalling a region, and the device may own some
/// of the others.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_own_region_init(
    dev: *mut rt_device,
    node: *const c_void,
    index: rt_size_t,
) -> rt_err_t {
    let errors = errors();
    let Some(device) = device_at(dev) else { return errors.inval };
    // SAFETY: the caller passes a valid device, which is not null here.
    let own = unsafe { rt_dma_port_node(dev.cast()) };
    if !node.is_null() && !core::ptr::eq(node, own) {
        return errors.inval;
    }
    if let Err(error) = table_or_choose(device) {
        return status(Err(error));
    }
    status(DMA.claim_own_region(device, index))
}

/// @brief Ends a device's right to all regions that its node names. The device is not served from them any more, except
/// from one that serves every device (`linux,cma-default`).
///
/// Buffers that the device has stay, and are freed as before. `rt_dma_own_region_init` gives the device the regions
/// again.
///
/// @param[in] dev The device. With NULL the call does nothing.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_own_region_release(dev: *mut rt_device) {
    if let Some(device) = device_at(dev) {
        DMA.release_own_regions(device);
    }
}
