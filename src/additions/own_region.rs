//! Claiming and releasing the regions of a device explicitly, as with Linux's `of_reserved_mem_device_init_by_idx`.
//!
//! A device becomes an owner of the regions in its node's `memory-region` at its first call in any case. The functions
//! here also return whether a certain region is available, and end the device's claims.

use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Device, Kernel};

/// The reason why a device does not have a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnRegionError {
    /// The node names no such region, or the region is refused. A line in the log gives the reason for a refusal.
    Unavailable,
    /// The same call may succeed later: the caller may not sleep, the heap has no room, or another thread is
    /// uninstalling a region.
    TryAgain(Error),
}

impl<K: Kernel> Dma<K> {
    /// Makes the device an owner of the regions in its node's `memory-region`, and checks that region `index` is one of
    /// its pools.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`OwnRegionError::Unavailable`] if region `index` is not one of the device's pools; [`OwnRegionError::TryAgain`]
    /// if this is not known yet. After both, the device may have become an owner of other regions of its node, and
    /// stays their owner.
    pub fn claim_own_region(&self, device: Device, index: usize) -> Result<(), OwnRegionError> {
        if !self.may_sleep_or_count() {
            return Err(OwnRegionError::TryAgain(Error::Context));
        }
        self.claim_regions(device).map_err(OwnRegionError::TryAgain)?;
        // `claim_regions` has read this region. To read it once more, the kernel may need the heap again.
        let region = match self.kernel.memory_region(device, index) {
            Some(Ok(region)) => region,
            Some(Err(error)) if error.can_be_repeated() => return Err(OwnRegionError::TryAgain(error)),
            Some(Err(_)) | None => return Err(OwnRegionError::Unavailable),
        };
        let owns = self.pools().any(|pool| pool.is_owned_by(device) && pool.has_region(&region));
        if owns { Ok(()) } else { Err(OwnRegionError::Unavailable) }
    }

    /// Ends the device's claims on its regions: it is not served from them any more, until
    /// [`claim_own_region`](Self::claim_own_region) claims them again. Its buffers stay valid, and are freed as before.
    ///
    /// Context: any.
    pub fn release_own_regions(&self, device: Device) {
        self.pools().for_each(|pool| pool.end_claims(device));
    }
}
