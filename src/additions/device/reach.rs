//! Whether a device with a mask reaches any memory of the pools that serve it.

use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Dma<K> {
    /// Returns whether any pool that serves the device has a page that the device reaches with handles up to `mask`. If
    /// so, an allocation of one page succeeds while such a page is free.
    ///
    /// Context: any.
    pub fn can_reach(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        let wanted = if ops.are_translated() { Flags::ADDRESS_32BITS } else { Flags::empty() };
        let serves = |pool: &Pool<K>| {
            let own = ops == MapOps::DeviceTree && pool.is_owned_by(device);
            own || pool.serves(device, wanted) || pool.serves(device, wanted | Flags::DEVICE)
        };
        self.pools().any(|pool| serves(pool) && self.can_reach_page_of(pool, ops, device, mask))
    }

    /// Returns whether the pool has a page that the device reaches with handles up to `mask`.
    ///
    /// Context: any.
    fn can_reach_page_of(&self, pool: &Pool<K>, ops: MapOps, device: Device, mask: u64) -> bool {
        let last = pool.start().wrapping_add(pool.size() - 1);
        self.bus(ops, device).reachable(pool.start(), last, mask).any(|found| found.has_page())
    }
}
