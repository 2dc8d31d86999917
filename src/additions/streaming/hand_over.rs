//! Handing memory to a device and taking it back: where the barrier stands, and why.
//!
//! The barriers are needed also where no cache is maintained: they order the bytes and the accesses to the device's registers.

use crate::kernel::{Kernel, Va};

/// Hands `[va, va + size)` to the device. Its cache lines are flushed if `maintain` is true.
#[inline(always)] // A part of the fast paths.
pub fn hand_to_device<K: Kernel>(kernel: K, va: Va, size: usize, maintain: bool) {
    if maintain {
        kernel.cache_flush(va, size);
    }
    barrier_to_device(kernel);
}

/// Comes last when memory is handed to the device, after the copies and the cache maintenance: the driver starts the device
/// next, and that comes after the bytes.
#[inline(always)] // One instruction.
pub fn barrier_to_device<K: Kernel>(kernel: K) {
    kernel.device_barrier();
}

/// Comes first when memory is taken back from the device, before the cache maintenance and the copies: the device has just
/// reported that it is done, and no byte, and no line, may have been fetched before that.
#[inline(always)] // One instruction.
pub fn barrier_from_device<K: Kernel>(kernel: K) {
    kernel.device_barrier();
}
