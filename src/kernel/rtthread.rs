//! [`Kernel`] over RT-Thread: the functions that `rtthread-port/` supplies, and what little stands between them and
//! the trait.
//!
//! `include/rt_dma_port.h` is made from the declarations below, and the port includes it, so that the two cannot
//! disagree.

#![allow(unsafe_code)]

mod reserved_memory;

use core::ffi::{c_char, c_int, c_void};

use super::{
    BusWindow, Device, Entry, Kernel, Level, Line, MemoryType, Name, NamedRegion, PAGE_SIZE, Pa, ReservedRegion, Va,
};

/// What `rt_kmem_v2p` answers for an address that is not mapped, as the port hands it on.
pub const RT_DMA_PORT_UNMAPPED: usize = !0;

/// Write-back cached memory.
pub const RT_DMA_PORT_CACHED: c_int = 0;
/// Uncached memory.
pub const RT_DMA_PORT_UNCACHED: c_int = 1;
/// Write-through memory.
pub const RT_DMA_PORT_WRITE_THROUGH: c_int = 2;

/// A line of `LOG_E`.
pub const RT_DMA_PORT_ERROR: c_int = 0;
/// A line of `LOG_W`.
pub const RT_DMA_PORT_WARNING: c_int = 1;
/// A line of `LOG_I`.
pub const RT_DMA_PORT_INFO: c_int = 2;

/// An entry was found and filled in.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// The list ends before that index.
pub const RT_DMA_PORT_END: c_int = 1;
/// There is an entry, but it cannot be read.
pub const RT_DMA_PORT_UNREADABLE: c_int = 2;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 3;

// cbindgen takes only literals; the enums mean the same.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
        && RT_DMA_PORT_ERROR == Level::Error as c_int
        && RT_DMA_PORT_WARNING == Level::Warning as c_int
        && RT_DMA_PORT_INFO == Level::Info as c_int
);

/// A range of physical memory, as the port reports it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Reserved list: 1 if the node is in use, not hot-pluggable and named "dma-pool".
    pub usable: c_int,
    /// `memory-region`: 1 if the node says `no-map`.
    pub no_map: c_int,
    /// `memory-region`: 1 if the node says `reusable`.
    pub reusable: c_int,
}

/// A DMA window of a PCI host bridge, as the port reports it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct rt_dma_port_window {
    /// First byte as the processor sees it.
    pub cpu: u64,
    /// First byte as the device sees it.
    pub bus: u64,
    /// Bytes.
    pub size: u64,
}

/// The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`): their values depend on its configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: isize,
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EINVAL`
    pub inval: isize,
    /// `-RT_ENOSYS`
    pub nosys: isize,
    /// `-RT_EEMPTY`
    pub empty: isize,
    /// `-RT_ENOMEM`
    pub nomem: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_EIO`
    pub io: isize,
}

unsafe extern "C" {
    /// The BSP's error numbers: a constant. Any context.
    fn rt_dma_port_error_numbers() -> *const rt_dma_port_errors;
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes. Any context.
    fn rt_dma_port_revision() -> c_int;
    /// Bytes up to which a pool is mapped as a whole for its uncached or write-through buffers. Any context.
    fn rt_dma_port_view_limit() -> usize;

    /// `rt_calloc(1, size)`. Thread.
    fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;
    /// `rt_free`. Thread.
    fn rt_dma_port_heap_free(memory: *mut c_void);

    /// `rt_kmem_v2p`; RT_DMA_PORT_UNMAPPED if nothing is mapped there. Any context.
    fn rt_dma_port_v2p(va: *mut c_void) -> usize;
    /// `pa - PV_OFFSET`. Any context.
    fn rt_dma_port_linear(pa: usize) -> *mut c_void;
    /// Maps whole pages write-back cached at their linear address with `rt_aspace_map_phy`; 0 on success, -1 on failure
    /// and where the revision leaves the linear map to its boot code. Thread.
    fn rt_dma_port_map_linear(pa: usize, size: usize) -> c_int;
    /// `rt_ioremap_cached` (RT_DMA_PORT_CACHED), `rt_ioremap_nocache` (RT_DMA_PORT_UNCACHED), `rt_ioremap_wt`
    /// (RT_DMA_PORT_WRITE_THROUGH); null on failure. Thread.
    fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> *mut c_void;
    /// `rt_iounmap`. Thread.
    fn rt_dma_port_unmap(va: *mut c_void);

    /// `rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, ...)`. Any context.
    fn rt_dma_port_cache_flush(va: *mut c_void, size: c_int);
    /// `rt_hw_cpu_dcache_ops(RT_HW_CACHE_INVALIDATE, ...)`. Any context.
    fn rt_dma_port_cache_invalidate(va: *mut c_void, size: c_int);
    /// Bytes in a line of the data cache. Any context.
    fn rt_dma_port_cache_line() -> usize;

    /// Masks interrupts on this core and says what to give to `rt_dma_port_irq_restore`. Any context.
    fn rt_dma_port_irq_save() -> usize;
    /// Undoes one `rt_dma_port_irq_save`. Any context.
    fn rt_dma_port_irq_restore(saved: usize);
    /// `rt_hw_interrupt_disable`: excludes every core (for the critical-section crate). Any context.
    fn rt_dma_port_critical_enter() -> usize;
    /// `rt_hw_interrupt_enable`. Any context.
    fn rt_dma_port_critical_exit(saved: usize);
    /// 1 in a thread with interrupts on, or before the scheduler runs; 0 in an interrupt or with interrupts off. Any
    /// context.
    fn rt_dma_port_can_sleep() -> c_int;
    /// Lets other threads run for a tick (`rt_thread_mdelay(1)`); returns at once before the scheduler runs. Thread.
    fn rt_dma_port_pause();

    /// Fills in entry `index` of `rt_memblock_get_reserved()`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END, or
    /// RT_DMA_PORT_ABSENT without memblock. Thread.
    fn rt_dma_port_reserved(index: usize, region: *mut rt_dma_port_region) -> c_int;

    /// `rt_dm_dev_get_name`; may be null. Any context.
    fn rt_dma_port_device_name(dev: *mut c_void) -> *const c_char;
    /// `rt_dma_device_is_coherent`. Any context.
    fn rt_dma_port_device_is_coherent(dev: *mut c_void) -> c_int;
    /// `dev->dma_ops`. Any context.
    pub fn rt_dma_port_device_ops(dev: *mut c_void) -> *const c_void;
    /// `dev->dma_ops = ops`. Any context.
    pub fn rt_dma_port_device_set_ops(dev: *mut c_void, ops: *const c_void);

    /// 1 if the device has a device-tree node. Any context.
    fn rt_dma_port_has_node(dev: *mut c_void) -> c_int;
    /// Fills in region `index` of the node's `memory-region`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END or
    /// RT_DMA_PORT_UNREADABLE. Thread.
    fn rt_dma_port_memory_region(dev: *mut c_void, index: usize, region: *mut rt_dma_port_region) -> c_int;
    /// 1 if a node above the device's has a non-empty `dma-ranges`. Thread.
    fn rt_dma_port_has_dma_ranges(dev: *mut c_void) -> c_int;
    /// `rt_ofw_translate_cpu2dma`; RT_DMA_PORT_UNMAPPED where no range covers `pa`. Any context.
    fn rt_dma_port_cpu_to_dma(dev: *mut c_void, pa: usize) -> usize;
    /// `rt_ofw_translate_dma2cpu`; RT_DMA_PORT_UNMAPPED where no range covers `handle`. Any context.
    fn rt_dma_port_dma_to_cpu(dev: *mut c_void, handle: usize) -> usize;
    /// Fills in DMA window `index` of the host bridge of a device on bus "pci"; RT_DMA_PORT_FOUND or RT_DMA_PORT_END.
    /// Any context.
    fn rt_dma_port_bus_window(dev: *mut c_void, index: usize, window: *mut rt_dma_port_window) -> c_int;

    /// One line in the log under the tag "dma.pool". `format` takes `name`, then the words. Thread.
    fn rt_dma_port_log(
        level: c_int,
        format: *const c_char,
        name: *const c_char,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
    );
    /// One line for the shell. `format` takes `name`, then the words, then `tail`. Thread.
    fn rt_dma_port_print(
        format: *const c_char,
        name: *const c_char,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        tail: *const c_char,
    );
}

/// aarch64's `rt_hw_mmu_map` lays blocks of this many bytes where the virtual address and the length allow it, and
/// does not look at the physical address: the block then maps the wrong memory, and is never unmapped.
const BLOCK_SIZE: usize = 2 << 20;

/// The most bytes that one cache operation takes: its length is an `int`.
const CACHE_OP_MAX: usize = 1 << 30;

/// The BSP's error numbers.
#[inline(always)]
pub fn errors() -> &'static rt_dma_port_errors {
    // SAFETY: the port's constant.
    unsafe { &*rt_dma_port_error_numbers() }
}

/// The revision of the interface that the BSP's headers declare.
pub fn revision() -> c_int {
    // SAFETY: takes nothing, changes nothing.
    unsafe { rt_dma_port_revision() }
}

/// RT-Thread, through the port.
#[derive(Clone, Copy)]
pub struct RtThread;

fn pointer(address: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(address)
}

fn unless_unmapped(address: usize) -> Option<usize> {
    (address != RT_DMA_PORT_UNMAPPED).then_some(address)
}

/// Splits a cache operation into pieces that an `int` can count.
fn in_pieces(mut va: Va, mut size: usize, operation: unsafe extern "C" fn(*mut c_void, c_int)) {
    while size != 0 {
        let piece = size.min(CACHE_OP_MAX);
        // SAFETY: the core hands over mapped memory; the operation changes no contents that a program can see but
        // through the device.
        unsafe { operation(pointer(va), piece as c_int) };
        va = va.wrapping_add(piece);
        size -= piece;
    }
}

// SAFETY for every block below: the port keeps what its header says of each function, and takes any value of the types
// it declares; devices are pointers that a C caller handed in as such.
impl Kernel for RtThread {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: see above.
        unsafe { rt_dma_port_heap_alloc(size).cast() }
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        // SAFETY: the caller says that it came from `heap_alloc` and is not used any more.
        unsafe { rt_dma_port_heap_free(memory.cast()) }
    }

    #[inline(always)]
    fn v2p(&self, va: Va) -> Option<Pa> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_v2p(pointer(va)) })
    }

    fn linear(&self, pa: Pa) -> Va {
        // SAFETY: see above.
        unsafe { rt_dma_port_linear(pa) }.expose_provenance()
    }

    fn map_linear(&self, pa: Pa, size: usize) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_map_linear(pa, size) == 0 }
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        let in_blocks = size.is_multiple_of(BLOCK_SIZE) && !pa.is_multiple_of(BLOCK_SIZE);
        let size = if in_blocks { size.checked_add(PAGE_SIZE)? } else { size };
        // SAFETY: see above.
        let va = unsafe { rt_dma_port_map(pa, size, memory as c_int) }.expose_provenance();
        (va != 0).then_some(va)
    }

    fn unmap(&self, va: Va) {
        // SAFETY: see above.
        unsafe { rt_dma_port_unmap(pointer(va)) }
    }

    fn copy(&self, to: Va, from: Va, size: usize) {
        // SAFETY: the core hands over mapped memory: a driver's, which the driver gave for this, and the library's own.
        unsafe { super::copy::copy_aligned(pointer(to).cast(), pointer(from).cast(), size) }
    }

    fn view_limit(&self) -> usize {
        // SAFETY: see above.
        unsafe { rt_dma_port_view_limit() }
    }

    fn cache_flush(&self, va: Va, size: usize) {
        in_pieces(va, size, rt_dma_port_cache_flush);
    }

    fn cache_flush_and_drop(&self, va: Va, size: usize) {
        if cfg!(target_arch = "aarch64") {
            return self.cache_flush(va, size);
        }
        // `RT_HW_CACHE_FLUSH` is a clean without an invalidate (libcpu/arm/cortex-a/cache.c, libcpu/risc-v/t-head/c906).
        let saved = self.irq_save();
        self.cache_flush(va, size);
        self.cache_invalidate(va, size);
        self.irq_restore(saved);
    }

    fn cache_invalidate(&self, va: Va, size: usize) {
        in_pieces(va, size, rt_dma_port_cache_invalidate);
    }

    fn cache_line(&self) -> usize {
        // SAFETY: see above.
        unsafe { rt_dma_port_cache_line() }
    }

    #[inline(always)]
    fn irq_save(&self) -> usize {
        // SAFETY: see above.
        unsafe { rt_dma_port_irq_save() }
    }

    #[inline(always)]
    fn irq_restore(&self, saved: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_irq_restore(saved) }
    }

    fn can_sleep(&self) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_can_sleep() != 0 }
    }

    fn pause(&self) {
        // SAFETY: see above.
        unsafe { rt_dma_port_pause() }
    }

    fn reserved(&self, index: usize) -> Option<Entry<ReservedRegion>> {
        let mut region = rt_dma_port_region::default();
        // SAFETY: see above; the region is ours.
        match unsafe { rt_dma_port_reserved(index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                Some(Entry::Found(ReservedRegion { start: region.start, end: region.end, usable: region.usable != 0 }))
            }
            RT_DMA_PORT_ABSENT => None,
            _ => Some(Entry::End),
        }
    }

    fn device_name(&self, device: Device) -> Name {
        // SAFETY: see above.
        Name(unsafe { rt_dma_port_device_name(pointer(device.0)) })
    }

    fn is_coherent(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_device_is_coherent(pointer(device.0)) != 0 }
    }

    fn has_node(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_has_node(pointer(device.0)) != 0 }
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        let mut region = rt_dma_port_region::default();
        // SAFETY: see above; the region is ours.
        match unsafe { rt_dma_port_memory_region(pointer(device.0), index, &mut region) } {
            RT_DMA_PORT_FOUND => Entry::Found(NamedRegion {
                start: region.start,
                end: region.end,
                no_map: region.no_map != 0,
                reusable: region.reusable != 0,
            }),
            RT_DMA_PORT_UNREADABLE => Entry::Unreadable,
            _ => Entry::End,
        }
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_has_dma_ranges(pointer(device.0)) != 0 }
    }

    fn cpu_to_dma(&self, device: Device, pa: Pa) -> Option<usize> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_cpu_to_dma(pointer(device.0), pa) })
    }

    fn dma_to_cpu(&self, device: Device, handle: usize) -> Option<Pa> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_dma_to_cpu(pointer(device.0), handle) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        let mut window = rt_dma_port_window::default();
        // SAFETY: see above; the window is ours.
        match unsafe { rt_dma_port_bus_window(pointer(device.0), index, &mut window) } {
            RT_DMA_PORT_FOUND => Entry::Found(BusWindow { cpu: window.cpu, bus: window.bus, size: window.size }),
            _ => Entry::End,
        }
    }

    fn log(&self, level: Level, line: &Line) {
        let [a, b, c, d, e] = line.values;
        // SAFETY: see above; the core's formats name what they are given (see `Line`).
        unsafe { rt_dma_port_log(level as c_int, line.format.as_ptr(), line.name.0, a, b, c, d, e) }
    }

    fn print(&self, line: &Line, tail: Name) {
        let [a, b, c, d, e] = line.values;
        // SAFETY: as for `log`.
        unsafe { rt_dma_port_print(line.format.as_ptr(), line.name.0, a, b, c, d, e, tail.0) }
    }
}

struct EveryCore;
critical_section::set_impl!(EveryCore);

// SAFETY: `rt_hw_interrupt_disable` masks interrupts, and under SMP takes the kernel's global lock, which nests.
unsafe impl critical_section::Impl for EveryCore {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: see above.
        unsafe { rt_dma_port_critical_enter() }
    }

    unsafe fn release(saved: critical_section::RawRestoreState) {
        // SAFETY: see above.
        unsafe { rt_dma_port_critical_exit(saved) }
    }
}
