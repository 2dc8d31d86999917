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

/// The addresses of an owner and of its device-tree node; zeros stand for no owner.
#[derive(Clone, Copy)]
pub(super) struct OwnerAddresses {
    pub(super) device: usize,
    pub(super) node: usize,
}

impl OwnerAddresses {
    /// Returns the addresses of `device`, whose node is `node`.
    pub(super) fn of(device: Device, node: Node) -> Self {
        OwnerAddresses { device: device.address(), node: node.address() }
    }
}

impl Origin {
    /// Returns whether the memory is a region that a device has claimed first.
    pub(super) fn has_device(self) -> bool {
        matches!(self, Origin::RegionOf(..))
    }

    /// Returns the addresses of the device that has claimed the memory first; zeros without a device.
    pub(super) fn first_owner(self) -> OwnerAddresses {
        match self {
            Origin::Memory | Origin::Region => OwnerAddresses { device: 0, node: 0 },
            Origin::RegionOf(device, node) => OwnerAddresses::of(device, node),
        }
    }
}
