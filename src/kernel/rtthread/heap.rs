//! [`Heap`] over `rt_calloc` and `rt_free`.

use super::{RtThread, rt_dma_port_heap_alloc, rt_dma_port_heap_free};
use crate::kernel::Heap;

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Heap for RtThread {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: the port accepts any values of these types.
        unsafe { rt_dma_port_heap_alloc(size).cast() }
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        // SAFETY: the caller guarantees that `heap_alloc` returned it and that it is not used any more.
        unsafe { rt_dma_port_heap_free(memory.cast()) }
    }
}
