//! Whether a mask leaves a device any memory that it reaches.

use crate::additions::device::masks::is_within;
use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SIZE};

impl<K: Kernel> Dma<K> {
    /// Returns whether any pool that serves the device has a page that the device reaches with handles up to `mask`. If
    /// so, an allocation of one page, with the flags for that pool, can be served from that page.
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

    /// Returns whether the device may get `mask` as its coherent mask: a pool that serves the device
    /// [has a page](Self::can_reach) within the mask. While no pool is installed, every mask is accepted, because there
    /// is no memory yet by which it could be judged.
    ///
    /// Context: any.
    pub fn accepts_coherent_mask(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        self.can_reach(ops, device, mask) || self.pools().next().is_none()
    }

    /// Returns whether the device may get `mask` as its streaming mask: it may get it as its coherent mask, or it
    /// reaches [a sample of kernel memory](Self::reaches_sample_of_kernel_memory) within the mask, so that it needs no
    /// bounce buffer for some maps.
    ///
    /// Context: any.
    pub fn accepts_streaming_mask(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        self.accepts_coherent_mask(ops, device, mask) || self.reaches_sample_of_kernel_memory(ops, device, mask)
    }

    /// Returns whether the device reaches a sample of kernel memory: the [`PAGE_SIZE`] bytes from the device's
    /// structure on. If not, it may still reach other kernel memory.
    ///
    /// For a bus that translates addresses the answer is no: the physical address of the sample is compared with the
    /// mask, and there it is not the handle. So for such a bus only pools count.
    fn reaches_sample_of_kernel_memory(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        !ops.are_translated() && self.kernel.v2p(device.address()).is_some_and(|pa| is_within(pa, PAGE_SIZE, mask))
    }
}
