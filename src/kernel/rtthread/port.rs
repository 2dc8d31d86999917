//! What `rtthread-port/` supplies. `include/rt_dma_port.h` is made from these declarations, and the port includes it, so that
//! the two cannot disagree.

use core::ffi::{c_char, c_int, c_void};
use core::mem::{MaybeUninit, offset_of};

use crate::error::Error;
use crate::kernel::MemoryType;
use crate::log::Level;

/// What `rt_kmem_v2p` answers for an address that is not mapped, as the port hands it on.
pub const RT_DMA_PORT_UNMAPPED: usize = !0;

/// Write-back cached memory.
pub const RT_DMA_PORT_CACHED: c_int = 0;
/// Uncached memory.
pub const RT_DMA_PORT_UNCACHED: c_int = 1;
/// Write-through memory.
pub const RT_DMA_PORT_WRITE_THROUGH: c_int = 2;

/// `RT_HW_CACHE_FLUSH`.
pub const RT_DMA_PORT_FLUSH: c_int = 1;
/// `RT_HW_CACHE_INVALIDATE`.
pub const RT_DMA_PORT_INVALIDATE: c_int = 2;
/// Clean and invalidate as one operation: nothing that is written to a line meanwhile is lost.
pub const RT_DMA_PORT_FLUSH_AND_DROP: c_int = 3;

/// A line of `LOG_E`.
pub const RT_DMA_PORT_ERROR: c_int = 0;
/// A line of `LOG_W`.
pub const RT_DMA_PORT_WARNING: c_int = 1;

/// An entry was found and filled in.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// There is no list.
pub const RT_DMA_PORT_INVALID: c_int = 1;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 2;
/// The list ends before that index.
pub const RT_DMA_PORT_END: c_int = 3;
/// There is an entry, but it cannot be read.
pub const RT_DMA_PORT_UNREADABLE: c_int = 4;

/// `memory-region` leads to no node.
pub const RT_DMA_PORT_NO_NODE: c_int = 5;
/// The node's `status` is neither absent, `okay` nor `ok`.
pub const RT_DMA_PORT_DISABLED: c_int = 6;
/// The node has no `reg`.
pub const RT_DMA_PORT_NO_REG: c_int = 7;
/// The page allocator owns a part of the region.
pub const RT_DMA_PORT_NOT_RESERVED: c_int = 8;

// cbindgen takes only literals; the enums mean the same.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
        && RT_DMA_PORT_ERROR == Level::Error as c_int
        && RT_DMA_PORT_WARNING == Level::Warning as c_int
);

/// A range of physical memory, as the port reports it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Reserved memory that a device's node names in `memory-region`, as the port reports it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_named_region {
    /// Its place.
    pub place: rt_dma_port_region,
    /// 1 if its node says `no-map`.
    pub no_map: c_int,
    /// 1 if its node says `reusable`.
    pub reusable: c_int,
}

/// The list of `rt_region_t` that `rt_dma_pool_extract` is handed, where it is handed one; else anything.
#[repr(C)]
pub struct rt_dma_port_list {
    /// Where it is, or null.
    pub start: *const c_void,
    /// Regions in it.
    pub length: usize,
}

/// A DMA window of a PCI host bridge: what a `struct rt_pci_bus_region` begins with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rt_dma_port_window {
    /// First byte as the device sees it.
    pub bus: u64,
    /// First byte as the processor sees it.
    pub cpu: u64,
    /// Bytes.
    pub size: u64,
}

/// The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`): their values depend on its configuration.
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

// `status` takes them by the number of the core's error; the first one is that of no error, and of the eighth.
const _: () = {
    const SIZE: usize = size_of::<i16>();
    assert!(size_of::<rt_dma_port_errors>() == 8 * SIZE && Error::High as usize == 8);
    assert!(offset_of!(rt_dma_port_errors, ok) == 0);
    assert!(offset_of!(rt_dma_port_errors, inval) == Error::BadSize as usize * SIZE);
    assert!(offset_of!(rt_dma_port_errors, nosys) == Error::NoList as usize * SIZE);
    assert!(offset_of!(rt_dma_port_errors, empty) == Error::NoRegion as usize * SIZE);
    assert!(offset_of!(rt_dma_port_errors, nomem) == Error::NoMemory as usize * SIZE);
    assert!(offset_of!(rt_dma_port_errors, busy) == Error::Context as usize * SIZE);
};

/// What the BSP's configuration says, once and for all.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// MiB up to which a pool is mapped as a whole for its uncached or write-through buffers; 0 to 32,767.
    pub view_limit: i16,
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes.
    pub revision: i16,
    /// Where `dma_ops` stands in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// Bytes in the longest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`); 0 if it states none.
    pub stated_cache_line: u16,
}

unsafe extern "C" {
    /// What the BSP's configuration says. (cbindgen leaves it out; `tests/headers.rs` declares it.)
    pub static rt_dma_port_configuration: rt_dma_port_configuration;

    /// `rt_calloc(size, 1)`. Thread.
    pub fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;
    /// `rt_free`. Thread.
    pub fn rt_dma_port_heap_free(memory: *mut c_void);

    /// `rt_kmem_v2p`; RT_DMA_PORT_UNMAPPED if nothing is mapped there. Without page tables `va + PV_OFFSET`. Any
    /// context.
    pub fn rt_dma_port_v2p(va: *mut c_void) -> usize;
    /// Not 0 if the kernel has page tables. 0 where it leaves the MMU off: then every address is mapped at
    /// `PV_OFFSET` from its physical address, and only cached memory can be mapped. Any context.
    pub fn rt_dma_port_has_page_tables() -> c_int;
    /// `PV_OFFSET`. Any context.
    pub fn rt_dma_port_pv_offset() -> usize;
    /// Maps whole pages write-back cached at `va` with `rt_aspace_map_phy`, if it can; not where the revision leaves the
    /// linear map to its boot code. Thread.
    pub fn rt_dma_port_map_linear(va: *mut c_void, pa: usize, size: usize);
    /// `rt_ioremap_cached` (RT_DMA_PORT_CACHED), `rt_ioremap_nocache` (RT_DMA_PORT_UNCACHED), `rt_ioremap_wt`
    /// (RT_DMA_PORT_WRITE_THROUGH); null on failure. Without page tables the linear address for RT_DMA_PORT_CACHED, else
    /// null. Thread.
    pub fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> *mut c_void;
    /// `rt_iounmap`. Thread.
    pub fn rt_dma_port_unmap(va: *mut c_void);

    /// `rt_hw_cpu_dcache_ops`: RT_DMA_PORT_FLUSH or RT_DMA_PORT_INVALIDATE; or RT_DMA_PORT_FLUSH_AND_DROP. Complete when it
    /// returns. Any context.
    pub fn rt_dma_port_cache(operation: c_int, va: *mut c_void, size: c_int);
    /// Bytes in the largest line of any cache of the system. Any context.
    pub fn rt_dma_port_cache_line_max() -> usize;

    /// Masks interrupts on this core and says what to give to `rt_dma_port_irq_restore`. Any context.
    pub fn rt_dma_port_irq_save() -> usize;
    /// Undoes one `rt_dma_port_irq_save`. Any context.
    pub fn rt_dma_port_irq_restore(saved: usize);
    /// `rt_hw_interrupt_disable`: excludes every core (for the critical-section crate). Any context.
    pub fn rt_dma_port_critical_enter() -> usize;
    /// `rt_hw_interrupt_enable`. Any context.
    pub fn rt_dma_port_critical_exit(saved: usize);
    /// Not 0 where the caller may not sleep: in an interrupt, or in a thread with interrupts or the scheduler off. Any context.
    pub fn rt_dma_port_is_atomic() -> c_int;
    /// Lets other threads run for a tick (`rt_thread_mdelay(1)`). Thread, with the scheduler running.
    pub fn rt_dma_port_pause();

    /// The address of entry `index` of the list, where `rt_dma_pool_extract` is handed one: of an empty one if it has no name.
    /// Else, whatever the list is, of those in `rt_memblock_get_reserved()` that are in use, not hot-pluggable, and named
    /// "dma-pool". Where there is none, RT_DMA_PORT_END, RT_DMA_PORT_INVALID without a list where one is needed, or
    /// RT_DMA_PORT_ABSENT without memblock. Thread.
    pub fn rt_dma_port_reserved(list: *const rt_dma_port_list, index: usize) -> usize;
    /// The region of such a list at an address that `rt_dma_port_reserved` gave begins at `end` from now on if it began at
    /// `start`, unless it ends there. Memblock's is not written. Thread.
    pub fn rt_dma_port_consume(region: *mut c_void, start: usize, end: usize);

    /// `rt_dm_dev_get_name`; if the device has no name, that of its device-tree node; null if it has none either. Any
    /// context.
    pub fn rt_dma_port_device_name(dev: *mut c_void) -> *const c_char;
    /// `rt_dma_device_is_coherent`. Any context.
    pub fn rt_dma_port_device_is_coherent(dev: *mut c_void) -> c_int;
    /// `dev->dma_ops = ops`, if it is null, written with release. Any context.
    pub fn rt_dma_port_device_choose_ops(dev: *mut c_void, ops: *const c_void);
    /// `dev->dma_ops = ops`, written with release. Any context.
    pub fn rt_dma_port_device_set_ops(dev: *mut c_void, ops: *const c_void);

    /// The device's device-tree node; null if it has none. Any context.
    pub fn rt_dma_port_node(dev: *mut c_void) -> *const c_void;
    /// Fills in region `index` of the node's `memory-region`. Returns RT_DMA_PORT_FOUND, RT_DMA_PORT_END if the property
    /// has no such entry, or why the entry leads to no memory: RT_DMA_PORT_NO_NODE, RT_DMA_PORT_DISABLED,
    /// RT_DMA_PORT_NO_REG, RT_DMA_PORT_UNREADABLE (a bad `reg`, or beyond what the processor can address),
    /// RT_DMA_PORT_NOT_RESERVED. Thread.
    pub fn rt_dma_port_memory_region(dev: *mut c_void, index: usize, region: *mut rt_dma_port_named_region) -> c_int;
    /// The next node above that of a device, which has one, with a non-empty `dma-ranges`; null if there is none. Thread.
    pub fn rt_dma_port_dma_ranges(dev: *mut c_void) -> *const c_void;
    /// Returns the device's address for `pa`, which is what `rt_ofw_translate_cpu2dma` returns; RT_DMA_PORT_UNMAPPED where
    /// no range of the bus above the device, which has a node, covers it. `*last` becomes the last address, not below
    /// `pa`, for which that holds: up to it the device's addresses rise with the physical ones, or no range covers any. Any
    /// context, but a thread for the first call for a bus.
    pub fn rt_dma_port_bus_address(dev: *mut c_void, pa: usize, last: *mut usize) -> usize;
    /// `rt_ofw_translate_dma2cpu`; RT_DMA_PORT_UNMAPPED where the processor has no such address. Any context, but a thread
    /// for the first call for a bus.
    pub fn rt_dma_port_cpu_address(dev: *mut c_void, handle: usize) -> usize;
    /// DMA window `index` of the host bridge of a device on bus "pci", to be read at once; null if there is none. Any
    /// context.
    pub fn rt_dma_port_bus_window(dev: *mut c_void, index: usize) -> *const rt_dma_port_window;

    /// A line in the log under the tag "dma.pool": the name, a colon, and `format` with the words that it asks for; nothing
    /// where the caller may not sleep. Where `name` is null, the line begins with the address `dev` of a device, unless that
    /// is 0. RT_DMA_PORT_ERROR or RT_DMA_PORT_WARNING. Any context.
    pub fn rt_dma_port_say(
        level: c_int,
        name: *const c_char,
        format: *const c_char,
        a: MaybeUninit<usize>,
        b: MaybeUninit<usize>,
        c: MaybeUninit<usize>,
        d: MaybeUninit<usize>,
        dev: usize,
    );
    /// A line of `LOG_I`: so many bytes from `start` on are set aside under that name. Thread.
    pub fn rt_dma_port_announce(start: usize, name: *const c_char, size: usize);
    /// `rt_kprintf`: `format` with the words that it asks for. Thread.
    pub fn rt_dma_port_print(
        format: *const c_char,
        a: MaybeUninit<usize>,
        b: MaybeUninit<usize>,
        c: MaybeUninit<usize>,
        d: MaybeUninit<usize>,
        e: MaybeUninit<usize>,
        f: MaybeUninit<usize>,
    );
}
