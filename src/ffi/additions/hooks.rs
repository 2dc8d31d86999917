//! The functions of an addition that other additions call. The addition sets its hook, so that an image without the
//! addition does not link them.

use crate::kernel::Device;
use crate::mem::hook::Hook;

/// The functions of the masks. The first mask sets the hook.
pub(in crate::ffi) static MASKS: Hook<MaskFunctions> = Hook::new();

/// The functions of the hook [`MASKS`].
pub(in crate::ffi) struct MaskFunctions {
    /// Gives a released device the map operations back that it had before it had a mask.
    pub(in crate::ffi) unmask: fn(Device),
    /// Returns the coherent mask of a device.
    pub(in crate::ffi) coherent: fn(Device) -> u64,
}

/// The functions of the streaming maps. The first streaming call that does not take the fast path sets the hook.
pub(in crate::ffi) static STREAMS: Hook<StreamFunctions> = Hook::new();

/// The functions of the hook [`STREAMS`].
pub(in crate::ffi) struct StreamFunctions {
    /// Ends the streaming mappings that an earlier device at the address left, and returns their number.
    pub(in crate::ffi) forget_earlier_device: fn(Device) -> usize,
    /// Frees the bounce buffers that interrupts have left to a thread.
    pub(in crate::ffi) tidy: fn(),
}

/// Frees the bounce buffers that interrupts have left to a thread.
pub(in crate::ffi) fn tidy_streams() {
    if let Some(streams) = STREAMS.get() {
        (streams.tidy)();
    }
}

/// The function that makes the block pools of a device return only blocks that its present coherent mask reaches. The
/// first creation of a block pool sets the hook.
pub(in crate::ffi) static FOLLOW_MASK: Hook<fn(Device)> = Hook::new();

/// The function by which the debug mode notes that a device may be new: its operations are about to be chosen, or it is
/// being released. The start of the debug mode sets the hook.
#[cfg(feature = "debug")]
pub(in crate::ffi) static WATCH_NEW_DEVICE: Hook<fn(Device)> = Hook::new();
