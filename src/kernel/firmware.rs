//! Firmware: what the device tree and the buses state about a device.

#![allow(unsafe_code)]

use super::{Device, Handle, Node, Pa};
use crate::error::Error;
use crate::log::Name;

/// A region of reserved memory to which a device's node refers in `memory-region`
/// (Devicetree specification 0.4, §3.5, "/reserved-memory and child nodes").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// The node has `no-map`: the kernel must not map the region linearly.
    pub is_no_map: bool,
    /// The node has `reusable`: other code may borrow the region's memory.
    pub is_reusable: bool,
    /// The region is `reusable` and serves every device's requests: its node has `linux,cma-default`, or the board
    /// asks for it.
    pub serves_every_device: bool,
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

/// A range of physical memory that a bus translates in one way: either a device reaches all of it, at addresses that
/// rise with the physical ones, or it reaches no byte of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusRange {
    /// The address at which the device reaches the first byte; `None` if the device cannot reach the range.
    pub handle: Option<Handle>,
    /// The last physical address of the range; not below the first.
    pub last_pa: Pa,
}

/// What firmware states about devices. The caller passes devices that exist.
///
/// # Safety
///
/// * [`device_name`](Firmware::device_name) returns null, or a C string that stays as long as the device.
/// * [`memory_region`](Firmware::memory_region) returns only memory that the kernel does not use.
/// * [`bus_range_from`](Firmware::bus_range_from) and [`bus_window`](Firmware::bus_window) return handles at which the
///   device reaches the memory that they are for, and no other.
pub unsafe trait Firmware {
    /// Returns the device's name, which the caller uses while the device exists.
    ///
    /// Context: any.
    fn device_name(&self, device: Device) -> Name<'_>;

    /// Returns whether the device's firmware node has `dma-coherent`.
    ///
    /// Context: any.
    fn is_coherent(&self, device: Device) -> bool;

    /// Returns the device's device-tree node; `None` if it has none, or if the kernel has no device tree.
    ///
    /// Context: any.
    fn node(&self, device: Device) -> Option<Node>;

    /// Returns region `index` of the `memory-region` property of the device's node; `None` after the last.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// `NoNode`, `Disabled`, `NoReg` or `BadReg` if the entry refers to no memory; `NotReserved` if the kernel
    /// itself uses the memory. The next entry may be a good one. `NoMemory` if the heap has no room for what the
    /// kernel needs to read the entry: a later call may succeed.
    fn memory_region(&self, device: Device, index: usize) -> Option<Result<NamedRegion, Error>>;

    /// Returns whether a bus above the device's node has a non-empty `dma-ranges`. The device has a node.
    ///
    /// Context: thread.
    fn has_dma_ranges(&self, device: Device) -> bool;

    /// Returns how the device reaches memory from `pa` on, through the `dma-ranges` above its node, as the kernel's own
    /// translator reads them (`rt_ofw_translate_cpu2dma`). The device has a node.
    ///
    /// The result has no handle if no entry of `dma-ranges` covers `pa`, although that translator returns the address
    /// unchanged in this case.
    ///
    /// Context: thread first, then any. The first call for a bus reads the ranges of the bus; the caller makes it in a
    /// thread.
    ///
    /// # Errors
    /// `NoMemory` if the heap has no room to read the ranges of the bus: a later call may succeed.
    fn bus_range_from(&self, device: Device, pa: Pa) -> Result<BusRange, Error>;

    /// Returns the physical address that the device reaches at `handle` (`rt_ofw_translate_dma2cpu`); `None` if this
    /// processor has no such address. It need not be the inverse of [`bus_range_from`](Firmware::bus_range_from).
    ///
    /// Context: thread first, then any, as `bus_range_from`.
    fn pa_of_handle(&self, device: Device, handle: Handle) -> Option<Pa>;

    /// Returns DMA window `index` of the host bridge of a device on bus `"pci"`; `None` after the last, and for every
    /// other device.
    /// If two windows contain an address, the first one counts.
    ///
    /// Context: any.
    fn bus_window(&self, device: Device, index: usize) -> Option<BusWindow>;
}
