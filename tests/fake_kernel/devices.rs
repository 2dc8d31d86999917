//! Devices, as their drivers, their device-tree nodes and their host bridges describe them.

use rt_dma_pool::kernel::{BusWindow, Entry, NamedRegion, Pa};
use std::ffi::CStr;

#[derive(Clone)]
pub struct DeviceInfo {
    pub name: Option<&'static CStr>,
    /// `dma-coherent`.
    pub coherent: bool,
    pub has_node: bool,
    /// `memory-region`.
    pub regions: Vec<Entry<NamedRegion>>,
    pub has_dma_ranges: bool,
    pub cpu_to_dma: fn(Pa) -> Option<usize>,
    pub dma_to_cpu: fn(usize) -> Option<Pa>,
    /// The host bridge's, for a PCI device.
    pub windows: Vec<BusWindow>,
}

impl Default for DeviceInfo {
    fn default() -> Self {
        DeviceInfo {
            name: Some(c"device"),
            coherent: false,
            has_node: false,
            regions: Vec::new(),
            has_dma_ranges: false,
            cpu_to_dma: Some,
            dma_to_cpu: Some,
            windows: Vec::new(),
        }
    }
}

impl DeviceInfo {
    /// A device without a firmware node.
    pub fn plain() -> Self {
        Self::default()
    }

    /// A device whose node names these regions in `memory-region`.
    pub fn naming(regions: &[NamedRegion]) -> Self {
        let regions = regions.iter().copied().map(Entry::Found).collect();
        DeviceInfo { has_node: true, regions, ..Self::default() }
    }

    /// A device below a bus with `dma-ranges`.
    pub fn behind_ranges(cpu_to_dma: fn(Pa) -> Option<usize>, dma_to_cpu: fn(usize) -> Option<Pa>) -> Self {
        DeviceInfo { has_node: true, has_dma_ranges: true, cpu_to_dma, dma_to_cpu, ..Self::default() }
    }

    /// A device behind a PCI host bridge.
    pub fn pci(windows: &[BusWindow]) -> Self {
        DeviceInfo { windows: windows.to_vec(), ..Self::default() }
    }

    pub fn named(self, name: &'static CStr) -> Self {
        DeviceInfo { name: Some(name), ..self }
    }

    pub fn coherent(self) -> Self {
        DeviceInfo { coherent: true, ..self }
    }
}

/// A region of a `memory-region` property, without `no-map` or `reusable`.
pub fn named_region(start: Pa, size: usize) -> NamedRegion {
    NamedRegion { start, end: start + size, no_map: false, reusable: false }
}
