//! Choosing the map operations of a device, which decide how handles are computed and whether the library maintains the
//! cache. [`MapOps`] explains their names. The operations of a device are chosen once, and stay.

use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Dma<K> {
    /// Chooses the operations of a device that has none. The first that applies is chosen: those of the device tree if
    /// the device's node requires them, those for PCI if the device is on a PCI bus, those that `dma-coherent` selects.
    ///
    /// Context: thread for a device with a device-tree node, otherwise any.
    ///
    /// # Errors
    /// Those of [`claim_regions`](Self::claim_regions): a region to which the device's node refers cannot be installed
    /// now.
    pub fn choose_ops(&self, device: Device) -> Result<MapOps, Error> {
        if let Some(ops) = self.claim_regions(device)? {
            return Ok(ops);
        }
        if self.kernel.bus_window(device, 0).is_some() { Ok(MapOps::Pci) } else { Ok(self.default_ops(device)) }
    }

    /// Returns the operations that `dma-coherent` selects.
    ///
    /// Context: any.
    pub fn default_ops(&self, device: Device) -> MapOps {
        if self.kernel.is_coherent(device) { MapOps::Coherent } else { MapOps::NonCoherent }
    }
}
