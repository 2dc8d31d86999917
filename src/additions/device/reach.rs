//! Whether a device with a mask reaches any memory of the pools that serve it.

use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
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
        let bus = self.bus(ops, device);
        self.pools().filter(|pool| serves(pool)).any(|pool| {
            let last = pool.start().wrapping_add(pool.size() - 1);
            bus.reachable(pool.start(), last, mask).any(|found| found.has_page())
        })
    }
}
