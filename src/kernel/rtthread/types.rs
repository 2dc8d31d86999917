//! What several subjects use: the results of the functions that read entries, and a range of memory.

use core::ffi::c_int;

/// The entry was found.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// The caller of `rt_dma_pool_extract` passed no list.
pub const RT_DMA_PORT_INVALID: c_int = 1;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 2;
/// The list ends before the index.
pub const RT_DMA_PORT_END: c_int = 3;
/// The entry exists, but cannot be read, or its memory must not be used.
pub const RT_DMA_PORT_UNUSABLE: c_int = 4;

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}
