//! [`Firmware`] over RT-Thread's device tree and PCI bus.

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering::Acquire};

use super::addresses::unless_unmapped;
use super::types::{
    RT_DMA_PORT_DISABLED, RT_DMA_PORT_END, RT_DMA_PORT_FOUND, RT_DMA_PORT_NO_HEAP, RT_DMA_PORT_NO_NODE,
    RT_DMA_PORT_NO_REG, RT_DMA_PORT_NOT_RESERVED, rt_dma_port_region,
};
use super::{RtThread, configuration, pointer};
use crate::abi::rt_dma_map_ops;
use crate::error::Error;
use crate::kernel::{BusRange, BusWindow, Device, Firmware, Handle, NamedRegion, Node, Pa};
use crate::log::Name;

/// A region of reserved memory to which a device's node refers in `memory-region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_named_region {
    /// The region's memory.
    pub place: rt_dma_port_region,
    /// 1 if its node has `no-map`.
    pub no_map: c_int,
    /// 1 if its node has `reusable`.
    pub reusable: c_int,
    /// 1 if a `reusable` region serves every device: its node has `linux,cma-default`, or the configuration has
    /// `PKG_RT_DMA_POOL_SHARE_REUSABLE`.
    pub is_shared: c_int,
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

unsafe extern "C" {
    /// @brief Returns a device's name (`rt_dm_dev_get_name`), or that of its device-tree node.
    ///
    /// @param[in] dev The device.
    /// @return The name; null if the device has no name and no node.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_device_name(dev: *mut c_void) -> *const c_char;

    /// @brief Returns whether a device is coherent (`rt_dma_device_is_coherent`).
    ///
    /// @param[in] dev The device.
    /// @return Not 0 if it is.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_device_is_coherent(dev: *mut c_void) -> c_int;

    /// @brief Stores `ops` in `dev->dma_ops`, if that is null. Otherwise nothing changes: another caller, or the BSP,
    /// has chosen operations.
    ///
    /// The store has release ordering: a caller that reads `dev->dma_ops` with acquire ordering also sees what was
    /// written before, such as the pools that the device owns.
    ///
    /// @param[in] dev The device.
    /// @param[in] ops The map operations.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_device_choose_ops(dev: *mut c_void, ops: *const c_void);

    /// @brief Stores `ops` in `dev->dma_ops`, with release ordering as `rt_dma_port_device_choose_ops` does.
    ///
    /// @param[in] dev The device.
    /// @param[in] ops The map operations.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_device_set_ops(dev: *mut c_void, ops: *const c_void);

    /// @brief Returns a device's device-tree node.
    ///
    /// @param[in] dev The device.
    /// @return The node; null if the device has none.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_node(dev: *mut c_void) -> *const c_void;

    /// @brief Reads one entry of the `memory-region` of a device's node.
    ///
    /// @param[in] dev The device.
    /// @param[in] index The index in the property.
    /// @param[out] region The region, if the entry was found.
    /// @retval RT_DMA_PORT_FOUND The region was filled in.
    /// @retval RT_DMA_PORT_END The property has no such entry.
    /// @retval RT_DMA_PORT_NO_NODE The entry refers to no node.
    /// @retval RT_DMA_PORT_DISABLED The node is disabled.
    /// @retval RT_DMA_PORT_NO_REG The node has no `reg`.
    /// @retval RT_DMA_PORT_BAD_NODE The `reg` is malformed, or beyond what the processor can address.
    /// @retval RT_DMA_PORT_NOT_RESERVED The kernel itself uses a part of the region.
    /// @retval RT_DMA_PORT_NO_HEAP The heap has no room for the ranges of the bus above the node.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_memory_region(dev: *mut c_void, index: usize, region: *mut rt_dma_port_named_region) -> c_int;

    /// @brief Returns whether a node above that of a device has a non-empty `dma-ranges`.
    ///
    /// @param[in] dev The device, which has a node.
    /// @return Not 0 if one has.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_has_dma_ranges(dev: *mut c_void) -> c_int;

    /// @brief Translates a physical address for a device, through the ranges of its bus as `rt_ofw_translate_cpu2dma`
    /// reads them.
    ///
    /// That function is not called: it returns an address unchanged where no range covers it, and where the heap has no
    /// room for the ranges.
    ///
    /// @param[in] dev The device, which has a node.
    /// @param[in] pa The physical address.
    /// @param[out] handle The device's address; RT_DMA_PORT_UNMAPPED if no range of the bus above the device covers
    ///        `pa`, and if the device's address does not fit into a pointer.
    /// @param[out] last The last physical address up to which the result holds. It is not below `pa`.
    ///        - With a device's address, the device's addresses rise with the physical ones from `pa` to `last`.
    ///        - With RT_DMA_PORT_UNMAPPED, the same is true for every address from `pa` to `last`.
    /// @retval RT_DMA_PORT_FOUND `handle` and `last` were filled in.
    /// @retval RT_DMA_PORT_NO_HEAP The heap has no room to read the ranges of the bus.
    ///
    /// @note Context: thread first, then any. The first call for a bus reads its ranges.
    pub fn rt_dma_port_bus_range(dev: *mut c_void, pa: usize, handle: *mut usize, last: *mut usize) -> c_int;

    /// @brief Translates a device's address (`rt_ofw_translate_dma2cpu`).
    ///
    /// @param[in] dev The device, which has a node.
    /// @param[in] handle The device's address.
    /// @return The physical address; RT_DMA_PORT_UNMAPPED if the processor has no such address.
    ///
    /// @note Context: thread first, then any. The first call for a bus reads its ranges.
    pub fn rt_dma_port_cpu_address(dev: *mut c_void, handle: usize) -> usize;

    /// @brief Finds a DMA window of the host bridge of a device on bus "pci".
    ///
    /// @param[in] dev The device.
    /// @param[in] index The index of the window.
    /// @return The window, to be read at once; null if there is none.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_bus_window(dev: *mut c_void, index: usize) -> *const rt_dma_port_window;
}

/// Returns `dev->dma_ops` of a device, read with acquire ordering.
///
/// The library claims the pools of a device first, and then stores `dma_ops` with release ordering
/// ([`rt_dma_port_device_choose_ops`]). A caller that reads the operations therefore also reads these pools.
/// RT-Thread's own `rt_dma_device_set_ops` has no such ordering.
///
/// This is no function of the port, because its call would add about 20 instructions to each call of a driver, most of
/// them to save the arguments.
pub fn device_ops(device: Device) -> *const rt_dma_map_ops {
    let place = device.address().wrapping_add(configuration().ops_offset.into());
    // SAFETY: a device is a `struct rt_device` that a C caller passed. The port measured the offset of the pointer in
    // it, which is written by atomic or single stores only.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicPtr<rt_dma_map_ops>>(place) }.load(Acquire)
}

/// Calls a function of the port for a device.
fn call<R>(function: unsafe extern "C" fn(*mut c_void) -> R, device: Device) -> R {
    // SAFETY: a device is a pointer that a C caller passed, and the port accepts every such pointer.
    unsafe { function(pointer(device.address())) }
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`. The devices in the blocks
// below are pointers that a C caller passed.
unsafe impl Firmware for RtThread {
    fn device_name(&self, device: Device) -> Name<'_> {
        // SAFETY: the port returns null, or a C string that stays as long as the device.
        unsafe { Name::from_ptr(call(rt_dma_port_device_name, device)) }
    }

    fn is_coherent(&self, device: Device) -> bool {
        call(rt_dma_port_device_is_coherent, device) != 0
    }

    fn node(&self, device: Device) -> Option<Node> {
        Node::at(call(rt_dma_port_node, device).expose_provenance())
    }

    fn memory_region(&self, device: Device, index: usize) -> Option<Result<NamedRegion, Error>> {
        let mut region = rt_dma_port_named_region::default();
        // SAFETY: the port accepts every index, and writes to the region only.
        let error = match unsafe { rt_dma_port_memory_region(pointer(device.address()), index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                let rt_dma_port_region { start, end } = region.place;
                let (is_no_map, is_reusable) = (region.no_map != 0, region.reusable != 0);
                let serves_every_device = is_reusable && region.is_shared != 0;
                return Some(Ok(NamedRegion { start, end, is_no_map, is_reusable, serves_every_device }));
            }
            RT_DMA_PORT_END => return None,
            RT_DMA_PORT_NO_NODE => Error::NoNode,
            RT_DMA_PORT_DISABLED => Error::Disabled,
            RT_DMA_PORT_NO_REG => Error::NoReg,
            RT_DMA_PORT_NOT_RESERVED => Error::NotReserved,
            RT_DMA_PORT_NO_HEAP => Error::NoMemory,
            // `RT_DMA_PORT_BAD_NODE`. The entries after this one are read in any case.
            _ => Error::BadReg,
        };
        Some(Err(error))
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        call(rt_dma_port_has_dma_ranges, device) != 0
    }

    fn bus_range_from(&self, device: Device, pa: Pa) -> Result<BusRange, Error> {
        let (mut handle, mut last_pa) = (0, 0);
        // SAFETY: the port writes to the two addresses only.
        match unsafe { rt_dma_port_bus_range(pointer(device.address()), pa, &mut handle, &mut last_pa) } {
            RT_DMA_PORT_FOUND => Ok(BusRange { handle: unless_unmapped(handle), last_pa }),
            // `RT_DMA_PORT_NO_HEAP`.
            _ => Err(Error::NoMemory),
        }
    }

    fn pa_of_handle(&self, device: Device, handle: Handle) -> Option<Pa> {
        // SAFETY: the port accepts every handle.
        unless_unmapped(unsafe { rt_dma_port_cpu_address(pointer(device.address()), handle) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Option<BusWindow> {
        // SAFETY: the port returns null, or the address of a window of the device's bridge. The windows of a bridge
        // stay and do not change once it has devices.
        let window = unsafe { rt_dma_port_bus_window(pointer(device.address()), index).as_ref() };
        window.map(|&rt_dma_port_window { bus, cpu, size }| BusWindow { cpu, bus, size })
    }
}
