//! The types, constants and functions that `rtthread-port/` implements. `include/rt_dma_port.h` is generated from these
//! declarations, and the port includes it, so that the two sides cannot differ.

mod devices;
mod memory;

pub use devices::*;
pub use memory::*;

use core::ffi::{c_int, c_void};

use crate::kernel::MemoryType;
use crate::log::Level;

/// The result of a translation for an address that is not mapped or not reachable.
pub const RT_DMA_PORT_UNMAPPED: usize = !0;

/// Memory type: write-back cached.
pub const RT_DMA_PORT_CACHED: c_int = 0;
/// Memory type: not cached.
pub const RT_DMA_PORT_UNCACHED: c_int = 1;
/// Memory type: write-through.
pub const RT_DMA_PORT_WRITE_THROUGH: c_int = 2;

/// Cache operation: write dirty lines to memory (`RT_HW_CACHE_FLUSH`).
pub const RT_DMA_PORT_FLUSH: c_int = 1;
/// Cache operation: drop lines (`RT_HW_CACHE_INVALIDATE`).
pub const RT_DMA_PORT_INVALIDATE: c_int = 2;
/// Cache operation: write dirty lines to memory and drop them, in one step, so that a write to a line meanwhile is not
/// lost.
pub const RT_DMA_PORT_FLUSH_AND_DROP: c_int = 3;

/// Severity of a log line: an error (`LOG_E`).
pub const RT_DMA_PORT_ERROR: c_int = 0;
/// Severity of a log line: a warning (`LOG_W`).
pub const RT_DMA_PORT_WARNING: c_int = 1;

/// The entry was found.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// The caller of `rt_dma_pool_extract` passed no list.
pub const RT_DMA_PORT_INVALID: c_int = 1;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 2;
/// The list ends before the index.
pub const RT_DMA_PORT_END: c_int = 3;
/// The entry exists, but cannot be read.
pub const RT_DMA_PORT_UNREADABLE: c_int = 4;

/// `memory-region` refers to no node.
pub const RT_DMA_PORT_NO_NODE: c_int = 5;
/// The node's `status` is neither absent, `okay` nor `ok`.
pub const RT_DMA_PORT_DISABLED: c_int = 6;
/// The node has no `reg`.
pub const RT_DMA_PORT_NO_REG: c_int = 7;
/// The page allocator owns a part of the region.
pub const RT_DMA_PORT_NOT_RESERVED: c_int = 8;

// cbindgen accepts only literals. These are the values of the enums.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
        && RT_DMA_PORT_ERROR == Level::Error as c_int
        && RT_DMA_PORT_WARNING == Level::Warning as c_int
);

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A region of reserved memory to which a device's node refers in `memory-region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_named_region {
    /// First and last byte.
    pub place: rt_dma_port_region,
    /// 1 if its node has `no-map`.
    pub no_map: c_int,
    /// 1 if its node has `reusable`.
    pub reusable: c_int,
    /// 1 if a `reusable` region serves every device: its node has `linux,cma-default`, or the configuration has
    /// `PKG_RT_DMA_POOL_SHARE_REUSABLE`.
    pub is_shared: c_int,
}

/// The list of `rt_region_t` that the caller of `rt_dma_pool_extract` passes in revision r1; ignored in revision r2.
#[repr(C)]
pub struct rt_dma_port_list {
    /// The first region, or null.
    pub start: *const c_void,
    /// Number of regions.
    pub length: usize,
}

/// A DMA window of a PCI host bridge: the first members of a `struct rt_pci_bus_region`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rt_dma_port_window {
    /// First byte, as an address of the device.
    pub bus: u64,
    /// First byte, as an address of the processor.
    pub cpu: u64,
    /// Size in bytes.
    pub size: u64,
}

/// The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
/// configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: i16,
    /// `-RT_EINVAL`
    pub inval: i16,
    /// `-RT_ENOSYS`
    pub nosys: i16,
    /// `-RT_EEMPTY`
    pub empty: i16,
    /// `-RT_ENOMEM`
    pub nomem: i16,
    /// `-RT_EBUSY`
    pub busy: i16,
    /// `-RT_ERROR`
    pub error: i16,
    /// `-RT_EIO`
    pub io: i16,
}

/// Constants of the BSP's configuration.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// Largest size, in MiB, of a pool that is mapped as a whole for its uncached or write-through buffers; 0 to 32,767.
    pub view_limit: i16,
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes.
    pub revision: i16,
    /// Offset of `dma_ops` in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// 1 if the configuration has `PKG_RT_DMA_POOL_MAP_AT_INSTALL`, else 0.
    pub maps_at_install: i16,
    /// Size of the largest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`), in bytes; 0 if it states none.
    pub stated_cache_line: u16,
}

unsafe extern "C" {
    /// The constants of the BSP's configuration. (cbindgen leaves this out; `tests/headers/list.rs` declares it.)
    pub static rt_dma_port_configuration: rt_dma_port_configuration;
}
