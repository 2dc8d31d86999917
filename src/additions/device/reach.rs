//! Whether a mask leaves a device any memory that it reaches.

use crate::additions::device::masks::is_within;
use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SIZE};

impl<K: Kernel> Dma<K> {
    /// Returns whether any pool that serves the device has a page that the device reaches with handles up to `mask`. If
    /// so, an allocation of one page, with the flags for that pool, succeeds while such a page is free.
    ///
    /// Context: any.
    pub fn can_reach(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        let flags = ops.added_flags();
        let serves = |pool: &Pool<K>| {
            let is_own = ops.are_translated() && pool.is_owned_by(device);
            is_own || pool.serves(device, flags) || pool.serves(device, flags | Flags::DEVICE)
        };
        let has_page = |pool: &Pool<K>| {
            let mut parts = self.bus(ops, device).reachable(pool.start(), pool.end() - 1, mask);
            parts.any(|part| part.has_room(PAGE_SIZE, PAGE_SIZE))
        };
        self.pools().any(|pool| serves(pool) && has_page(pool))
    }

    /// Returns whether a mask is acceptable for allocations: one of its pools [has a page](Self::can_reach)
    /// within the mask. Without any pool, there is no memory yet by which the mask could be judged, so it is accepted.
    ///
    /// Context: any.
    pub fn has_coherent_memory_within(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        self.can_reach(ops, device, mask) || self.pools().next().is_none()
    }

    /// Returns whether a mask is acceptable for maps: it is acceptable for allocations, or the device reaches kernel
    /// memory directly.
    ///
    /// Context: any.
    pub fn has_streaming_memory_within(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        self.has_coherent_memory_within(ops, device, mask) || self.reaches_sample_of_kernel_memory(ops, device, mask)
    }

    /// Returns whether the device reaches a sample of kernel memory directly: the page that begins at the device's
    /// structure. If not, it may still reach other kernel memory.
    fn reaches_sample_of_kernel_memory(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        !ops.are_translated() && self.kernel.v2p(device.address()).is_some_and(|pa| is_within(pa, PAGE_SIZE, mask))
    }
}
