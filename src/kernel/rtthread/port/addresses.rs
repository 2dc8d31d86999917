//! Virtual and physical addresses.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::{c_int, c_void};

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
    /// address,
    ///         and only cached memory can be mapped. Otherwise not 0.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_has_page_tables() -> c_int;

    /// @brief Returns `PV_OFFSET`: the physical address minus the virtual address, in the linear map.
    ///
    /// @return `PV_OFFSET`.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_pv_offset() -> usize;
}
