//! A device's own memory on request, as Linux's `of_reserved_mem_device_init_by_idx` has it.
//!
//! The regions that a node names in `memory-region` are the device's anyway, from the first call for the device on. What is left
//! is to state whether a region is there, and to give the regions up.

use crate::dropin::device_tree::NodeOps;
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Entry, Kernel};

/// The reason why a device does not have a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoOwnRegion {
    /// The node names no such region, or the region is refused. A line in the log gives the reason for a refusal.
    NotThere,
    /// The caller may not sleep, or there is no memory for the bookkeeping.
    NotNow,
}

impl<K: Kernel> Dma<K> {
    /// Makes the regions that the device's node names its pools, unless they are already, and checks that region number `index`
    /// is one.
    ///
    /// Context: thread.
    pub fn have_own_region(&self, device: Device, index: usize) -> Result<(), NoOwnRegion> {
        if !self.kernel.can_sleep() || self.claim_regions(device) == NodeOps::NotNow {
            return Err(NoOwnRegion::NotNow);
        }
        match self.kernel.memory_region(device, index) {
            Entry::Found(region)
                if self.covering(region.start, region.end).is_some_and(|pool| pool.is_owned_by(device)) =>
            {
                Ok(())
            }
            _ => Err(NoOwnRegion::NotThere),
        }
    }

    /// Ends the device's right to its regions. Buffers that it has stay, and are freed as before.
    ///
    /// Context: any.
    pub fn release_own_regions(&self, device: Device) {
        self.pools().filter(|pool| pool.is_claimed_by(device)).for_each(|pool| pool.end_claim(device));
    }
}
