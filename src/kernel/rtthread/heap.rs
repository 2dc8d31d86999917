//! [`Heap`] over `rt_calloc` and `rt_free`.

use core::ffi::c_void;

use super::RtThread;
use crate::kernel::Heap;

unsafe extern "C" {
    /// @brief Allocates zeroed memory (`rt_calloc`).
    ///
    /// @param[in] size Bytes, not zero.
    /// @return The memory, zeroed and aligned for a pointer; NULL if the heap has no room.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;

    /// @brief Frees memory (`rt_free`).
    ///
    /// @param[in] memory What `rt_dma_port_heap_alloc` returned, and what has not been freed since; not NULL.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_heap_free(memory: *mut c_void);
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Heap for RtThread {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: the caller is a thread, and the size is not zero, as `Heap::heap_alloc` demands.
        unsafe { rt_dma_port_heap_alloc(size).cast() }
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        // SAFETY: the caller guarantees that `heap_alloc` returned it and that it is not used any more.
        unsafe { rt_dma_port_heap_free(memory.cast()) }
    }
}
