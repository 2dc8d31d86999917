//! [`Kernel`] over RT-Thread: the functions that `rtthread-port/` supplies, and what little stands between them and
//! the trait.
//!
//! `include/rt_dma_port.h` is made from the declarations below, and the port includes it, so that the two cannot
//! disagree.

#![allow(unsafe_code)]

mod reserved_memory;

use core::ffi::{c_char, c_int, c_void};
use core::mem::{MaybeUninit, offset_of};

use crate::abi::rt_region_t;
use crate::error::Error;

use super::{
    BusWindow, Device, Entry, Kernel, Level, Line, MemoryType, Name, NamedRegion, PAGE_SIZE, Pa, RegionList, Va,
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
/// Text for the shell.
pub const RT_DMA_PORT_SHELL: c_int = 3;

/// An entry was found and filled in.
pub const RT_DMA_PORT_FOUND: c_int = 0;
/// The list ends before that index.
pub const RT_DMA_PORT_END: c_int = 1;
/// There is an entry, but it cannot be read.
pub const RT_DMA_PORT_UNREADABLE: c_int = 2;
/// The kernel is built without the service.
pub const RT_DMA_PORT_ABSENT: c_int = 3;

/// The region's node says `no-map`.
pub const RT_DMA_PORT_NO_MAP: c_int = 16;
/// The region's node says `reusable`.
pub const RT_DMA_PORT_REUSABLE: c_int = 1;

// cbindgen takes only literals; the enums mean the same.
const _: () = assert!(
    RT_DMA_PORT_CACHED == MemoryType::Cached as c_int
        && RT_DMA_PORT_UNCACHED == MemoryType::Uncached as c_int
        && RT_DMA_PORT_WRITE_THROUGH == MemoryType::WriteThrough as c_int
        && RT_DMA_PORT_ERROR == Level::Error as c_int
        && RT_DMA_PORT_WARNING == Level::Warning as c_int
        && RT_DMA_PORT_INFO == Level::Info as c_int
        && RT_DMA_PORT_SHELL == Level::Shell as c_int
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
    /// Bytes up to which a pool is mapped as a whole for its uncached or write-through buffers.
    pub view_limit: usize,
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes.
    pub revision: i16,
}

unsafe extern "C" {
    // cbindgen leaves it out; `tests/headers.rs` declares it.
    static rt_dma_port_configuration: rt_dma_port_configuration;

    /// `rt_calloc(1, size)`. Thread.
    fn rt_dma_port_heap_alloc(size: usize) -> *mut c_void;
    /// `rt_free`. Thread.
    fn rt_dma_port_heap_free(memory: *mut c_void);

    /// `rt_kmem_v2p`; RT_DMA_PORT_UNMAPPED if nothing is mapped there. Any context.
    fn rt_dma_port_v2p(va: *mut c_void) -> usize;
    /// `PV_OFFSET`. Any context.
    fn rt_dma_port_pv_offset() -> usize;
    /// Maps whole pages write-back cached at `va` with `rt_aspace_map_phy`, if it can; not where the revision leaves the
    /// linear map to its boot code. Thread.
    fn rt_dma_port_map_linear(va: *mut c_void, pa: usize, size: usize);
    /// `rt_ioremap_cached` (RT_DMA_PORT_CACHED), `rt_ioremap_nocache` (RT_DMA_PORT_UNCACHED), `rt_ioremap_wt`
    /// (RT_DMA_PORT_WRITE_THROUGH); null on failure. Thread.
    fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> *mut c_void;
    /// `rt_iounmap`. Thread.
    fn rt_dma_port_unmap(va: *mut c_void);

    /// `rt_hw_cpu_dcache_ops` with RT_HW_CACHE_INVALIDATE, or with RT_HW_CACHE_FLUSH if `invalidate` is 0. Any context.
    fn rt_dma_port_cache(invalidate: c_int, va: *mut c_void, size: c_int);
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
    /// Lets other threads run for a tick (`rt_thread_mdelay(1)`). Thread, with the scheduler running.
    fn rt_dma_port_pause();

    /// Fills in entry `index` of the `rt_region_t` at `list`, which has one, where `rt_dma_pool_extract` is handed a list:
    /// without bytes if it has no name. Else of those in `rt_memblock_get_reserved()` that are in use, not hot-pluggable,
    /// and named "dma-pool". RT_DMA_PORT_FOUND, RT_DMA_PORT_END, or RT_DMA_PORT_ABSENT without memblock. Thread.
    fn rt_dma_port_reserved(list: *const c_void, index: usize, region: *mut rt_dma_port_region) -> c_int;

    /// `rt_dm_dev_get_name`; may be null. Any context.
    fn rt_dma_port_device_name(dev: *mut c_void) -> *const c_char;
    /// `rt_dma_device_is_coherent`. Any context.
    fn rt_dma_port_device_is_coherent(dev: *mut c_void) -> c_int;
    /// `dev->dma_ops`. Any context.
    pub fn rt_dma_port_device_ops(dev: *mut c_void) -> *const c_void;
    /// `dev->dma_ops = ops`. Any context.
    pub fn rt_dma_port_device_set_ops(dev: *mut c_void, ops: *const c_void);

    /// The device's device-tree node; null if it has none. Any context.
    fn rt_dma_port_node(dev: *mut c_void) -> *const c_void;
    /// Fills in region `index` of the node's `memory-region`, with zeros if it cannot be read, and says which of
    /// RT_DMA_PORT_NO_MAP and RT_DMA_PORT_REUSABLE hold; -1 behind the last. Thread.
    fn rt_dma_port_memory_region(dev: *mut c_void, index: usize, region: *mut rt_dma_port_region) -> c_int;
    /// 1 if a node above that of a device, which has one, has a non-empty `dma-ranges`. Thread.
    fn rt_dma_port_has_dma_ranges(dev: *mut c_void) -> c_int;
    /// `rt_ofw_translate_dma2cpu`, or `rt_ofw_translate_cpu2dma` if `to_cpu` is 0; RT_DMA_PORT_UNMAPPED where no range
    /// covers `address`. Any context.
    fn rt_dma_port_translate(dev: *mut c_void, address: usize, to_cpu: c_int) -> usize;
    /// Fills in DMA window `index` of the host bridge of a device on bus "pci"; RT_DMA_PORT_FOUND or RT_DMA_PORT_END.
    /// Any context.
    fn rt_dma_port_bus_window(dev: *mut c_void, index: usize, window: *mut rt_dma_port_window) -> c_int;

    /// `format` with the words that it asks for: a line in the log under the tag "dma.pool", or text for the shell; nothing
    /// where the caller may not sleep. Any context.
    fn rt_dma_port_say(format: *const c_char, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, level: c_int);
}

/// aarch64's `rt_hw_mmu_map` lays blocks of this many bytes where the virtual address and the length allow it, and
/// does not look at the physical address: the block then maps the wrong memory, and is never unmapped.
const BLOCK_SIZE: usize = 2 << 20;

/// The most bytes that one cache operation takes: its length is an `int`.
const CACHE_OP_MAX: usize = 1 << 30;

#[inline(always)]
fn configuration() -> &'static rt_dma_port_configuration {
    // SAFETY: the port's constant.
    unsafe { &rt_dma_port_configuration }
}

/// The BSP's error numbers, as C calls return them.
pub struct Errors {
    /// `RT_EOK`
    pub ok: isize,
    /// `-RT_EINVAL`
    pub inval: isize,
    /// `-RT_ENOSYS`
    pub nosys: isize,
    /// `-RT_EEMPTY`
    pub empty: isize,
    /// `-RT_ENOMEM`
    pub nomem: isize,
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_EIO`
    pub io: isize,
}

/// The BSP's error numbers.
#[inline(always)]
pub fn errors() -> Errors {
    let errors = &configuration().errors;
    Errors {
        ok: errors.ok.into(),
        inval: errors.inval.into(),
        nosys: errors.nosys.into(),
        empty: errors.empty.into(),
        nomem: errors.nomem.into(),
        error: errors.error.into(),
        busy: errors.busy.into(),
        io: errors.io.into(),
    }
}

/// The error number of what [`extract`](crate::extract) returns.
pub fn status(result: Result<(), Error>) -> isize {
    let number = result.map_or_else(|error| error as usize, |()| 0) % 8;
    // SAFETY: one of a struct of eight numbers, of which a pointer to the whole is good for each.
    unsafe { *(&raw const configuration().errors).cast::<i16>().add(number) }.into()
}

/// The revision of the interface that the BSP's headers declare.
pub fn revision() -> i16 {
    configuration().revision
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
#[inline(never)]
fn maintain(mut va: Va, mut size: usize, invalidate: bool) {
    while size != 0 {
        let piece = size.min(CACHE_OP_MAX);
        // SAFETY: the core hands over mapped memory; the operation changes no contents that a program can see but
        // through the device.
        unsafe { rt_dma_port_cache(invalidate as c_int, pointer(va), piece as c_int) };
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
        pa.wrapping_sub(unsafe { rt_dma_port_pv_offset() })
    }

    fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_map_linear(pointer(va), pa, size) }
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
        configuration().view_limit
    }

    fn cache_flush(&self, va: Va, size: usize) {
        maintain(va, size, false);
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
        maintain(va, size, true);
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

    fn region(&self, list: RegionList, index: usize) -> Result<(Pa, Pa), Error> {
        let mut region = MaybeUninit::uninit();
        // SAFETY: see above; the region is ours, and the list is as long as `extract`'s caller says.
        match unsafe { rt_dma_port_reserved(pointer(list.address), index, region.as_mut_ptr()) } {
            RT_DMA_PORT_FOUND => {
                // SAFETY: the port filled it in.
                let region = unsafe { region.assume_init() };
                Ok((region.start, region.end))
            }
            RT_DMA_PORT_ABSENT => Err(Error::NoList),
            _ => Err(Error::NoRegion),
        }
    }

    fn consume(&self, list: RegionList, index: usize, start: Pa, end: Pa) {
        let regions: *mut rt_region_t = core::ptr::with_exposed_provenance_mut(list.address);
        if regions.is_null() {
            return;
        }
        // SAFETY: the list of `extract`'s caller, which nobody else uses meanwhile; it has that entry.
        let region = unsafe { &mut *regions.add(index) };
        if region.start == start && end < region.end {
            region.start = end;
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
        unsafe { !rt_dma_port_node(pointer(device.0)).is_null() }
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        let mut region = MaybeUninit::uninit();
        // SAFETY: see above; the region is ours.
        let says = unsafe { rt_dma_port_memory_region(pointer(device.0), index, region.as_mut_ptr()) };
        if says < 0 {
            return Entry::End;
        }
        // SAFETY: the port filled it in.
        let rt_dma_port_region { start, end } = unsafe { region.assume_init() };
        let (no_map, reusable) = (says & RT_DMA_PORT_NO_MAP != 0, says & RT_DMA_PORT_REUSABLE != 0);
        Entry::Found(NamedRegion { start, end, no_map, reusable })
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_has_dma_ranges(pointer(device.0)) != 0 }
    }

    fn cpu_to_dma(&self, device: Device, pa: Pa) -> Option<usize> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_translate(pointer(device.0), pa, 0) })
    }

    fn dma_to_cpu(&self, device: Device, handle: usize) -> Option<Pa> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_translate(pointer(device.0), handle, 1) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        let mut window = rt_dma_port_window::default();
        // SAFETY: see above; the window is ours.
        match unsafe { rt_dma_port_bus_window(pointer(device.0), index, &mut window) } {
            RT_DMA_PORT_FOUND => Entry::Found(BusWindow { cpu: window.cpu, bus: window.bus, size: window.size }),
            _ => Entry::End,
        }
    }

    #[inline(always)]
    fn say(&self, level: Level, line: &Line) {
        let [a, b, c, d, e, f] = line.words;
        // SAFETY: see above; each word is what the format asks for (see `Line`).
        unsafe { rt_dma_port_say(line.format.as_ptr(), a, b, c, d, e, f, level as c_int) }
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
