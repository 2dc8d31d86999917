//! Devices, as their drivers, their device-tree nodes and their host bridges describe them.

use rt_dma_pool::error::Error;
use rt_dma_pool::kernel::{BusRange, BusWindow, NamedRegion, Pa};
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[derive(Clone)]
pub struct DeviceInfo {
    pub name: Option<&'static CStr>,
    /// `dma-coherent`.
    pub coherent: bool,
    /// The number of the device-tree node; 0 for a device without a node. A copy has the node of the original.
    pub node: usize,
    /// `memory-region`.
    pub regions: Vec<Result<NamedRegion, Error>>,
    /// Whether the bus above has a `dma-ranges` that is not empty.
    pub has_dma_ranges: bool,
    /// The ranges of that bus.
    pub ranges: Vec<BusWindow>,
    /// The kernel's translation of the device's addresses, if it differs from the ranges.
    pub dma_to_cpu: Option<fn(usize) -> Option<Pa>>,
    /// The windows of the host bridge, for a PCI device.
    pub windows: Vec<BusWindow>,
    pub is_removed: bool,
}

impl Default for DeviceInfo {
    fn default() -> Self {
        DeviceInfo {
            name: Some(c"device"),
            coherent: false,
            node: 0,
            regions: Vec::new(),
            has_dma_ranges: false,
            ranges: Vec::new(),
            dma_to_cpu: None,
            windows: Vec::new(),
            is_removed: false,
        }
    }
}

impl DeviceInfo {
    /// Makes a device without a firmware node.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Makes a device whose node refers to these regions in `memory-region`.
    pub fn with_regions(regions: &[NamedRegion]) -> Self {
        let regions = regions.iter().copied().map(Ok).collect();
        DeviceInfo { node: new_node(), regions, ..Self::default() }
    }

    /// Makes a device below a bus with these `dma-ranges`.
    pub fn with_dma_ranges(ranges: &[BusWindow]) -> Self {
        DeviceInfo { node: new_node(), has_dma_ranges: true, ranges: ranges.to_vec(), ..Self::default() }
    }

    /// Makes a device on the bus of a PCI host bridge.
    pub fn with_pci_windows(windows: &[BusWindow]) -> Self {
        DeviceInfo { windows: windows.to_vec(), ..Self::default() }
    }

    pub fn named(self, name: &'static CStr) -> Self {
        DeviceInfo { name: Some(name), ..self }
    }

    pub fn coherent(self) -> Self {
        DeviceInfo { coherent: true, ..self }
    }

    /// Translates `pa` as RT-Thread's translator does, which returns it unchanged if no range covers it.
    fn cpu_to_dma(&self, pa: Pa) -> u64 {
        translate(&self.ranges, pa, |range| (range.cpu, range.bus))
    }

    /// Translates the device's address `handle` as RT-Thread's translator does.
    pub fn pa_of_handle(&self, handle: usize) -> Option<Pa> {
        match self.dma_to_cpu {
            Some(dma_to_cpu) => dma_to_cpu(handle),
            None => usize::try_from(translate(&self.ranges, handle, |range| (range.bus, range.cpu))).ok(),
        }
    }

    /// Returns what the port returns: whether a range covers `pa`, and up to which address this holds.
    pub fn bus_range_from(&self, pa: Pa) -> BusRange {
        let handle = self.cpu_to_dma(pa);
        // RT-Thread's translator returns an address unchanged if no range covers it, and also if a range maps it to
        // itself.
        let is_mapped_to_itself =
            |range: &BusWindow| range.cpu == range.bus && (pa as u64).wrapping_sub(range.cpu) < range.size;
        let is_covered = !self.has_dma_ranges || handle != pa as u64 || self.ranges.iter().any(is_mapped_to_itself);
        // The result may change at each end of a range, on either side.
        let edges = self.ranges.iter().flat_map(|range| {
            [range.cpu, range.cpu.wrapping_add(range.size), range.bus, range.bus.wrapping_add(range.size)]
        });
        let last = edges.filter(|edge| *edge > pa as u64).min().map_or(u64::MAX, |edge| edge - 1);
        // An address that the processor cannot hold is one that it cannot reach.
        let handle = usize::try_from(handle).ok().filter(|_| is_covered);
        BusRange { handle, last_pa: usize::try_from(last).unwrap_or(Pa::MAX) }
    }
}

/// Returns the number of a node that no device has yet.
pub fn new_node() -> usize {
    static NODES: AtomicUsize = AtomicUsize::new(0);
    NODES.fetch_add(1, Relaxed) + 1
}

/// Makes a range that translates `bus` addresses to `cpu` addresses.
pub const fn bus_range(cpu: Pa, bus: usize, size: usize) -> BusWindow {
    BusWindow { cpu: cpu as u64, bus: bus as u64, size: size as u64 }
}

/// Translates an address by the first range that contains it; returns it unchanged if no range does.
fn translate(ranges: &[BusWindow], address: usize, sides: fn(&BusWindow) -> (u64, u64)) -> u64 {
    for range in ranges {
        let (from, to) = sides(range);
        let offset = (address as u64).wrapping_sub(from);
        if offset < range.size {
            return to.wrapping_add(offset);
        }
    }
    address as u64
}

/// Makes a region of a `memory-region` property, without `no-map` or `reusable`.
pub fn named_region(start: Pa, size: usize) -> NamedRegion {
    NamedRegion { start, end: start + size, is_no_map: false, is_reusable: false, serves_every_device: false }
}
