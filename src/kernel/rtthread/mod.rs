//! [`Kernel`] for RT-Thread, over the C functions of `rtthread-port/`.
//!
//! # Mappings of 2 MiB
//!
//! RT-Thread's aarch64 code (`rt_hw_mmu_map`) maps blocks of 2 MiB if the virtual address and the length are multiples of
//! 2 MiB, and does not check the physical address: if that is not a multiple, the block leads to other memory, and is
//! never unmapped. [`RtThread`] therefore adds a page to the length of such a mapping.

#![allow(unsafe_code)]

mod barrier;
mod cache;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod cache_line;
mod configuration;
mod every_core;
mod irq;
mod port;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod probe;
mod reserved_memory;

pub use configuration::{configuration, device_ops, revision};
pub use port::*;

use core::ffi::{CStr, c_int, c_void};
use core::mem::offset_of;

use cache::maintain;

use crate::abi::rt_region_t;
use crate::error::Error;

use super::{
    BootRegion, BusWindow, Device, Entry, Kernel, Level, Line, MemoryType, Name, NamedRegion, PAGE_SIZE, Pa,
    RegionList, Stretch, Va,
};

/// Size of a block that aarch64's `rt_hw_mmu_map` maps, in bytes.
const BLOCK_SIZE: usize = 2 << 20;

/// RT-Thread, through the port.
#[derive(Clone, Copy)]
pub struct RtThread;

/// Converts an address to a pointer for C.
fn pointer(address: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(address)
}

/// Converts a translation of the port.
fn unless_unmapped(address: usize) -> Option<usize> {
    (address != RT_DMA_PORT_UNMAPPED).then_some(address)
}

/// Returns argument `index` of a format; 0 after the last, which the format does not use.
fn argument(values: &[usize], index: usize) -> usize {
    values.get(index).copied().unwrap_or(0)
}

/// Converts the number that `rt_dma_port_reserved` returned in place of a region.
fn error_of(number: usize) -> Error {
    match number as c_int {
        RT_DMA_PORT_INVALID => Error::BadSize,
        RT_DMA_PORT_ABSENT => Error::NoList,
        _ => Error::NoRegion,
    }
}

// SAFETY: the port does what its header states of each function, which includes what the trait requires, and accepts every
// value of the types that it declares. Devices are pointers to a `struct rt_device` that a C caller passed. This holds for
// every block below.
unsafe impl Kernel for RtThread {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: see above.
        unsafe { rt_dma_port_heap_alloc(size).cast() }
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        // SAFETY: the caller guarantees that `heap_alloc` returned it and that it is not used any more.
        unsafe { rt_dma_port_heap_free(memory.cast()) }
    }

    #[inline(always)]
    fn v2p(&self, va: Va) -> Option<Pa> {
        // SAFETY: the port's function may be called in any context.
        let pa = unsafe { rt_dma_port_v2p(pointer(va)) };
        (pa != RT_DMA_PORT_UNMAPPED).then_some(pa)
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    #[inline(always)]
    fn is_mapped(&self, va: Va) -> bool {
        probe::is_mapped(va)
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn leads_to(&self, va: Va, pa: Pa, pages: usize) -> bool {
        probe::leads_to(va, pa, pages)
    }

    fn has_page_tables(&self) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_has_page_tables() != 0 }
    }

    fn linear(&self, pa: Pa) -> Va {
        // SAFETY: see above.
        pa.wrapping_sub(unsafe { rt_dma_port_pv_offset() })
    }

    fn is_every_pool_linear(&self) -> bool {
        revision() == 1
    }

    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_map_linear(pointer(va), pa, size) }
    }

    unsafe fn unmap_linear(&self, va: Va, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_unmap_linear(pointer(va), size) }
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        let has_blocks = cfg!(target_arch = "aarch64");
        let in_blocks = has_blocks && size.is_multiple_of(BLOCK_SIZE) && !pa.is_multiple_of(BLOCK_SIZE);
        let size = if in_blocks { size.checked_add(PAGE_SIZE)? } else { size };
        // SAFETY: see above.
        let va = unsafe { rt_dma_port_map(pa, size, memory as c_int) }.expose_provenance();
        (va != 0).then_some(va)
    }

    unsafe fn unmap(&self, va: Va) {
        // SAFETY: see above.
        unsafe { rt_dma_port_unmap(pointer(va)) }
    }

    unsafe fn copy(&self, to: Va, from: Va, size: usize) {
        // SAFETY: the caller guarantees that both ranges are mapped and do not overlap.
        unsafe { crate::kernel::copy::copy_aligned(pointer(to).cast(), pointer(from).cast(), size) }
        self.device_barrier();
    }

    #[inline(always)]
    fn device_barrier(&self) {
        barrier::device();
    }

    fn caches_write_through(&self) -> bool {
        !cfg!(target_arch = "aarch64")
    }

    fn view_limit(&self) -> usize {
        configuration::view_limit()
    }

    fn maps_at_install(&self) -> bool {
        configuration().maps_at_install != 0
    }

    fn cache_flush(&self, va: Va, size: usize) {
        maintain(va, size, RT_DMA_PORT_FLUSH);
    }

    fn cache_flush_and_drop(&self, va: Va, size: usize) {
        // On aarch64 the port's flush is DC CIVAC, which does both (libcpu/aarch64/common/cache.S).
        let does_both = cfg!(target_arch = "aarch64");
        maintain(va, size, if does_both { RT_DMA_PORT_FLUSH } else { RT_DMA_PORT_FLUSH_AND_DROP });
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    #[inline(always)]
    fn cache_flush_and_drop_line(&self, va: Va) {
        cache_line::flush_and_drop_line(va);
    }

    unsafe fn cache_invalidate(&self, va: Va, size: usize) {
        maintain(va, size, RT_DMA_PORT_INVALIDATE);
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn cache_line_max(&self) -> usize {
        cache_line::largest()
    }

    #[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
    fn cache_line_max(&self) -> usize {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_cache_line_max() }
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    #[inline(always)]
    fn within_line(&self) -> usize {
        cache_line::within()
    }

    #[inline(always)]
    fn irq_save(&self) -> usize {
        irq::save()
    }

    #[inline(always)]
    unsafe fn irq_restore(&self, saved: usize) {
        // SAFETY: the caller guarantees that `irq_save` returned it.
        unsafe { irq::restore(saved) }
    }

    fn can_sleep(&self) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_is_atomic() == 0 }
    }

    fn pause(&self) {
        // SAFETY: see above.
        unsafe { rt_dma_port_pause() }
    }

    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        const {
            assert!(
                size_of::<RegionList>() == size_of::<rt_dma_port_list>()
                    && offset_of!(RegionList, length) == offset_of!(rt_dma_port_list, length)
            )
        }
        // SAFETY: see above; the list has the port's layout, and the caller of `extract` passed its length.
        let address = unsafe { rt_dma_port_reserved(core::ptr::from_ref(list).cast(), index) };
        if address <= RT_DMA_PORT_END as usize {
            return Err(error_of(address));
        }
        // SAFETY: the port returned the address of a region, which no other code writes while `extract` runs.
        let rt_region_t { start, end, .. } = *unsafe { &*pointer(address).cast() };
        Ok(BootRegion { start, end, address })
    }

    fn consume(&self, region: BootRegion, end: Pa) {
        // SAFETY: see above; the region was found. A caller's list is used by no other code while `extract` runs; memblock's
        // list is not written.
        unsafe { rt_dma_port_consume(pointer(region.address), region.start, end) }
    }

    fn device_name(&self, device: Device) -> Name {
        // SAFETY: see above.
        unsafe { Name::from_ptr(rt_dma_port_device_name(pointer(device.0))) }
    }

    fn is_coherent(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_device_is_coherent(pointer(device.0)) != 0 }
    }

    fn has_node(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { !rt_dma_port_node(pointer(device.0)).is_null() }
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        let mut region = rt_dma_port_named_region::default();
        // SAFETY: see above; the port writes to the region only.
        let error = match unsafe { rt_dma_port_memory_region(pointer(device.0), index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                let rt_dma_port_region { start, end } = region.place;
                let (no_map, reusable, is_shared) = (region.no_map != 0, region.reusable != 0, region.is_shared != 0);
                return Entry::Found(NamedRegion { start, end, no_map, reusable, is_shared });
            }
            RT_DMA_PORT_NO_NODE => Error::NoNode,
            RT_DMA_PORT_DISABLED => Error::Disabled,
            RT_DMA_PORT_NO_REG => Error::NotServed,
            RT_DMA_PORT_NOT_RESERVED => Error::NotReserved,
            RT_DMA_PORT_UNREADABLE => Error::BadReg,
            _ => return Entry::End,
        };
        Entry::Refused(error)
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { !rt_dma_port_dma_ranges(pointer(device.0)).is_null() }
    }

    fn bus_address(&self, device: Device, pa: Pa) -> Stretch {
        let mut last = pa;
        // SAFETY: see above; the port writes to `last` only.
        let handle = unless_unmapped(unsafe { rt_dma_port_bus_address(pointer(device.0), pa, &mut last) });
        Stretch { handle, last }
    }

    fn cpu_address(&self, device: Device, handle: usize) -> Option<Pa> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_cpu_address(pointer(device.0), handle) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        // SAFETY: see above; the windows of a bridge do not change once it has devices.
        match unsafe { rt_dma_port_bus_window(pointer(device.0), index).as_ref() } {
            Some(&rt_dma_port_window { bus, cpu, size }) => Entry::Found(BusWindow { cpu, bus, size }),
            None => Entry::End,
        }
    }

    fn log(&self, level: Level, line: &Line) {
        let argument = |index| argument(line.values, index);
        // SAFETY: see above; the arguments are those that the format uses (see `Line`).
        unsafe {
            rt_dma_port_log(
                level as c_int,
                line.name.as_ptr(),
                line.format.as_ptr(),
                argument(0),
                argument(1),
                argument(2),
                argument(3),
                line.device,
            )
        }
    }

    fn log_reserved(&self, start: Pa, name: Name, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_log_reserved(start, name.as_ptr(), size) }
    }

    fn print(&self, format: &'static CStr, values: &[usize]) {
        let argument = |index| argument(values, index);
        // SAFETY: see above; the arguments are those that the format uses.
        unsafe {
            rt_dma_port_print(
                format.as_ptr(),
                argument(0),
                argument(1),
                argument(2),
                argument(3),
                argument(4),
                argument(5),
            )
        }
    }
}
