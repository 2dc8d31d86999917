//! [`Cache`] over the port's cache operations, and on aarch64 over the processor's own instructions.

use core::ffi::{c_int, c_void};

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
use super::cache_line;
use super::{RtThread, barrier, pointer};
use crate::kernel::copy::copy_aligned;
use crate::kernel::{Cache, Va};

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
        // SAFETY: a flush loses no byte: see the trait.
        unsafe { maintain(va, size, Operation::Flush) }
    }

    fn cache_flush_and_invalidate(&self, va: Va, size: usize) {
        // SAFETY: the lines are flushed before they are removed: see the trait.
        unsafe { maintain(va, size, Operation::FlushAndInvalidate) }
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn cache_flush_and_invalidate_line(&self, va: Va) {
        cache_line::flush_and_invalidate_line(va);
    }

    unsafe fn cache_invalidate(&self, va: Va, size: usize) {
        // SAFETY: the caller guarantees that no byte is lost that is still needed.
        unsafe { maintain(va, size, Operation::Invalidate) }
    }

    fn cache_line_max(&self) -> usize {
        // SAFETY: the port's function may be called in any context.
        let largest = unsafe { rt_dma_port_cache_line_max() };
        #[cfg(all(target_arch = "aarch64", target_os = "none"))]
        cache_line::set_if_of_one_size(largest);
        largest
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn line_offset_mask(&self) -> usize {
        cache_line::line_offset_mask()
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
    ///
    /// # Safety
    /// As for the operation of [`Cache`].
    unsafe fn apply(self, va: Va, size: usize) {
        let (va, size) = (pointer(va), size as c_int);
        // SAFETY: the caller guarantees what the operation needs.
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
///
/// # Safety
/// As for the operation of [`Cache`].
#[inline(always)] // With this, a flush needs no stack frame.
unsafe fn maintain(va: Va, size: usize, operation: Operation) {
    // SAFETY: the caller guarantees what the operation needs.
    unsafe {
        if size >= CACHE_OP_END {
            return maintain_in_pieces(va, size, operation);
        }
        operation.apply(va, size);
    }
}

/// Maintains the cache of a range that is too long for an `int`.
///
/// # Safety
/// As for the operation of [`Cache`].
#[cold]
#[inline(never)]
unsafe fn maintain_in_pieces(mut va: Va, mut size: usize, operation: Operation) {
    while size != 0 {
        let piece = size.min(CACHE_OP_END / 2);
        // SAFETY: the piece is a part of the range, for which the caller guarantees what the operation needs.
        unsafe { operation.apply(va, piece) };
        va = va.wrapping_add(piece);
        size -= piece;
    }
}
