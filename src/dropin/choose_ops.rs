//! Choosing a device's map operations: what its place in the system means for its handles and for the cache.
//!
//! RT-Thread's names are older than its usage: with *coherent* operations the library maintains the cache for the device,
//! with *non-coherent* ones it does not (`dma_pool.c`). A device keeps the set that was chosen first.

use crate::dropin::device_tree::Asked;
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::kernel::{Device, Entry, Kernel};

/// A device's operations cannot be chosen now: its regions must be installed first, and the caller may not sleep, or the heap
/// has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNow;

impl<K: Kernel> Dma<K> {
    /// Chooses the operations of a device that has none: those of the device tree if its node asks for them, then those for
    /// PCI, then those that `dma-coherent` selects.
    ///
    /// # Errors
    /// [`NotNow`] if a region of the device's node cannot be installed now.
    ///
    /// Context: thread for a device with a device-tree node, else any.
    pub fn choose_ops(&self, device: Device) -> Result<MapOps, NotNow> {
        match self.claim_regions(device) {
            Asked::Nothing => {}
            Asked::Operations => return Ok(MapOps::DeviceTree),
            Asked::NotNow => return Err(NotNow),
        }
        if self.kernel.bus_window(device, 0) != Entry::End { Ok(MapOps::Pci) } else { Ok(self.default_ops(device)) }
    }

    /// Returns the operations that `dma-coherent` selects. Context: any.
    pub fn default_ops(&self, device: Device) -> MapOps {
        if self.kernel.is_coherent(device) { MapOps::Coherent } else { MapOps::NonCoherent }
    }
}
