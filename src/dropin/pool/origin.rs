//! Where the memory of a pool comes from.

use crate::kernel::{Device, Node};

/// Where the memory of a pool comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Memory that is no `memory-region`.
    Memory,
    /// A `memory-region` that is installed for all devices. No device has claimed it.
    Region,
    /// A `memory-region` that this device with this node is the first to claim.
    RegionOf(Device, Node),
}

impl Origin {
    /// Returns whether the memory is a region that a device has claimed first.
    pub(super) fn has_device(self) -> bool {
        matches!(self, Origin::RegionOf(..))
    }

    /// Returns the addresses of the device and of its node; zeros without a device.
    pub(super) fn addresses(self) -> (usize, usize) {
        match self {
            Origin::Memory | Origin::Region => (0, 0),
            Origin::RegionOf(device, node) => (device.address(), node.address()),
        }
    }

    /// Returns the address of the device; zero without a device.
    pub(super) fn device(self) -> usize {
        self.addresses().0
    }
}
