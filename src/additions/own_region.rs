//! Claiming and releasing the regions of a device explicitly, as with Linux's `of_reserved_mem_device_init_by_idx`.
//!
//! A device becomes an owner of the regions in its node's `memory-region` at its first call in any case. The functions
//! here also return whether a certain region is available, and end the device's claims.

use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Dma<K> {
    /// Makes the device an owner of the regions in its node's `memory-region`, and checks that region `index` is one of
    /// its pools.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`NoRegion`](Error::NoRegion) if region `index` is not one of the device's pools: the node names no such region,
    /// or the region is refused, and a line in the log gives the reason. If this is not known yet, and the same call
    /// may succeed later: [`Context`](Error::Context), [`NoMemory`](Error::NoMemory), or [`Leaving`](Error::Leaving)
    /// while another thread uninstalls a region. After each of these errors, the device may have become an owner of
    /// other regions of its node, and stays their owner.
    pub fn claim_own_region(&self, device: Device, index: usize) -> Result<(), Error> {
        if !self.may_sleep_or_count() {
            return Err(Error::Context);
        }
        self.claim_regions(device)?;
        // `claim_regions` has read this region. To read it once more, the kernel may need the heap again.
        let region = match self.kernel.memory_region(device, index) {
            Some(Ok(region)) => region,
            Some(Err(error)) if error.can_be_repeated() => return Err(error),
            Some(Err(_)) | None => return Err(Error::NoRegion),
        };
        let owns = self.pools().any(|pool| pool.is_owned_by(device) && pool.has_region(&region));
        if owns { Ok(()) } else { Err(Error::NoRegion) }
    }

    /// Ends the device's claims on its regions: it is not served from them any more, until
    /// [`claim_own_region`](Self::claim_own_region) claims them again. Its buffers stay valid, and are freed as before.
    ///
    /// Context: any.
    pub fn release_own_regions(&self, device: Device) {
        self.pools().for_each(|pool| pool.end_claims(device));
    }
}
