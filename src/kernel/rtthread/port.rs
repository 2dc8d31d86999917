//! The functions and constants that `rtthread-port/` implements. `include/rt_dma_port.h` is generated from these
//! declarations, and the port includes it, so that the two sides cannot differ.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::{c_char, c_int, c_void};

use crate::kernel::MemoryType;
use crate::log::Level;

/// The result of a translation for an address that is not mapped or not reachable.
pub const RT_DMA_PORT_UNMAPPED: usize = !0;

/// Memory type: write-back cached.
pub const RT_DMA_PORT_CACHED: c_int = 0;
/// Memory type: not cached.
pub const RT_DMA_PORT_UNCACHED: c_int = 1;
/// Memory type: write-through.
pub const RT_DMA_PORT_WRITE_THROUGH: c_int = 2;

/// Cache operation: write dirty lines to memory (`RT_HW_CACHE_FLUSH`).
pub const RT_DMA_PORT_FLUSH: c_int = 1;
/// Cache operation: drop lines (`RT_HW_CACHE_INVALIDATE`).
pub const RT_DMA_PORT_INVALIDATE: c_int = 2;
/// Cache operation: write dirty lines to memory and drop them, in one step, so that a write to a line meanwhile is not
/// lost.
pub const RT_DMA_PORT_FLUSH_AND_DROP: c_int = 3;

/// Severity of a log line: an error (`LOG_E`).
pub const RT_DMA_PORT_ERROR: c_int = 0;
/// Severity of a log line: a warning (`LOG_W`).
pub const RT_DMA_PORT_WARNING: c_int = 1;

/// The entry was found.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// The caller of `rt_dma_pool_extract` passed no list.
pub const RT_DMA_PORT_INVALID: c_int = 1;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 2;
/// The list ends before the index.
pub const RT_DMA_PORT_END: c_int = 3;
/// The entry exists, but cannot be read.
pub const RT_DMA_PORT_UNREADABLE: c_int = 4;

/// `memory-region` refers to no node.
pub const RT_DMA_PORT_NO_NODE: c_int = 5;
/// The node's `status` is neither absent, `okay` nor `ok`.
pub const RT_DMA_PORT_DISABLED: c_int = 6;
/// The node has no `reg`.
pub const RT_DMA_PORT_NO_REG: c_int = 7;
/// The page allocator owns a part of the region.
pub const RT_DMA_PORT_NOT_RESERVED: c_int = 8;

// cbindgen accepts only literals. These are the values of the enums.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
        && RT_DMA_PORT_ERROR == Level::Error as c_int
        && RT_DMA_PORT_WARNING == Level::Warning as c_int
);

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A region of reserved memory to which a device's node refers in `memory-region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_named_region {
    /// First and last byte.
    pub place: rt_dma_port_region,
    /// 1 if its node has `no-map`.
    pub no_map: c_int,
    /// 1 if its node has `reusable`.
    pub reusable: c_int,
}

/// The list of `rt_region_t` that the caller of `rt_dma_pool_extract` passes in revision r1; ignored in revision r2.
#[repr(C)]
pub struct rt_dma_port_list {
    /// The first region, or null.
    pub start: *const c_void,
    /// Number of regions.
    pub length: usize,
}

/// A DMA window of a PCI host bridge: the first members of a `struct rt_pci_bus_region`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rt_dma_port_window {
    /// First byte, as an address of the device.
    pub bus: u64,
    /// First byte, as an address of the processor.
    pub cpu: u64,
    /// Size in bytes.
    pub size: u64,
}

/// The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
/// configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: i16,
    /// `-RT_EINVAL`
    pub inval: i16,
    /// `-RT_ENOSYS`
    pub nosys: i16,
    /// `-RT_EEMPTY`
    pub empty: i16,
    /// `-RT_ENOMEM`
    pub nomem: i16,
    /// `-RT_EBUSY`
    pub busy: i16,
    /// `-RT_ERROR`
    pub error: i16,
    /// `-RT_EIO`
    pub io: i16,
}

/// Constants of the BSP's configuration.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// Largest size, in MiB, of a pool that is mapped as a whole for its uncached or write-through buffers; 0 to 32,767.
    pub view_limit: i16,
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes.
    pub revision: i16,
    /// Offset of `dma_ops` in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// Size of the largest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`), in bytes; 0 if it states none.
    pub stated_cache_line: u16,
}

unsafe extern "C" {
    /// The constants of the BSP's configuration. (cbindgen leaves this out; `tests/headers.rs` declares it.)
    pub static rt_dma_port_configuration: rt_dma_port_configuration;

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
    /// @param[in] size Bytes.
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
    pub fn rt_dma_port_irq_save() -> usize;

    /// @brief Undoes one `rt_dma_port_irq_save`.
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any
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

    // Devices

    /// @brief Returns a device's name (`rt_dm_dev_get_name`), or that of its device-tree node.
    ///
    /// @param[in] dev The device.
    /// @return The name; null if the device has no name and no node.
    ///
    /// @note Context: any
    pub fn rt_dma_port_device_name(dev: *mut c_void) -> *const c_char;

    /// @brief Returns whether a device is coherent (`rt_dma_device_is_coherent`).
    ///
    /// @param[in] dev The device.
    /// @return Not 0 if it is.
    ///
    /// @note Context: any
    pub fn rt_dma_port_device_is_coherent(dev: *mut c_void) -> c_int;

    /// @brief Sets `dev->dma_ops` with release, if it is null.
    ///
    /// @param[in] dev The device.
    /// @param[in] ops The map operations.
    ///
    /// @note Context: any
    pub fn rt_dma_port_device_choose_ops(dev: *mut c_void, ops: *const c_void);

    /// @brief Sets `dev->dma_ops` with release.
    ///
    /// @param[in] dev The device.
    /// @param[in] ops The map operations.
    ///
    /// @note Context: any
    pub fn rt_dma_port_device_set_ops(dev: *mut c_void, ops: *const c_void);

    /// @brief Returns a device's device-tree node.
    ///
    /// @param[in] dev The device.
    /// @return The node; null if the device has none.
    ///
    /// @note Context: any
    pub fn rt_dma_port_node(dev: *mut c_void) -> *const c_void;

    /// @brief Reads one entry of the `memory-region` of a device's node.
    ///
    /// @param[in] dev The device.
    /// @param[in] index The index in the property.
    /// @param[out] region The region, if the entry was found.
    /// @retval RT_DMA_PORT_FOUND The region was filled in.
    /// @retval RT_DMA_PORT_END The property has no such entry.
    /// @retval RT_DMA_PORT_NO_NODE The entry refers to no node.
    /// @retval RT_DMA_PORT_DISABLED The node is disabled.
    /// @retval RT_DMA_PORT_NO_REG The node has no `reg`.
    /// @retval RT_DMA_PORT_UNREADABLE The `reg` is malformed, or beyond what the processor can address.
    /// @retval RT_DMA_PORT_NOT_RESERVED The page allocator owns a part of the region.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_memory_region(dev: *mut c_void, index: usize, region: *mut rt_dma_port_named_region) -> c_int;

    /// @brief Finds the next node above that of a device with a non-empty `dma-ranges`.
    ///
    /// @param[in] dev The device, which has a node.
    /// @return The node; null if there is none.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_dma_ranges(dev: *mut c_void) -> *const c_void;

    /// @brief Translates a physical address for a device (`rt_ofw_translate_cpu2dma`).
    ///
    /// @param[in] dev The device, which has a node.
    /// @param[in] pa The physical address.
    /// @param[out] last The last address, not below `pa`, up to which the result holds: the device's addresses rise
    ///        with the physical ones up to it, or no range covers any of them.
    /// @return The device's address; RT_DMA_PORT_UNMAPPED if no range of the bus above the device covers `pa`.
    ///
    /// @note Context: thread first, then any. The first call for a bus reads its ranges.
    pub fn rt_dma_port_bus_address(dev: *mut c_void, pa: usize, last: *mut usize) -> usize;

    /// @brief Translates a device's address (`rt_ofw_translate_dma2cpu`).
    ///
    /// @param[in] dev The device, which has a node.
    /// @param[in] handle The device's address.
    /// @return The physical address; RT_DMA_PORT_UNMAPPED if the processor has no such address.
    ///
    /// @note Context: thread first, then any. The first call for a bus reads its ranges.
    pub fn rt_dma_port_cpu_address(dev: *mut c_void, handle: usize) -> usize;

    /// @brief Finds a DMA window of the host bridge of a device on bus "pci".
    ///
    /// @param[in] dev The device.
    /// @param[in] index The index of the window.
    /// @return The window, to be read at once; null if there is none.
    ///
    /// @note Context: any
    pub fn rt_dma_port_bus_window(dev: *mut c_void, index: usize) -> *const rt_dma_port_window;

    // Text

    /// @brief Writes a line to the log under the tag "dma.pool": `name`, a colon, and the formatted text. Where the
    /// caller may not sleep, it writes nothing.
    ///
    /// @param[in] level RT_DMA_PORT_ERROR or RT_DMA_PORT_WARNING.
    /// @param[in] name The name; if it is null, the line begins with the address `dev`.
    /// @param[in] format A `printf` format of `%s`, `%lu` and `%lx`, at most four of them.
    /// @param[in] a First argument of the format; 0 if there is none.
    /// @param[in] b Second argument.
    /// @param[in] c Third argument.
    /// @param[in] d Fourth argument.
    /// @param[in] dev The address of the device that the line is about, or 0.
    ///
    /// @note Context: any
    pub fn rt_dma_port_log(
        level: c_int,
        name: *const c_char,
        format: *const c_char,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        dev: usize,
    );

    /// @brief Logs that memory is reserved (`LOG_I`).
    ///
    /// @param[in] start The first byte.
    /// @param[in] name The name of the pool.
    /// @param[in] size Bytes.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_log_reserved(start: usize, name: *const c_char, size: usize);

    /// @brief Prints text to the shell (`rt_kprintf`).
    ///
    /// @param[in] format A `printf` format of `%s`, `%lu` and `%lx`, at most six of them.
    /// @param[in] a First argument of the format; 0 if there is none.
    /// @param[in] b Second argument.
    /// @param[in] c Third argument.
    /// @param[in] d Fourth argument.
    /// @param[in] e Fifth argument.
    /// @param[in] f Sixth argument.
    ///
    /// @note Context: thread
    pub fn rt_dma_port_print(
        format: *const c_char,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        f: usize,
    );
}
