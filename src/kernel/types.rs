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

/// A device as the kernel identifies it (`struct rt_device *`): an opaque address. Zero is the address of
/// no device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device(pub usize);

/// A node of the device tree, as the kernel identifies it (`struct rt_ofw_node *`): an opaque address. The node of a
/// device stays when the device is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node(pub NonZeroUsize);
