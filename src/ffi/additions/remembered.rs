//! What the additions remember by the address of a device, and when it ends.

use core::hint::black_box;

use crate::ffi::dropin::ops::kept;
use crate::ffi::{DEVICES, DMA, NEW_DEVICE};
use crate::kernel::{Device, Kernel};
use crate::log::Line;
use crate::mem::shared::OnceRef;
use crate::text::apart;

/// What the masks do when a device is released: they give it the operations back that it had before. Empty in an image
/// that sets no mask.
pub(in crate::ffi) static UNMASK: OnceRef<fn(Device)> = OnceRef::new();

/// The coherent mask of a device. Empty in an image that sets no mask.
pub(in crate::ffi) static COHERENT_MASK: OnceRef<fn(Device) -> u64> = OnceRef::new();

/// What the block pools do when a device has another coherent mask. Empty in an image without block pools.
pub(in crate::ffi) static FOLLOW_MASK: OnceRef<fn(Device)> = OnceRef::new();

/// Has the block pools of the device, if there are any, hand out only what its present mask reaches.
pub(in crate::ffi) fn tell_block_pools(device: Device) {
    if let Some(follow) = FOLLOW_MASK.get() {
        follow(device);
    }
}

static FORGET: fn(Device) = forget;

/// To be called before the first thing is remembered of a device, which has its operations already.
pub(in crate::ffi) fn remember() {
    // Opaque to the compiler: if it knew the only function that is ever stored, it would call that function from the core,
    // and so link the additions with it.
    NEW_DEVICE.set(black_box(&FORGET));
}

fn forget(device: Device) {
    let lost = DEVICES.forget(device, || kept(device).is_none());
    if lost != 0 {
        let format = apart!("%lu managed resources of an earlier device at 0x%lx were never released");
        DMA.refuse_line(&Line::about(DMA.kernel.device_name(device), format, &[lost, device.0]));
    }
}
