//! The data cache.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::{c_int, c_void};

/// Cache operation: write dirty lines to memory (`RT_HW_CACHE_FLUSH`).
pub const RT_DMA_PORT_FLUSH: c_int = 1;
/// Cache operation: remove lines from the cache (`RT_HW_CACHE_INVALIDATE`).
pub const RT_DMA_PORT_INVALIDATE: c_int = 2;

unsafe extern "C" {
    /// @brief Maintains the data cache (`rt_hw_cpu_dcache_ops`). The operation is complete when the call returns.
    ///
    /// @param[in] operation RT_DMA_PORT_FLUSH or RT_DMA_PORT_INVALIDATE.
    /// @param[in] va The first byte.
    /// @param[in] size Bytes, not zero.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_cache(operation: c_int, va: *mut c_void, size: c_int);

    /// @brief Writes dirty lines to memory and removes them from the cache.
    ///
    /// A write of this core to a line meanwhile is not lost. On a processor that does both in one step, as Arm's do,
    /// this is true for the writes of every core. The operation is complete when the call returns.
    ///
    /// @param[in] va The first byte.
    /// @param[in] size Bytes, not zero.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_cache_flush_and_invalidate(va: *mut c_void, size: c_int);

    /// @brief Returns the size of the largest line of any cache of the system.
    ///
    /// @return Bytes, a power of two.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_cache_line_max() -> usize;
}
