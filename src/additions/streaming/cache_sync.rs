//! The hand-over of memory between the processor and a device: cache maintenance and the barrier.
//!
//! The barrier is needed also where no cache is maintained: it orders the bytes and the accesses to the device's
//! registers.
//!
//! * When the device gets memory, the barrier comes last, after the copies and the cache maintenance: the driver starts
//!   the device next, and that comes after the bytes.
//! * When the processor gets it back, the barrier comes first: the device has just reported that it is done, and no
//!   byte, and no line, may have been fetched before that.

use crate::kernel::{Kernel, Va};
use crate::mem::cache;

/// Hands `[va, va + size)` to the device. Its cache lines are flushed if `needs_maintenance` is true.
pub fn cache_sync_for_device<K: Kernel>(kernel: K, va: Va, size: usize, needs_maintenance: bool) {
    if needs_maintenance {
        kernel.cache_flush(va, size);
    }
    kernel.device_barrier();
}

/// Takes `[va, va + size)` back, to which the device may have written. Its cache lines are invalidated if
/// `needs_maintenance` is true.
///
/// # Safety
/// No code has written to the memory since it was handed over.
#[allow(unsafe_code)]
#[inline(always)] // As a function of its own it takes 8 instructions more (`ci/bench`, rows "flushed").
pub unsafe fn cache_sync_for_cpu<K: Kernel>(kernel: K, va: Va, size: usize, needs_maintenance: bool) {
    kernel.device_barrier();
    if needs_maintenance {
        // SAFETY: the caller guarantees that no code has written to the lines since they were flushed.
        unsafe { cache::invalidate(kernel, va, size) }
    }
}
