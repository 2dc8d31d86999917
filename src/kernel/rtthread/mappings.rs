//! [`Mappings`] over RT-Thread's `ioremap` and its linear map.
//!
//! # Mappings of 2 MiB
//!
//! RT-Thread's aarch64 code (`rt_hw_mmu_map`) maps blocks of 2 MiB if the virtual address and the length are multiples of
//! 2 MiB, and does not check the physical address: if that is not a multiple, the block leads to other memory, and is
//! never unmapped. [`RtThread`] therefore adds a page to the length of such a mapping.

use core::ffi::c_int;

use super::{
    RtThread, configuration, pointer, revision, rt_dma_port_map, rt_dma_port_map_linear, rt_dma_port_unmap,
    rt_dma_port_unmap_linear, view_limit,
};
use crate::kernel::{Mappings, MemoryType, PAGE_SIZE, Pa, Va};

/// Size of a block that aarch64's `rt_hw_mmu_map` maps, in bytes.
const BLOCK_SIZE: usize = 2 << 20;

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Mappings for RtThread {
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

    fn view_limit(&self) -> usize {
        view_limit()
    }

    fn maps_at_install(&self) -> bool {
        configuration().maps_at_install != 0
    }
}
