//! [`Cache`] over the port's cache operations, and on aarch64 over the processor's own instructions.

use core::ffi::c_int;

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
use super::cache_line;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
use super::rt_dma_port_cache_line_max;
use super::{
    RT_DMA_PORT_FLUSH, RT_DMA_PORT_INVALIDATE, RtThread, barrier, pointer, rt_dma_port_cache,
    rt_dma_port_cache_flush_and_invalidate,
};
use crate::kernel::copy::copy_aligned;
use crate::kernel::{Cache, Va};

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Cache for RtThread {
    unsafe fn copy(&self, to: Va, from: Va, size: usize) {
        // SAFETY: the caller guarantees that both ranges are mapped and do not overlap.
        unsafe { copy_aligned(pointer(to).cast(), pointer(from).cast(), size) }
        self.device_barrier();
    }

    fn device_barrier(&self) {
        barrier::device();
    }

    fn caches_write_through(&self) -> bool {
        !cfg!(target_arch = "aarch64")
    }

    fn cache_flush(&self, va: Va, size: usize) {
        maintain(va, size, Operation::Flush);
    }

    fn cache_flush_and_invalidate(&self, va: Va, size: usize) {
        maintain(va, size, Operation::FlushAndInvalidate);
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn cache_flush_and_invalidate_line(&self, va: Va) {
        cache_line::flush_and_invalidate_line(va);
    }

    unsafe fn cache_invalidate(&self, va: Va, size: usize) {
        maintain(va, size, Operation::Invalidate);
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn cache_line_max(&self) -> usize {
        cache_line::largest()
    }

    #[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
    fn cache_line_max(&self) -> usize {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_cache_line_max() }
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn within_line(&self) -> usize {
        cache_line::within()
    }
}

/// The length of one cache operation, in bytes, is less than this: the port takes an `int`.
const CACHE_OP_END: usize = 1 << 30;

/// What is done to the lines of a buffer.
#[derive(Clone, Copy)]
enum Operation {
    Flush,
    Invalidate,
    FlushAndInvalidate,
}

impl Operation {
    /// Does this to the lines of `[va, va + size)`. `size` is less than [`CACHE_OP_END`].
    fn apply(self, va: Va, size: usize) {
        let (va, size) = (pointer(va), size as c_int);
        // SAFETY: the caller of each operation of `Cache` guarantees what that operation needs.
        unsafe {
            match self {
                Operation::Flush => rt_dma_port_cache(RT_DMA_PORT_FLUSH, va, size),
                Operation::Invalidate => rt_dma_port_cache(RT_DMA_PORT_INVALIDATE, va, size),
                Operation::FlushAndInvalidate => rt_dma_port_cache_flush_and_invalidate(va, size),
            }
        }
    }
}

/// Maintains the cache of `[va, va + size)`, in pieces whose lengths fit into an `int`.
#[inline(always)] // With this, a flush needs no stack frame.
fn maintain(va: Va, size: usize, operation: Operation) {
    if size >= CACHE_OP_END {
        return maintain_in_pieces(va, size, operation);
    }
    operation.apply(va, size);
}

#[cold]
#[inline(never)]
fn maintain_in_pieces(mut va: Va, mut size: usize, operation: Operation) {
    while size != 0 {
        let piece = size.min(CACHE_OP_END / 2);
        operation.apply(va, piece);
        va = va.wrapping_add(piece);
        size -= piece;
    }
}
