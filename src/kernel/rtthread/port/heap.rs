//! The heap.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::c_void;

unsafe extern "C" {
    /// @brief Allocates zeroed memory (`rt_calloc`).
    ///
    /// @param[in] size Bytes, not zero.
    /// @return The memory, aligned for a pointer; null if the heap has no room.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;

    /// @brief Frees memory (`rt_free`).
    ///
    /// @param[in] memory What `rt_dma_port_heap_alloc` returned.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_heap_free(memory: *mut c_void);
}
