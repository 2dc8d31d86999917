//! The cache lines of aarch64: the size of the largest, and maintenance of one.
//!
//! They are maintained inline: a sync call then calls one function, and saves no registers.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::rt_dma_port_cache_line_max;
use crate::kernel::Va;

/// The result of [`within`]. The first core that reads its line size sets it for all cores. The smallest lines of all
/// cores must therefore have the same size.
static WITHIN: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Implements [`Cache::within_line`](crate::kernel::Cache::within_line).
pub fn within() -> usize {
    WITHIN.load(Relaxed)
}

/// Returns the size of the largest line of any cache of the system, in bytes
/// ([`Cache::cache_line_max`](crate::kernel::Cache::cache_line_max)).
#[inline(never)]
pub fn largest() -> usize {
    let ctr: usize;
    // SAFETY: the instruction only reads CTR_EL0, which describes the caches.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
    // DminLine: base-two logarithm of the words in the smallest line.
    let smallest = 4 << (ctr >> 16 & 0xf);
    // SAFETY: the port's function may be called in any context.
    let largest = unsafe { rt_dma_port_cache_line_max() };
    if smallest == largest {
        WITHIN.store(largest - 1, Relaxed);
    }
    largest
}

/// Implements [`Cache::cache_flush_and_invalidate_line`](crate::kernel::Cache::cache_flush_and_invalidate_line).
pub fn flush_and_invalidate_line(va: Va) {
    // SAFETY: the address is mapped, which the caller guarantees. The instructions change no byte that is read.
    unsafe { asm!("dc civac, {}", "dsb sy", in(reg) va, options(nostack, preserves_flags)) };
}
