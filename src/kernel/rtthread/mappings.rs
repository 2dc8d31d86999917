//! [`Mappings`] over RT-Thread's `ioremap` and its linear map.
//!
//! On aarch64, RT-Thread maps 2 MiB and more in blocks, some of which lead to other memory, and never removes them. The
//! port maps pages instead: see `rtthread-port/rt_dma_port_pages.c`.

use core::ffi::c_int;

use super::{
    RtThread, configuration, pointer, revision, rt_dma_port_map, rt_dma_port_map_linear, rt_dma_port_unmap,
    rt_dma_port_unmap_linear, view_limit,
};
use crate::kernel::{Mappings, MemoryType, Pa, Va};

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Mappings for RtThread {
    fn is_every_pool_linear(&self) -> bool {
        revision() == 1
    }

    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        // SAFETY: the caller guarantees what the port requires of these arguments.
        unsafe { rt_dma_port_map_linear(pointer(va), pa, size) }
    }

    unsafe fn unmap_linear(&self, va: Va, size: usize) {
        // SAFETY: the caller guarantees what the port requires of these arguments.
        unsafe { rt_dma_port_unmap_linear(pointer(va), size) }
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        // SAFETY: the port accepts any values of these types.
        let va = unsafe { rt_dma_port_map(pa, size, memory as c_int) }.expose_provenance();
        (va != 0).then_some(va)
    }

    unsafe fn unmap(&self, va: Va) {
        // SAFETY: the caller guarantees what the port requires of these arguments.
        unsafe { rt_dma_port_unmap(pointer(va)) }
    }

    fn view_limit(&self) -> usize {
        view_limit()
    }

    fn maps_at_install(&self) -> bool {
        configuration().maps_at_install != 0
    }
}
