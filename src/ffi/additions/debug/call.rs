//! What the port passes with each call of a driver.

use core::ffi::c_int;

use crate::abi::rt_device;
use crate::additions::debug::{Call, DebugEntry};
use crate::ffi::device_at;
use crate::ffi::dropin::ops::stored_table;
use crate::kernel::Device;

/// @brief Words of memory for each entry of the table.
pub const RT_DMA_WATCH_ENTRY_WORDS: usize = 12;

const _: () = assert!(size_of::<DebugEntry>() <= RT_DMA_WATCH_ENTRY_WORDS * size_of::<usize>());

/// @brief A call of a driver.
#[repr(C)]
pub struct rt_dma_watch_call {
    /// The device. The call is not checked if it is null.
    pub dev: *mut rt_device,
    /// The address to which the call returns.
    pub caller: usize,
    /// When the call is made, in milliseconds.
    pub made_at_ms: usize,
    /// 1 if the device has no map operations yet.
    pub is_new: c_int,
    /// The first byte of the calling thread's stack; 0 if it is not known.
    pub stack: usize,
    /// Bytes of that stack.
    pub stack_size: usize,
}

/// Converts a call that is checked before the library does its work; `None` if the call or its device is null.
pub(super) fn checked_before(call: Option<&rt_dma_watch_call>) -> Option<Call> {
    let rt_dma_watch_call { dev, caller, made_at_ms, is_new, stack, stack_size } = *call?;
    let recheck_new = (is_new != 0).then_some(has_no_ops as fn(Device) -> bool);
    Some(Call { device: device_at(dev)?, caller, made_at_ms, recheck_new, stack, stack_size })
}

/// Returns whether the device has no map operations now, and so is a new one.
pub(super) fn has_no_ops(device: Device) -> bool {
    stored_table(device).is_none()
}

/// Converts a call that is checked after the library has done its work. Whether its device is new was found out before.
pub(super) fn checked_after(call: Option<&rt_dma_watch_call>) -> Option<Call> {
    Some(Call { recheck_new: None, ..checked_before(call)? })
}
