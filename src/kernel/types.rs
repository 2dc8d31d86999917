//! The types in which the library and a kernel speak about memory, devices and firmware.

use crate::error::Error;

/// A physical address, in bytes.
pub type Pa = usize;
/// A kernel virtual address, in bytes.
pub type Va = usize;

/// Bytes in a page: `ARCH_PAGE_SIZE`. The port asserts that the BSP's headers define the same value.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Base-two logarithm of [`PAGE_SIZE`]: `ARCH_PAGE_SHIFT`.
pub const PAGE_SHIFT: u32 = 12;

/// A device as the kernel identifies it (`struct rt_device *`): an opaque address, never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device(pub usize);

/// How the processor accesses memory through a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum MemoryType {
    /// Write-back cached: `rt_ioremap_cached`.
    Cached = 0,
    /// Not cached: `rt_ioremap_nocache`. On aarch64 this is Device memory, which permits aligned accesses only.
    Uncached = 1,
    /// Write-through: `rt_ioremap_wt`. On aarch64 this is Normal Non-cacheable memory, the closest that RT-Thread offers
    /// there.
    WriteThrough = 2,
}

/// A region of reserved memory to which a device's node refers in `memory-region`
/// (Devicetree specification 0.4, §3.5, "/reserved-memory and child nodes").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// The node has `no-map`: the kernel must not map the region linearly.
    pub no_map: bool,
    /// The node has `reusable`: the kernel may use the region while the region's owner does not.
    pub reusable: bool,
    /// A `reusable` region that serves every device's requests: its node has `linux,cma-default`, or the board asks for it. Of
    /// any other `reusable` region, others than its owners may only borrow.
    pub is_shared: bool,
}

/// The list of regions in which boot pools are made.
///
/// In revision r1 of the interface, the caller of `rt_dma_pool_extract` passes it. In revision r2 it is memblock's
/// reserved list, and this value is ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct RegionList {
    /// Address of the first region, or 0.
    pub address: usize,
    /// Number of regions in the list.
    pub length: usize,
}

impl RegionList {
    /// No list of a caller: memblock's reserved list is used.
    pub const RESERVED: RegionList = RegionList { address: 0, length: 0 };
}

/// A region in which boot pools can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// The address at which the kernel keeps the region's entry; never zero.
    pub address: usize,
}

/// A window of a PCI host bridge, through which the bridge's devices access memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusWindow {
    /// First byte, as an address of the processor.
    pub cpu: u64,
    /// First byte, as an address of the device.
    pub bus: u64,
    /// Size in bytes.
    pub size: u64,
}

/// A stretch of physical memory that a bus translates in one way: either a device reaches all of it, at addresses that
/// rise with the physical ones, or it reaches no byte of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The address at which the device reaches the first byte; `None` if the device cannot reach the stretch.
    pub handle: Option<usize>,
    /// The last physical address of the stretch; not below the first.
    pub last: Pa,
}

/// The result of a query for one entry of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry<T> {
    /// The entry at the index.
    Found(T),
    /// The entry at the index exists, but cannot be read.
    Unreadable,
    /// The entry at the index exists, but must not be used, for this reason.
    Refused(Error),
    /// The list ends before the index.
    End,
}
