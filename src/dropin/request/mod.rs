//! Requests of drivers: allocating and freeing buffers.
//!
//! Each has a fast path through one pool's open run ([`Pool::allocate_fast`](crate::dropin::pool::Pool::allocate_fast),
//! [`Pool::free_fast`](crate::dropin::pool::Pool::free_fast)) for devices whose handles are physical addresses, and a general
//! path for everything else.

mod allocate;
mod free;

pub(crate) use allocate::Missed;

use crate::dropin::registry::Dma;
use crate::dropin::translate::{Bus, MapOps};
use crate::kernel::{Device, Kernel, PAGE_SHIFT};

impl<K: Kernel> Dma<K> {
    /// Returns the bus of the device, which translates its handles by `ops`.
    #[inline(always)]
    pub(crate) fn bus(&self, ops: MapOps, device: Device) -> Bus<K> {
        Bus { kernel: self.kernel, ops, device }
    }
}

/// Returns the number of pages that hold `size` bytes. For a size of zero, the result is greater than the number of pages of any
/// pool.
#[inline(always)]
fn whole_pages(size: usize) -> usize {
    (size.wrapping_sub(1) >> PAGE_SHIFT) + 1
}

/// Returns the number of pages that hold `size` bytes; `None` if `size` is zero.
#[inline(always)]
fn pages_for(size: usize) -> Option<usize> {
    Some((size.checked_sub(1)? >> PAGE_SHIFT) + 1)
}
