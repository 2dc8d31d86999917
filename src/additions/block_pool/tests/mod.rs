//! The tests of block pools that need parts which only the library sees.

mod interleaved;
pub mod preemption;
mod reserve;
mod trim;

use super::{Effort, Pages};
use crate::kernel::{Device, Va};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Memory for the tests, as much as they ask for. Each part has other addresses, and no test accesses it.
#[derive(Clone, Copy)]
pub struct Endless;

// SAFETY: the tests do not touch the memory.
#[allow(unsafe_code)]
unsafe impl Pages for Endless {
    fn allocate(&self, _: Device, size: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        /// The address of the next part.
        static NEXT: AtomicUsize = AtomicUsize::new(0x1000_0000);
        let va = NEXT.fetch_add(size, Relaxed);
        Some((va, va))
    }
    unsafe fn free(&self, _: Device, _: usize, _: Va, _: usize) {}
    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}
