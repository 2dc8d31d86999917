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
    /// Those of [`claim_regions`](Self::claim_regions).
    pub fn choose_ops(&self, device: Device) -> Result<MapOps, Error> {
        Ok(self.claim_regions(device)?.unwrap_or_else(|| self.ops_by_bus(device)))
    }

    /// Returns whether the caller may call [`choose_ops`](Self::choose_ops) for the device: it is a thread, or the
    /// device has no device-tree node.
    ///
    /// Context: any.
    pub fn may_choose_ops(&self, device: Device) -> bool {
        self.kernel.node(device).is_none() || self.kernel.can_sleep()
    }

    /// Returns operations by which each handle of the device leads to the same memory as by those that
    /// [`choose_ops`](Self::choose_ops) chooses. Nothing is chosen: no region is claimed, nothing is counted, and no
    /// line is written. They may differ from the chosen ones if the device has regions, but a region alone changes no
    /// handle.
    ///
    /// The caller does not keep the result for later calls: the operations of the device tree may have to read the
    /// ranges of the bus, for which a call must be a thread. (Where this function returns them, its caller is one.)
    ///
    /// Context: any. From an interrupt, a device with a device-tree node gets operations that do not translate.
    pub fn ops_without_choosing(&self, device: Device) -> MapOps {
        let has_node = self.kernel.node(device).is_some();
        if has_node && !self.kernel.can_sleep() {
            self.default_ops(device)
        } else if has_node && self.kernel.has_dma_ranges(device) {
            MapOps::DeviceTree
        } else {
            self.ops_by_bus(device)
        }
    }

    /// Returns the operations for PCI if the device is on a PCI bus, otherwise those that `dma-coherent` selects.
    fn ops_by_bus(&self, device: Device) -> MapOps {
        if self.kernel.bus_window(device, 0).is_some() { MapOps::Pci } else { self.default_ops(device) }
    }

    /// Returns the operations that `dma-coherent` selects.
    ///
    /// Context: any.
    pub fn default_ops(&self, device: Device) -> MapOps {
        if self.kernel.is_coherent(device) { MapOps::Coherent } else { MapOps::NonCoherent }
    }
}
