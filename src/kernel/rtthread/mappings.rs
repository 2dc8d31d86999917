//! [`Mappings`] over RT-Thread's `ioremap` and its linear map.
//!
//! On aarch64 and riscv64, RT-Thread maps 2 MiB and more in blocks, and never removes them. On aarch64 some lead to
//! other memory. The port maps pages instead: see `rtthread-port/rt_dma_port_map_pages.c`.

use core::ffi::{c_int, c_void};
use core::num::NonZeroUsize;

use super::{RtThread, configuration, pointer, revision};
use crate::kernel::{Mappings, MemoryType, Pa, Va};

/// Memory type: write-back cached.
pub const RT_DMA_PORT_CACHED: c_int = 0;
/// Memory type: not cached. On aarch64, RT-Thread makes this Device memory, which permits aligned accesses only.
pub const RT_DMA_PORT_UNCACHED: c_int = 1;
/// Memory type: write-through. On aarch64, RT-Thread has no such memory, and makes this Normal Non-cacheable memory.
pub const RT_DMA_PORT_WRITE_THROUGH: c_int = 2;

// cbindgen accepts only literals. These are the values of the enum.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
);

unsafe extern "C" {
    /// @brief Asks the kernel to map whole pages, write-back cached, at `va`.
    ///
    /// The kernel may fail, or map other memory, without an error. The library checks the mapping by `rt_dma_port_v2p`
    /// before it uses it. The function does nothing without page tables, and in revision r1 of the interface, where
    /// boot code makes the linear map.
    ///
    /// @param[in] va The linear address of `pa`. Nothing is mapped there.
    /// @param[in] pa The physical address.
    /// @param[in] size Bytes, whole pages.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_map_linear(va: *mut c_void, pa: usize, size: usize);

    /// @brief Removes a mapping of `rt_dma_port_map_linear`. Without page tables it does nothing.
    ///
    /// @param[in] va The virtual address at which it begins.
    /// @param[in] size Bytes, all that was mapped.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_unmap_linear(va: *mut c_void, size: usize);

    /// @brief Maps whole pages at an address that the kernel chooses, in the ioremap window.
    ///
    /// When it returns, every core translates addresses of the mapping. On aarch64 and riscv64, no blocks of 2 MiB are
    /// mapped. The kernel may map other memory without an error. The library checks the mapping by `rt_dma_port_v2p`
    /// before it uses it.
    ///
    /// @param[in] pa The physical address.
    /// @param[in] size Bytes, whole pages.
    /// @param[in] memory RT_DMA_PORT_CACHED, RT_DMA_PORT_UNCACHED or RT_DMA_PORT_WRITE_THROUGH.
    /// @return The address, or null on failure. Without page tables: the linear address for RT_DMA_PORT_CACHED, null
    ///         for other memory.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> *mut c_void;

    /// @brief Removes a mapping of `rt_dma_port_map`. Without page tables it does nothing.
    ///
    /// On riscv64, it leaves no entry in the page tables.
    ///
    /// @param[in] va What `rt_dma_port_map` returned.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_unmap(va: *mut c_void);
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Mappings for RtThread {
    fn sets_linear_always(&self) -> bool {
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

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
        // SAFETY: the caller is a thread, and passes whole pages, as `Mappings::map` demands; `memory` is one of the
        // port's three values. No code uses the new addresses yet.
        NonZeroUsize::new(unsafe { rt_dma_port_map(pa, size, memory as c_int) }.expose_provenance())
    }

    unsafe fn unmap(&self, va: Va) {
        // SAFETY: the caller guarantees what the port requires of these arguments.
        unsafe { rt_dma_port_unmap(pointer(va)) }
    }

    fn view_limit(&self) -> usize {
        // On a 32-bit processor, 4,096 MiB and more are all of the address space.
        usize::from(configuration().view_limit_mib).saturating_mul(1 << 20)
    }

    fn maps_at_install(&self) -> bool {
        configuration().maps_at_install != 0
    }
}
