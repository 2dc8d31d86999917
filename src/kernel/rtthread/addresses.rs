//! [`Addresses`] over `rt_kmem_v2p`; on aarch64, `is_mapped` and `v2p_of_range` use the processor's instruction for
//! translations.

use core::ffi::{c_int, c_void};

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
use super::translation;
use super::{RtThread, pointer};
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
use crate::kernel::PaOfRange;
use crate::kernel::{Addresses, Pa, Va};

/// The result of a translation for an address that is not mapped or not reachable.
pub const RT_DMA_PORT_UNMAPPED: usize = !0;

unsafe extern "C" {
    /// @brief Translates a virtual address (`rt_kmem_v2p`). A kernel without page tables gives `va + PV_OFFSET`.
    ///
    /// @param[in] va The address.
    /// @return The physical address; RT_DMA_PORT_UNMAPPED if nothing is mapped at the address.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_v2p(va: *mut c_void) -> usize;

    /// @brief Returns whether the kernel has page tables.
    ///
    /// @return 0 if the kernel leaves the MMU off: then every address is mapped at `PV_OFFSET` from its physical
    ///         address, and only cached memory can be mapped. Otherwise not 0.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_has_page_tables() -> c_int;

    /// @brief Returns `PV_OFFSET`.
    ///
    /// @return The physical address minus the virtual address, in the linear map.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_pv_offset() -> usize;
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Addresses for RtThread {
    fn v2p(&self, va: Va) -> Option<Pa> {
        // SAFETY: the port's function may be called in any context.
        unless_unmapped(unsafe { rt_dma_port_v2p(pointer(va)) })
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn is_mapped(&self, va: Va) -> bool {
        translation::is_mapped(va)
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn v2p_of_range(&self, va: Va, last: Va) -> Option<PaOfRange> {
        translation::v2p_of_range(va, last)
    }

    fn has_page_tables(&self) -> bool {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_has_page_tables() != 0 }
    }

    fn linear(&self, pa: Pa) -> Va {
        // SAFETY: the port's function may be called in any context.
        pa.wrapping_sub(unsafe { rt_dma_port_pv_offset() })
    }
}

/// Returns `address`; `None` if it is [`RT_DMA_PORT_UNMAPPED`].
pub(super) fn unless_unmapped(address: usize) -> Option<usize> {
    (address != RT_DMA_PORT_UNMAPPED).then_some(address)
}
