//! What several subjects use: the results of functions that look something up, and a range of memory.

use core::ffi::c_int;

/// The call has written what was asked for.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// `rt_dma_port_pool_region`: the caller of `rt_dma_pool_extract` passed no list.
pub const RT_DMA_PORT_NO_LIST: c_int = 1;
/// `rt_dma_port_pool_region`: the kernel has no memblock. `rt_dma_port_shared_pool`: no device tree has been
/// unflattened.
pub const RT_DMA_PORT_ABSENT: c_int = 2;
/// Functions that take an `index`: the list has no such entry; also if there is no list, unless another result states
/// that.
pub const RT_DMA_PORT_END: c_int = 3;
/// The entry or node exists, but cannot be read, or its memory must not be used.
pub const RT_DMA_PORT_UNUSABLE: c_int = 4;
/// `rt_dma_port_memory_region`: `memory-region` refers to no node.
pub const RT_DMA_PORT_NO_NODE: c_int = 5;
/// Functions that read a node: its `status` is neither absent, `okay` nor `ok`.
pub const RT_DMA_PORT_DISABLED: c_int = 6;
/// Functions that read a node: it has no `reg`.
pub const RT_DMA_PORT_NO_REG: c_int = 7;
/// `rt_dma_port_memory_region`: the kernel itself uses a part of the region.
pub const RT_DMA_PORT_NOT_RESERVED: c_int = 8;
/// The heap has no room for the ranges of a bus, which the kernel needs to translate an address.
pub const RT_DMA_PORT_NO_HEAP: c_int = 9;

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}
