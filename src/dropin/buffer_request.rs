//! What a device asks for when it allocates a buffer.

use crate::dropin::map_ops::MapOps;
use crate::dropin::translate::NO_MASK;
use crate::flags::Flags;
use crate::kernel::{Device, PAGE_SIZE};

/// A request of a device for a buffer.
#[derive(Clone, Copy)]
pub struct BufferRequest {
    /// The map operations, which need not be those of the device.
    pub ops: MapOps,
    /// The device.
    pub device: Device,
    /// The size of the buffer in bytes.
    pub size: usize,
    /// The flags of the call.
    pub flags: Flags,
    /// The highest handle that the device can put on its bus.
    pub mask: u64,
    /// The handle of the buffer must be a multiple of this number, which is a power of two. (If the bus translates by
    /// an offset that is no multiple of a page, the handle differs from such a multiple by less than a page.)
    pub align: usize,
}

impl BufferRequest {
    /// Returns a request for a buffer at any address that the device reaches.
    pub fn new(ops: MapOps, device: Device, size: usize, flags: Flags) -> Self {
        BufferRequest { ops, device, size, flags, mask: NO_MASK, align: PAGE_SIZE }
    }

    /// Returns the request as it is made to all pools, after the `memory-region` pools that the device owns: with the
    /// flags that its [operations add](MapOps::added_flags).
    pub fn for_all_pools(&self) -> Self {
        BufferRequest { flags: self.flags | self.ops.added_flags(), ..*self }
    }
}
