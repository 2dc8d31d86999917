//! Functions of the port: heap, mappings, data cache, contexts, boot memory.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::{c_int, c_void};

use super::rt_dma_port_list;

unsafe extern "C" {
    // Heap and memory

    /// @brief Allocates zeroed memory (`rt_calloc`).
    ///
    /// @param[in] size Bytes, not zero.
    /// @return The memory, aligned for a pointer; null if the heap has no room.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;

    /// @brief Frees memory (`rt_free`).
    ///
    /// @param[in] memory What `rt_dma_port_heap_alloc` returned.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_heap_free(memory: *mut c_void);

    /// @brief Translates a virtual address (`rt_kmem_v2p`). A kernel without page tables gives `va + PV_OFFSET`.
    ///
    /// @param[in] va The address.
    /// @return The physical address; RT_DMA_PORT_UNMAPPED if nothing is mapped at the address.
    ///
    /// @note Context: any
    pub fn rt_dma_port_v2p(va: *mut c_void) -> usize;

    /// @brief Returns whether the kernel has page tables.
    ///
    /// @return 0 if the kernel leaves the MMU off: then every address is mapped at `PV_OFFSET` from its physical address,
    ///         and only cached memory can be mapped. Otherwise not 0.
    ///
    /// @note Context: any
    pub fn rt_dma_port_has_page_tables() -> c_int;

    /// @brief Returns `PV_OFFSET`: the physical address minus the virtual address, in the linear map.
    ///
    /// @return `PV_OFFSET`.
    ///
    /// @note Context: any
    pub fn rt_dma_port_pv_offset() -> usize;

    /// @brief Maps whole pages write-back cached (`rt_aspace_map_phy`), if the kernel can. It maps nothing where the
    /// revision leaves the linear map to the boot code.
    ///
    /// @param[in] va The virtual address, at which nothing is mapped.
    /// @param[in] pa The physical address.
    /// @param[in] size Bytes, whole pages.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_map_linear(va: *mut c_void, pa: usize, size: usize);

    /// @brief Removes a mapping of `rt_dma_port_map_linear` (`rt_aspace_unmap`).
    ///
    /// @param[in] va The virtual address at which it begins.
    /// @param[in] size Bytes, all that was mapped.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_unmap_linear(va: *mut c_void, size: usize);

    /// @brief Maps whole pages at an address that the kernel chooses (`rt_ioremap_cached`, `rt_ioremap_nocache`,
    /// `rt_ioremap_wt`).
    ///
    /// @param[in] pa The physical address.
    /// @param[in] size Bytes, whole pages.
    /// @param[in] memory RT_DMA_PORT_CACHED, RT_DMA_PORT_UNCACHED or RT_DMA_PORT_WRITE_THROUGH.
    /// @return The address, or null on failure. Without page tables: the linear address for RT_DMA_PORT_CACHED, null
    ///         for other memory.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> *mut c_void;

    /// @brief Removes a mapping (`rt_iounmap`).
    ///
    /// @param[in] va What `rt_dma_port_map` returned.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_unmap(va: *mut c_void);

    // Data cache

    /// @brief Maintains the data cache (`rt_hw_cpu_dcache_ops`). The operation is complete when the call returns.
    ///
    /// @param[in] operation RT_DMA_PORT_FLUSH, RT_DMA_PORT_INVALIDATE or RT_DMA_PORT_FLUSH_AND_DROP.
    /// @param[in] va The first byte.
    /// @param[in] size Bytes, not zero.
    ///
    /// @note Context: any
    pub fn rt_dma_port_cache(operation: c_int, va: *mut c_void, size: c_int);

    /// @brief Returns the size of the largest line of any cache of the system.
    ///
    /// @return Bytes, a power of two.
    ///
    /// @note Context: any
    pub fn rt_dma_port_cache_line_max() -> usize;

    // Contexts

    /// @brief Masks interrupts on this core. Calls nest.
    ///
    /// @return The value for `rt_dma_port_irq_restore`.
    ///
    /// @note Context: any
    #[allow(dead_code)] // On aarch64, `irq` does it inline.
    pub fn rt_dma_port_irq_save() -> usize;

    /// @brief Undoes one `rt_dma_port_irq_save`.
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any
    #[allow(dead_code)] // On aarch64, `irq` does it inline.
    pub fn rt_dma_port_irq_restore(saved: usize);

    /// @brief Excludes all other code on every core, for the crate critical-section (`rt_hw_interrupt_disable`).
    ///
    /// @return The value for `rt_dma_port_critical_exit`.
    ///
    /// @note Context: any
    pub fn rt_dma_port_critical_enter() -> usize;

    /// @brief Undoes one `rt_dma_port_critical_enter` (`rt_hw_interrupt_enable`).
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any
    pub fn rt_dma_port_critical_exit(saved: usize);

    /// @brief Returns whether the caller must not sleep.
    ///
    /// @return Not 0 in an interrupt, and in a thread with interrupts masked or the scheduler locked; otherwise 0.
    ///
    /// @note Context: any
    pub fn rt_dma_port_is_atomic() -> c_int;

    /// @brief Lets other threads run for a tick (`rt_thread_mdelay(1)`). The scheduler is running.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_pause();

    // Boot memory

    /// @brief Finds a region in which boot pools can be made.
    ///
    /// In revision r1, all regions of the list are counted, and one without a name is returned as empty. In revision
    /// r2, the regions of `rt_memblock_get_reserved()` are counted that are in use, not hot-pluggable, and named
    /// "dma-pool".
    ///
    /// @param[in] list In revision r1, the list of the caller of `rt_dma_pool_extract`. Otherwise ignored.
    /// @param[in] index The index of the region.
    /// @return The address of the region's `rt_region_t`; RT_DMA_PORT_END after the last; RT_DMA_PORT_INVALID if a
    ///         list is needed and there is none; RT_DMA_PORT_ABSENT without memblock.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_reserved(list: *const rt_dma_port_list, index: usize) -> usize;

    /// @brief Makes a region of a caller's list begin at `end`, unless it ends there or no longer begins at `start`.
    /// A region of memblock is not written.
    ///
    /// @param[in] region What `rt_dma_port_reserved` returned.
    /// @param[in] start Where the region began.
    /// @param[in] end One past the last byte that pools cover.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_consume(region: *mut c_void, start: usize, end: usize);
}
