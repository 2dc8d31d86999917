//! [`Firmware`] over RT-Thread's device tree and PCI bus.
//!
//! A device is a pointer to a `struct rt_device` that a C caller passed.

use core::num::NonZeroUsize;

use super::{
    RT_DMA_PORT_DISABLED, RT_DMA_PORT_FOUND, RT_DMA_PORT_NO_NODE, RT_DMA_PORT_NO_REG, RT_DMA_PORT_NOT_RESERVED,
    RT_DMA_PORT_UNUSABLE, RtThread, pointer, rt_dma_port_bus_address, rt_dma_port_bus_window, rt_dma_port_cpu_address,
    rt_dma_port_device_is_coherent, rt_dma_port_device_name, rt_dma_port_has_dma_ranges, rt_dma_port_memory_region,
    rt_dma_port_named_region, rt_dma_port_node, rt_dma_port_region, rt_dma_port_window, unless_unmapped,
};
use crate::error::Error;
use crate::kernel::{BusRange, BusWindow, Device, Entry, Firmware, Handle, NamedRegion, Node, Pa};
use crate::log::Name;

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Firmware for RtThread {
    fn device_name(&self, device: Device) -> Name {
        // SAFETY: a device is a pointer that a C caller passed.
        unsafe { Name::from_ptr(rt_dma_port_device_name(pointer(device.0))) }
    }

    fn is_coherent(&self, device: Device) -> bool {
        // SAFETY: a device is a pointer that a C caller passed.
        unsafe { rt_dma_port_device_is_coherent(pointer(device.0)) != 0 }
    }

    fn node(&self, device: Device) -> Option<Node> {
        // SAFETY: a device is a pointer that a C caller passed.
        let node = unsafe { rt_dma_port_node(pointer(device.0)) };
        NonZeroUsize::new(node.expose_provenance()).map(Node)
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        let mut region = rt_dma_port_named_region::default();
        // SAFETY: a device is a pointer that a C caller passed; the port writes to the region only.
        let error = match unsafe { rt_dma_port_memory_region(pointer(device.0), index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                let rt_dma_port_region { start, end } = region.place;
                let (is_no_map, is_reusable, is_shared) =
                    (region.no_map != 0, region.reusable != 0, region.is_shared != 0);
                return Entry::Found(NamedRegion { start, end, is_no_map, is_reusable, is_shared });
            }
            RT_DMA_PORT_NO_NODE => Error::NoNode,
            RT_DMA_PORT_DISABLED => Error::Disabled,
            RT_DMA_PORT_NO_REG => Error::NotServed,
            RT_DMA_PORT_NOT_RESERVED => Error::NotReserved,
            RT_DMA_PORT_UNUSABLE => Error::BadReg,
            _ => return Entry::End,
        };
        Entry::Refused(error)
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        // SAFETY: a device is a pointer that a C caller passed.
        unsafe { rt_dma_port_has_dma_ranges(pointer(device.0)) != 0 }
    }

    fn bus_address(&self, device: Device, pa: Pa) -> BusRange {
        let mut last = pa;
        // SAFETY: a device is a pointer that a C caller passed; the port writes to `last` only.
        let handle = unless_unmapped(unsafe { rt_dma_port_bus_address(pointer(device.0), pa, &mut last) });
        BusRange { handle, last }
    }

    fn cpu_address(&self, device: Device, handle: Handle) -> Option<Pa> {
        // SAFETY: a device is a pointer that a C caller passed.
        unless_unmapped(unsafe { rt_dma_port_cpu_address(pointer(device.0), handle) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        // SAFETY: a device is a pointer that a C caller passed; the windows of a bridge do not change once it has
        // devices.
        match unsafe { rt_dma_port_bus_window(pointer(device.0), index).as_ref() } {
            Some(&rt_dma_port_window { bus, cpu, size }) => Entry::Found(BusWindow { cpu, bus, size }),
            None => Entry::End,
        }
    }
}
