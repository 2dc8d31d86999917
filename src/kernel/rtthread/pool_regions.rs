//! [`PoolRegions`] over memblock's reserved list, or over the list of the caller of `rt_dma_pool_extract`.

use core::ffi::{c_int, c_void};

use super::types::{RT_DMA_PORT_FOUND, RT_DMA_PORT_NO_LIST, RT_DMA_PORT_NO_MEMBLOCK};
use super::{RtThread, pointer};
use crate::abi::rt_region_t;
use crate::error::Error;
use crate::kernel::{BootRegion, Pa, PoolRegions, RegionList};

/// The list of `rt_region_t` that the caller of `rt_dma_pool_extract` passes in revision r1; ignored in revision r2.
#[repr(C)]
pub struct rt_dma_port_regions {
    /// The first region, or null.
    pub start: *mut c_void,
    /// Number of regions.
    pub length: usize,
}

unsafe extern "C" {
    /// @brief Finds a region in which boot pools can be made.
    ///
    /// In revision r1, all regions of the list are counted, and one without a name is returned as empty. In revision
    /// r2, the regions of `rt_memblock_get_reserved()` are counted that are in use, not hot-pluggable, and named
    /// "dma-pool".
    ///
    /// @param[in] list In revision r1, the list of the caller of `rt_dma_pool_extract`. Otherwise ignored.
    /// @param[in] index The index of the region.
    /// @param[out] region The address of the region's `rt_region_t`, if it was found.
    /// @retval RT_DMA_PORT_FOUND The address was filled in.
    /// @retval RT_DMA_PORT_END There is no such region.
    /// @retval RT_DMA_PORT_NO_LIST A list is needed, and there is none.
    /// @retval RT_DMA_PORT_NO_MEMBLOCK The kernel has no memblock.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_pool_region(list: *const rt_dma_port_regions, index: usize, region: *mut *mut c_void) -> c_int;

    /// @brief Moves the start of a region of a caller's list up to `end`.
    ///
    /// Changes nothing if the region ends at `end` or does not begin at `start`, and if it is one of memblock.
    ///
    /// @param[in] region The address that `rt_dma_port_pool_region` filled in.
    /// @param[in] start The first byte of the region that no earlier pool covers. If earlier pools cover the region's
    /// beginning, it is higher than the region's own start, and the region stays as it is.
    /// @param[in] end One past the last byte that pools cover.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_shrink_region(region: *mut c_void, start: usize, end: usize);
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl PoolRegions for RtThread {
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        let list = rt_dma_port_regions { start: pointer(list.first_entry), length: list.length };
        let mut region = core::ptr::null_mut();
        // SAFETY: the maker of the list guarantees its entries. The port writes to `region` only.
        match unsafe { rt_dma_port_pool_region(&list, index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                // SAFETY: this is the address of an entry, which no other code writes while `extract` runs.
                let rt_region_t { start, end, .. } = unsafe { &*region.cast::<rt_region_t>() };
                // SAFETY: `shrink_entry` takes `entry` for this address.
                Ok(unsafe { BootRegion::new(*start, *end, region.expose_provenance()) })
            }
            RT_DMA_PORT_NO_LIST => Err(Error::BadSize),
            RT_DMA_PORT_NO_MEMBLOCK => Err(Error::NoMemblock),
            _ => Err(Error::NoRegion),
        }
    }

    fn shrink_entry(&self, region: BootRegion, end: Pa) {
        // SAFETY: the port returned the entry's address. The maker of a caller's list guarantees that no other code
        // uses it; memblock's list is not written.
        unsafe { rt_dma_port_shrink_region(pointer(region.entry), region.start, end) }
    }
}
