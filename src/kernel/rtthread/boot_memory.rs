//! [`BootMemory`] over memblock's reserved list, or over the list of the caller of `rt_dma_pool_extract`.

use core::ffi::c_int;
use core::mem::offset_of;

use super::{
    RT_DMA_PORT_ABSENT, RT_DMA_PORT_END, RT_DMA_PORT_INVALID, RtThread, pointer, rt_dma_port_consume,
    rt_dma_port_pool_region, rt_dma_port_regions,
};
use crate::abi::rt_region_t;
use crate::error::Error;
use crate::kernel::{BootMemory, BootRegion, Pa, RegionList};

/// Converts the number that `rt_dma_port_pool_region` returned in place of a region.
fn error_of(number: usize) -> Error {
    match number as c_int {
        RT_DMA_PORT_INVALID => Error::BadSize,
        RT_DMA_PORT_ABSENT => Error::NoList,
        _ => Error::NoRegion,
    }
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl BootMemory for RtThread {
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        const {
            assert!(
                size_of::<RegionList>() == size_of::<rt_dma_port_regions>()
                    && offset_of!(RegionList, length) == offset_of!(rt_dma_port_regions, length)
            )
        }
        // SAFETY: see above; the list has the port's layout, and the caller of `extract` passed its length.
        let address = unsafe { rt_dma_port_pool_region(core::ptr::from_ref(list).cast(), index) };
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
}
