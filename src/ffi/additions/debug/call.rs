//! What the port passes with each call of a driver.

use core::ffi::c_int;

use crate::abi::rt_device;
use crate::additions::debug::Entry;

/// @brief Words of memory for each entry of the table.
pub const RT_DMA_WATCH_ENTRY_WORDS: usize = 11;

const _: () = assert!(size_of::<Entry>() <= RT_DMA_WATCH_ENTRY_WORDS * size_of::<usize>());

/// @brief A call of a driver.
#[repr(C)]
pub struct rt_dma_watch_call {
    /// The device. The call is not checked if it is null.
    pub dev: *mut rt_device,
    /// The address to which the call returns.
    pub caller: usize,
    /// The time in milliseconds.
    pub time: usize,
    /// 1 if the device has no map operations yet.
    pub is_new: c_int,
    /// The first byte of the calling thread's stack; 0 if it is not known.
    pub stack: usize,
    /// Bytes of that stack.
    pub stack_size: usize,
}

impl rt_dma_watch_call {
    pub(super) fn has_on_stack(&self, address: usize) -> bool {
        address.wrapping_sub(self.stack) < self.stack_size
    }
}
