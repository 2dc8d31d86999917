//! `rt_dma_set_mask` and the other calls for masks. [`masked_ops`](super::masked_ops) has the operations that keep to
//! them.

use crate::abi::{rt_device, rt_dma_map_ops, rt_err_t};
use crate::additions::device::masks::{MaskedOps, Masks};
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::ffi::additions::device::masked_ops::{
    has_any_masked, is_masked_copy, is_masked_table, masked_ops_of, table_for,
};
use crate::ffi::additions::device::{set_new_device_hook, status_without_record};
use crate::ffi::additions::hooks;
use crate::ffi::dropin::ops::{ops_of_alloc, stored_table, table_or_choose};
use crate::ffi::status::{errors, status};
use crate::ffi::{DEVICES, DMA, device_at, pointer};
use crate::kernel::Device;
use crate::kernel::rtthread::rt_dma_port_device_set_ops;

/// Returns the masks of the device. They count only while its operations are masked: a device without operations, or
/// with a table that the BSP set, may be a new one, and the masks may be those of an earlier device at its address.
///
/// Context: any.
pub(in crate::ffi) fn masks_of(device: Device) -> Masks {
    let ops = if has_masked_ops(device) { masked_ops_of(device) } else { None };
    ops.map_or(Masks::UNLIMITED, |ops| ops.masks)
}

/// Returns whether the device has a masked table now, or a copy of one.
fn has_masked_ops(device: Device) -> bool {
    stored_table(device).is_some_and(has_any_masked)
}

/// @brief Sets the streaming mask: the addresses that the device can use for buffers that are mapped for it.
///
/// A map of a buffer outside the mask uses a bounce buffer. `rt_dma_sync_out_data` returns `-RT_ERROR` for such a
/// buffer. A failed call changes nothing. `rt_dmam_release` ends the masks of the device.
///
/// The call refuses a mask that would leave the device without memory (-RT_EIO). It does not refuse a mask for this
/// reason in these cases:
/// - No pool is installed.
/// - The BSP's own operation allocates the device's memory.
/// - Only the streaming mask is set, the bus does not translate addresses, and the mask reaches kernel memory. The 4
///   KiB from `*dev` on are taken as an example of it.
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
/// @retval -RT_EIO No page of the pools that serve the device lies wholly within the mask, and none of the cases above
/// applies.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping.
/// @retval -RT_EBUSY The call needs a thread, or a region of the device is being uninstalled.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, mask, WhichMasks::Streaming)
}

/// @brief Sets the coherent mask: the addresses that the device can use for buffers that are allocated for it.
///
/// After the call, `rt_dma_alloc` and all calls that use it return only buffers whose handles lie within `mask`, from
/// the first byte to the last. A pool of which only a part is within the mask serves that part. A block pool of the
/// device returns only blocks within `mask`, too. Buffers that the driver has already stay valid, and are freed as
/// before.
///
/// For a BSP that sets `dev->dma_ops` itself:
/// - Set the device's own operations before the mask. A later change of `dma_ops` takes the mask away.
/// - If the BSP's own operation allocates, a buffer outside the mask is given back to it, and the allocation fails.
/// - A copy of the table that the device has with its masks, in which the BSP has replaced functions, keeps the masks
///   while one function of that table is left in it.
/// - If the BSP has set a table whose functions call those of the device's earlier table, no mask may be set any more.
/// - A device may get a mask because the BSP copies the table of another device. Copy the table before the device's
///   block pools are created, or set the mask by this call afterwards. Otherwise a block pool may return free blocks
///   beyond the mask until it next gets pages.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_coherent_mask(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, mask, WhichMasks::Coherent)
}

/// @brief Sets the streaming and the coherent mask, or on failure neither.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask_and_coherent(dev: *mut rt_device, mask: u64) -> rt_err_t {
    set_masks(dev, mask, WhichMasks::Both)
}

/// @brief Returns the streaming mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_mask(dev: *mut rt_device) -> u64 {
    device_at(dev).map_or(0, |device| masks_of(device).streaming)
}

/// @brief Returns the coherent mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_coherent_mask(dev: *mut rt_device) -> u64 {
    device_at(dev).map_or(0, |device| masks_of(device).coherent)
}

/// Which masks of a device a call sets.
#[derive(Clone, Copy)]
enum WhichMasks {
    Streaming,
    Coherent,
    Both,
}

impl WhichMasks {
    fn includes_streaming(self) -> bool {
        matches!(self, WhichMasks::Streaming | WhichMasks::Both)
    }

    fn includes_coherent(self) -> bool {
        matches!(self, WhichMasks::Coherent | WhichMasks::Both)
    }
}

/// Sets one mask, or both.
fn set_masks(dev: *mut rt_device, mask: u64, which: WhichMasks) -> rt_err_t {
    let errors = errors();
    let Some(device) = device_at(dev) else { return errors.inval };
    if mask == 0 {
        return errors.inval;
    }
    let table = match table_or_choose(device) {
        Ok(table) => table,
        Err(error) => return status(Err(error)),
    };
    let Some(before) = masked_ops_before(device, table) else { return errors.nomem };
    // The BSP has given the device a copy of another device's table. Without a mask, that one stays.
    if mask == NO_MASK && is_masked_copy(table) && DEVICES.masked_ops(device).is_none() {
        return errors.ok;
    }
    // An operation of the BSP may allocate anywhere. Only its handles show whether they are within the mask.
    if let Some(ops) = ops_of_alloc(before.original) {
        let is_accepted = if which.includes_coherent() {
            DMA.accepts_coherent_mask(ops, device, mask)
        } else {
            DMA.accepts_streaming_mask(ops, device, mask)
        };
        if !is_accepted {
            return errors.io;
        }
    }
    // Each call may be the image's first one for a mask. A later one sets the same value again.
    set_new_device_hook();
    hooks::MASKS.set(&hooks::MaskFunctions { unmask, coherent: |device| masks_of(device).coherent });
    if let Err(error) = record_and_publish(device, mask, which, table, &before) {
        return status_without_record(error);
    }
    if which.includes_coherent() {
        update_block_pools(device);
    }
    errors.ok
}

/// Records the masks of a device, and stores the table for them. `table` is the device's table at the beginning of the
/// call, and `before` has its masks and its original table.
fn record_and_publish(
    device: Device,
    mask: u64,
    which: WhichMasks,
    table: &'static rt_dma_map_ops,
    before: &MaskedOps,
) -> Result<(), Error> {
    DEVICES.forget_old_masks(device, || !has_masked_ops(device));
    // Another call may have removed the masks since then.
    let is_unchanged = || stored_table(device).is_some_and(|stored| core::ptr::eq(stored, table));
    let inherited = || if is_unchanged() { before.masks } else { Masks::UNLIMITED };
    let change = |masks: &mut Masks| {
        if which.includes_streaming() {
            masks.streaming = mask;
        }
        if which.includes_coherent() {
            masks.coherent = mask;
        }
    };
    let masks = DEVICES.set_masks(device, before.original, inherited, change)?;
    publish(device, masks, before.original);
    Ok(())
}

/// Returns the masks and the original table of a device whose present table is `table`; `None` if they are not known.
fn masked_ops_before(device: Device, table: &'static rt_dma_map_ops) -> Option<MaskedOps> {
    // A copy of a masked table is no original table: a masked table that calls it would call itself without end.
    if has_any_masked(table) {
        masked_ops_of(device)
    } else {
        Some(MaskedOps { masks: Masks::UNLIMITED, original: table })
    }
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
            Err(current) => masks = current,
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
    if let Some(follow_mask) = hooks::FOLLOW_MASK.get_after_writes() {
        follow_mask(device);
    }
}

/// Gives the device its original table back.
fn unmask(device: Device) {
    let ops = match stored_table(device) {
        Some(table) if is_masked_table(table) => masked_ops_of(device),
        // A device without a mask may have a copy of another device's table. That one stays.
        Some(table) if is_masked_copy(table) => DEVICES.masked_ops(device),
        _ => None,
    };
    if let Some(MaskedOps { original, .. }) = ops {
        store_table(device, original);
    }
}
