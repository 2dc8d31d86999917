//! `rt_dma_set_mask` and the other calls for masks. [`masked_ops`](super::masked_ops) has the operations that keep to
//! them.

use crate::abi::{rt_device, rt_dma_map_ops, rt_err_t};
use crate::additions::device::masks::{MaskedOps, Masks, is_within};
use crate::dropin::map_ops::MapOps;
use crate::dropin::translate::NO_MASK;
use crate::ffi::additions::allocating_ops;
use crate::ffi::additions::device::masked_ops::{
    has_masked_function, is_masked_copy, is_masked_table, meaning_of, table_for,
};
use crate::ffi::additions::device::{no_table, refusal, watch_for_new_devices};
use crate::ffi::additions::hooks;
use crate::ffi::dropin::ops::{stored_table, table_of};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, device, pointer};
use crate::kernel::rtthread::rt_dma_port_device_set_ops;
use crate::kernel::{Addresses, Device, PAGE_SIZE};

/// Returns the masks of the device. They count only while its operations are masked: a device without operations, or
/// with a table that the BSP set, may be a new one, and the masks may be those of an earlier device at its address.
///
/// Context: any.
pub(in crate::ffi) fn masks_of(device: Device) -> Masks {
    let has_mask = stored_table(device).is_some_and(has_masked_function);
    let ops = if has_mask { meaning_of(device) } else { None };
    ops.map_or(Masks::UNLIMITED, |ops| ops.masks)
}

/// @brief Sets the streaming mask: the addresses that the device can use for buffers that are mapped for it.
///
/// A map of a buffer outside the mask uses a bounce buffer. `rt_dma_sync_out_data` returns `-RT_ERROR` for such a
/// buffer. A failed call changes nothing. `rt_dmam_release` ends the masks of the device.
///
/// @code{.c}
/// if (rt_dma_set_mask_and_coherent(dev, 0xffffffff) != RT_EOK)
/// {
///     return -RT_EIO;
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] mask Bit n is 1 if the device drives address line n: `0xffffffff` for 32 lines. Until a mask is set, all
/// bits are 1.
/// @retval RT_EOK The mask is set.
/// @retval -RT_EINVAL `dev` is NULL, or `mask` is 0.
/// @retval -RT_EIO No page of any installed pool that serves the device lies wholly within the mask. Without any pool,
/// and for a device that itself lies within its streaming mask and whose bus does not translate, that is no error.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping.
/// @retval -RT_EBUSY The call needs a thread.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, Some(mask), None)
}

/// @brief Sets the coherent mask: the addresses that the device can use for buffers that are allocated for it.
///
/// After the call, `rt_dma_alloc` and all calls that use it return only buffers whose handles lie within `mask`, from
/// the first byte to the last. A pool of which only a part is within the mask serves that part. Buffers that the driver
/// has already stay valid, and are freed as before.
///
/// If the BSP gave the device its own allocation operation, that operation allocates, and a buffer outside the mask is
/// given back to it. A BSP must set a device's own operations before the mask: a later change of `dma_ops` takes the
/// mask away. Only a copy of the device's table, in which some functions are replaced, keeps the masks until the last
/// one is removed. If the BSP has set a table whose functions call those of the device's earlier table, no mask may be
/// set any more.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_coherent_mask(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, None, Some(mask))
}

/// @brief Sets the streaming and the coherent mask, or on failure neither.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask_and_coherent(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, Some(mask), Some(mask))
}

/// @brief Returns the streaming mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).streaming)
}

/// @brief Returns the coherent mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_coherent_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).coherent)
}

/// Sets the masks that are given, one or both of them to the same value.
fn set_masks(dev: *mut rt_device, streaming: Option<u64>, coherent: Option<u64>) -> rt_err_t {
    let errors = errors();
    let mask = streaming.or(coherent).filter(|mask| *mask != 0);
    let (Some(device), Some(mask)) = (device(dev), mask) else { return errors.inval };
    let Some(now) = table_of(device) else { return no_table() };
    let Some(before) = masked_ops_before(device, now) else { return errors.nomem };
    // The BSP has given the device a copy of another device's table. Without a mask, that one stays.
    if mask == NO_MASK && is_masked_copy(now) && DEVICES.masked_ops(device).is_none() {
        return errors.ok;
    }
    if !is_served(device, before.original, mask, coherent.is_some()) {
        return errors.io;
    }
    watch_for_new_devices();
    hooks::MASKS.set(&hooks::Masks { unmask, coherent: |device| masks_of(device).coherent });
    DEVICES.forget_old_masks(device, || stored_table(device).is_none_or(|now| !has_masked_function(now)));
    // Another call may have taken the masks back meanwhile.
    let has_table = || stored_table(device).is_some_and(|table| core::ptr::eq(table, now));
    let inherited = || if has_table() { before.masks } else { Masks::UNLIMITED };
    match DEVICES.set_masks(device, inherited, streaming, coherent, before.original) {
        Ok(masks) => publish(device, masks, before.original),
        Err(error) => return refusal(error),
    }
    if coherent.is_some() {
        update_block_pools(device);
    }
    errors.ok
}

/// Returns the masks and the original table of a device whose present table is `now`; `None` if they are not known.
fn masked_ops_before(device: Device, now: &'static rt_dma_map_ops) -> Option<MaskedOps> {
    // A copy of a masked table is no original table: a masked table that calls it would call itself without end.
    if has_masked_function(now) {
        meaning_of(device)
    } else {
        Some(MaskedOps { masks: Masks::UNLIMITED, original: now })
    }
}

/// Returns whether a mask leaves the device memory: a pool that serves the device has a page within the mask, or there
/// is no pool at all. A streaming mask alone (`is_coherent` is false) needs no pool if the device reaches kernel memory
/// directly. A BSP's own allocation takes from where it likes: whether the mask serves shows when it is called.
fn is_served(device: Device, original: &rt_dma_map_ops, mask: u64, is_coherent: bool) -> bool {
    let Some(ops) = allocating_ops(original) else { return true };
    DMA.can_reach(ops, device, mask)
        || DMA.pools().next().is_none()
        || !is_coherent && reaches_kernel_memory(ops, device, mask)
}

/// Returns whether the device reaches kernel memory directly. The page of the device's structure is an example of such
/// memory.
fn reaches_kernel_memory(ops: MapOps, device: Device, mask: u64) -> bool {
    !ops.are_translated() && DMA.kernel.v2p(device.address()).is_some_and(|pa| is_within(pa, PAGE_SIZE, mask))
}

/// Gives the device the table for its masks. If the device has no mask, that is its original table. If it has one, and
/// the BSP has given it a copy of a masked table, the copy stays: it reads the masks in the device's record.
fn publish(device: Device, mut masks: Masks, original: &'static rt_dma_map_ops) {
    loop {
        let keeps_copy = masks != Masks::UNLIMITED && stored_table(device).is_some_and(is_masked_copy);
        if !keeps_copy {
            store_table(device, table_for(&MaskedOps { masks, original }));
        }
        // Another call may have set the other mask meanwhile, and this store may have replaced that call's table.
        match DEVICES.confirm_masks(device, masks) {
            Ok(()) => return,
            Err(now) => masks = now,
        }
    }
}

/// Stores a table in `dev->dma_ops`.
fn store_table(device: Device, table: &'static rt_dma_map_ops) {
    // SAFETY: the caller of the C function passed a valid device; the table is a static, or one that the BSP keeps.
    unsafe { rt_dma_port_device_set_ops(pointer(device.address()), core::ptr::from_ref(table).cast()) };
}

/// Makes the block pools of the device, if there are any, follow its coherent mask.
pub(in crate::ffi) fn update_block_pools(device: Device) {
    if let Some(pools) = hooks::BLOCK_POOLS.get_after_writes() {
        (pools.follow_mask)(device);
    }
}

/// Gives the device its original table back.
fn unmask(device: Device) {
    let ops = match stored_table(device) {
        Some(now) if is_masked_table(now) => meaning_of(device),
        // A device without a mask may have a copy of another device's table. That one stays.
        Some(now) if is_masked_copy(now) => DEVICES.masked_ops(device),
        _ => None,
    };
    if let Some(MaskedOps { original, .. }) = ops {
        store_table(device, original);
    }
}
