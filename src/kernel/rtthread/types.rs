//! What several subjects use: the results of functions that look something up, and a range of memory.

use core::ffi::c_int;

// Each function lists those that it returns. They are no enum: C may return any number, and with some options of a C
// compiler an enum is smaller than an `int`.

/// The call has written what was asked for.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// There is no entry with this index, or the kernel or the node has no such entries.
pub const RT_DMA_PORT_END: c_int = 1;
/// The caller of `rt_dma_pool_extract` passed no list, or an empty one.
pub const RT_DMA_PORT_NO_LIST: c_int = 2;
/// The kernel has no memblock.
pub const RT_DMA_PORT_NO_MEMBLOCK: c_int = 3;
/// No device tree has been unflattened.
pub const RT_DMA_PORT_NO_TREE: c_int = 4;
/// The entry refers to no node.
pub const RT_DMA_PORT_NO_NODE: c_int = 5;
/// The node is disabled: its `status` is neither absent, `okay` nor `ok`.
pub const RT_DMA_PORT_DISABLED: c_int = 6;
/// The node has no `reg`.
pub const RT_DMA_PORT_NO_REG: c_int = 7;
/// A property of the node is malformed, or its `reg` is beyond what the processor can address.
// Only C uses it: the library takes every number that it does not expect for this one.
#[allow(dead_code)]
pub const RT_DMA_PORT_BAD_NODE: c_int = 8;
/// The kernel itself uses a part of the memory.
pub const RT_DMA_PORT_NOT_RESERVED: c_int = 9;
/// The heap has no room for the ranges of a bus, which the kernel needs to translate an address.
pub const RT_DMA_PORT_NO_HEAP: c_int = 10;

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}
