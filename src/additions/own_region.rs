//! Claiming and releasing the regions of a device explicitly, as with Linux's `of_reserved_mem_device_init_by_idx`.
//!
//! A device becomes an owner of the regions in its node's `memory-region` at its first call in any case. The functions
//! here also return whether a certain region is available, and end the device's claims.

use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Device, Kernel};

/// The reason why a device does not have a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoOwnRegion {
    /// The node names no such region, or the region is refused. A line in the log gives the reason for a refusal.
    NotThere,
    /// The call can be repeated: the caller may not sleep, there is no memory for the bookkeeping, or another thread is
    /// uninstalling the region.
    NotNow(Error),
}

impl<K: Kernel> Dma<K> {
    /// Makes the device an owner of the regions in its node's `memory-region`, and checks that region `index` is one of
    /// its pools.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`NoOwnRegion`].
    pub fn claim_own_region(&self, device: Device, index: usize) -> Result<(), NoOwnRegion> {
        if !self.kernel.can_sleep() {
            self.count_refused();
            return Err(NoOwnRegion::NotNow(Error::Context));
        }
        self.claim_regions(device).map_err(NoOwnRegion::NotNow)?;
        let Some(Ok(region)) = self.kernel.memory_region(device, index) else { return Err(NoOwnRegion::NotThere) };
        let is_there = self.pools().any(|pool| pool.is_owned_by(device) && pool.is_of(&region));
        if is_there { Ok(()) } else { Err(NoOwnRegion::NotThere) }
    }

    /// Ends the device's claims on its regions. Its buffers stay valid, and are freed as before.
    ///
    /// Context: any.
    pub fn release_own_regions(&self, device: Device) {
        self.pools().for_each(|pool| pool.end_claims(device));
    }
}
