//! The records that the additions keep by the address of a device, and their end.

use crate::ffi::dropin::ops::stored_table;
use crate::ffi::{DEVICES, DMA, NEW_DEVICE};
use crate::kernel::{Device, Firmware};
use crate::log::Line;
use crate::mem::hook::Hook;
use crate::text::apart;

/// The function that gives a released device the map operations back that it had before it had a mask. Not set in an
/// image that sets no mask.
pub(in crate::ffi) static UNMASK: Hook<fn(Device)> = Hook::new();

/// The function that returns the coherent mask of a device. Not set in an image that sets no mask.
pub(in crate::ffi) static COHERENT_MASK: Hook<fn(Device) -> u64> = Hook::new();

/// The function that adapts the block pools of a device to its new coherent mask. Not set in an image without block
/// pools.
pub(in crate::ffi) static FOLLOW_MASK: Hook<fn(Device)> = Hook::new();

/// The function that frees the bounce buffers that interrupts have left to a thread. Not set in an image in which no
/// device with operations of the BSP's own had a bounce buffer.
pub(in crate::ffi) static FREE_BOUNCE_BUFFERS: Hook<fn()> = Hook::new();

/// The function that ends the streaming mappings that an earlier device at the address left, and returns their number.
/// Not set in an image without streaming mappings.
pub(in crate::ffi) static FORGET_MAPPINGS: Hook<fn(Device) -> usize> = Hook::new();

/// Makes the block pools of the device, if there are any, return only blocks that its present mask reaches.
pub(in crate::ffi) fn update_block_pools(device: Device) {
    if let Some(follow) = FOLLOW_MASK.get() {
        follow(device);
    }
}

/// What [`NEW_DEVICE`] refers to.
static FORGET_DEVICE: fn(Device) = forget;

/// Makes sure that the records of a device are removed when another device at its address makes its first call. It is
/// called before the first record of a device is made, after the device's operations have been chosen.
pub(in crate::ffi) fn remember() {
    NEW_DEVICE.set(&FORGET_DEVICE);
}

/// Removes the records that an earlier device at this address left, and logs what it never gave back.
fn forget(device: Device) {
    let refuse = |format, count| {
        if count != 0 {
            DMA.refuse_line(&Line::about(DMA.kernel.device_name(device), format, &[count, device.address()]));
        }
    };
    let lost = DEVICES.forget(device, || stored_table(device).is_none());
    refuse(apart!("%lu managed resources of an earlier device at 0x%lx were never released"), lost);
    let ended = FORGET_MAPPINGS.get().map_or(0, |forget| forget(device));
    refuse(apart!("%lu mappings of an earlier device at 0x%lx were never unmapped"), ended);
}
