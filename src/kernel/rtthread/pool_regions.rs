//! [`PoolRegions`] over memblock's reserved list, or over the list of the caller of `rt_dma_pool_extract`.

use core::mem::offset_of;

use super::{
    RT_DMA_PORT_ABSENT, RT_DMA_PORT_FOUND, RT_DMA_PORT_INVALID, RtThread, pointer, rt_dma_port_pool_region,
    rt_dma_port_regions, rt_dma_port_shrink_region,
};
use crate::abi::rt_region_t;
use crate::error::Error;
use crate::kernel::{BootRegion, Pa, PoolRegions, RegionList};

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl PoolRegions for RtThread {
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        const {
            assert!(
                size_of::<RegionList>() == size_of::<rt_dma_port_regions>()
                    && offset_of!(RegionList, length) == offset_of!(rt_dma_port_regions, length)
            )
        }
        let mut region = core::ptr::null();
        // SAFETY: the list has the port's layout, and its maker guarantees the regions. The port writes to `region`
        // only.
        match unsafe { rt_dma_port_pool_region(core::ptr::from_ref(list).cast(), index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                // SAFETY: this is the address of a region, which no other code writes while `extract` runs.
                let rt_region_t { start, end, .. } = *unsafe { &*region.cast() };
                Ok(BootRegion { start, end, address: region.expose_provenance() })
            }
            RT_DMA_PORT_INVALID => Err(Error::BadSize),
            RT_DMA_PORT_ABSENT => Err(Error::NoList),
            _ => Err(Error::NoRegion),
        }
    }

    fn consume(&self, region: BootRegion, end: Pa) {
        // SAFETY: the port returned the region's address. A caller's list is used by no other code while `extract`
        // runs; memblock's list is not written.
        unsafe { rt_dma_port_shrink_region(pointer(region.address), region.start, end) }
    }
}
