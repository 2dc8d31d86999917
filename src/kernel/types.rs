//! The types in which the library and a kernel speak about memory, devices and firmware.

use core::num::NonZeroUsize;

/// A physical address, in bytes.
pub type Pa = usize;
/// A kernel virtual address, in bytes.
pub type Va = usize;
/// A handle: the address that a device puts on its bus, in bytes (Linux: `dma_addr_t`).
pub type Handle = usize;

/// Bytes in a page: `ARCH_PAGE_SIZE`. The port asserts that the BSP's headers define the same value.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Base-two logarithm of [`PAGE_SIZE`]: `ARCH_PAGE_SHIFT`.
pub const PAGE_SHIFT: u32 = 12;

/// A device as the kernel identifies it (`struct rt_device *`): an opaque address. The device need not exist (any
/// more): the library keeps and compares the addresses of devices that are gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device(usize);

impl Device {
    /// No device: the address is zero. A record whose device is gone has it, so that no call finds the record.
    pub const NONE: Device = Device(0);

    /// Makes the value of the device at `address`.
    pub const fn at(address: usize) -> Device {
        Device(address)
    }

    /// Returns the address.
    pub const fn address(self) -> usize {
        self.0
    }
}

/// A node of the device tree, as the kernel identifies it (`struct rt_ofw_node *`): an opaque address. The node of a
/// device stays when the device is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node(NonZeroUsize);

impl Node {
    /// Makes the value of the node at `address`; `None` if that is zero.
    pub const fn at(address: usize) -> Option<Node> {
        match NonZeroUsize::new(address) {
            Some(address) => Some(Node(address)),
            None => None,
        }
    }

    /// Returns the address, which is not zero.
    pub const fn address(self) -> usize {
        self.0.get()
    }
}
