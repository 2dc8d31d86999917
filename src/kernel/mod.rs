//! The border to the operating system: one trait, [`Kernel`], is all the core needs from a kernel.
//!
//! The shipped library implements it over the C port (`rtthread.rs`, `rtthread-port/`); the tests implement it over a
//! memory file. The duties of the two sides:
//!
//! * **The implementer** says the truth: [`v2p`](Kernel::v2p) reports what the page tables hold, a mapping stays until
//!   it is unmapped, heap memory is zeroed and aligned for a pointer, and no method calls back into this library.
//! * **The caller** (the core) calls the methods marked *thread* only where [`can_sleep`](Kernel::can_sleep) is true,
//!   and never with a lock of this library held.

#[allow(unsafe_code)]
pub mod copy;
pub mod reserved_memory;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod rtthread;
#[cfg(test)]
pub(crate) mod testing;

use core::ffi::CStr;

use crate::error::Error;
use crate::log::{Level, Line, Name};

/// Physical address, in bytes.
pub type Pa = usize;
/// Kernel virtual address, in bytes.
pub type Va = usize;

/// Bytes in a page: `ARCH_PAGE_SIZE`. The port asserts that the BSP's headers say the same.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Base-two logarithm of [`PAGE_SIZE`]: `ARCH_PAGE_SHIFT`.
pub const PAGE_SHIFT: u32 = 12;

/// A device as the kernel knows it (`struct rt_device *`): an opaque address, never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device(pub usize);

/// How the processor sees memory through a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum MemoryType {
    /// Write-back cached: `rt_ioremap_cached`.
    Cached = 0,
    /// Not cached: `rt_ioremap_nocache` (Device memory on aarch64: aligned accesses only).
    Uncached = 1,
    /// Write-through, or Normal Non-cacheable where the architecture has no better: `rt_ioremap_wt`.
    WriteThrough = 2,
}

/// What a region of reserved memory that a device's node names in `memory-region` looks like
/// (Devicetree specification 0.4, §3.5, "/reserved-memory and child nodes").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// The node says `no-map`: the kernel must not map it linearly.
    pub no_map: bool,
    /// The node says `reusable`: others may use it while its owner does not.
    pub reusable: bool,
}

/// The list of regions that boot pools are carved out of: that of the caller of `rt_dma_pool_extract` where the interface
/// has one. Elsewhere it is the boot allocator's reserved list, and this one means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct RegionList {
    /// Its address, or 0.
    pub address: usize,
    /// Regions in it.
    pub length: usize,
}

impl RegionList {
    /// None: the boot allocator's reserved list is meant.
    pub const RESERVED: RegionList = RegionList { address: 0, length: 0 };
}

/// A region that boot pools may be carved out of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// Where the kernel keeps it: not zero.
    pub address: usize,
}

/// One window of a PCI host bridge through which its devices see memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusWindow {
    /// First byte as the processor sees it.
    pub cpu: u64,
    /// First byte as the device sees it.
    pub bus: u64,
    /// Bytes.
    pub size: u64,
}

/// How a device sees memory from one physical address on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The address that the device uses for the first byte; `None` if it cannot reach it.
    pub handle: Option<usize>,
    /// The last physical address for which this holds: up to it the device's addresses rise with the physical ones, or it
    /// reaches nothing. Not below the address that was asked for.
    pub last: Pa,
}

/// The answer of a query that walks a list by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry<T> {
    /// The entry at that index.
    Found(T),
    /// There is one, but it cannot be read.
    Unreadable,
    /// There is one, but it must not be used, for this reason.
    Refused(Error),
    /// The list ends before that index.
    End,
}

/// Everything the core needs from a kernel.
///
/// # Safety
///
/// The library turns what these methods return into references and hands addresses to devices, so an implementation that
/// breaks one of these rules causes undefined behaviour:
///
/// * [`heap_alloc`](Kernel::heap_alloc) returns null, or memory of at least the size asked for, zeroed, aligned for a
///   pointer, and used by no one else until [`heap_free`](Kernel::heap_free) gets it back.
/// * [`v2p`](Kernel::v2p) returns what the page tables hold, from any context, whatever interrupts it.
/// * A mapping made by [`map`](Kernel::map) or [`map_linear`](Kernel::map_linear) stays until [`unmap`](Kernel::unmap).
/// * [`irq_save`](Kernel::irq_save) masks the interrupts of this core until [`irq_restore`](Kernel::irq_restore).
/// * [`can_sleep`](Kernel::can_sleep) is false in an interrupt.
/// * No method calls back into this library, except that a console which is written to may use a device of its own.
#[allow(unsafe_code)]
pub unsafe trait Kernel: Copy + Send + Sync + 'static {
    // --- heap ------------------------------------------------------------------------------------------------------

    /// `size` zeroed bytes aligned for a pointer, or null. *Thread.*
    fn heap_alloc(&self, size: usize) -> *mut u8;
    /// Gives back what [`heap_alloc`](Kernel::heap_alloc) gave. *Thread.*
    ///
    /// # Safety
    /// `memory` came from `heap_alloc`, was not given back yet, and nobody uses it any more.
    #[allow(unsafe_code)]
    unsafe fn heap_free(&self, memory: *mut u8);

    // --- memory ----------------------------------------------------------------------------------------------------

    /// Where `va` is mapped, or `None` if it is not. Does not sleep.
    fn v2p(&self, va: Va) -> Option<Pa>;
    /// Whether the kernel has page tables. Without them the processor runs with its MMU off: [`linear`](Kernel::linear)
    /// leads to all memory, [`map`](Kernel::map) gives such addresses for cached memory and nothing for other memory.
    /// Does not sleep.
    fn has_page_tables(&self) -> bool;
    /// The linear map's address of `pa`: `pa - PV_OFFSET`. Nothing says that it is mapped.
    fn linear(&self, pa: Pa) -> Va;
    /// Whether the interface sets the flag `LINEAR` of every pool, mapped linearly or not, as RT-Thread 5.2.2 does. Else
    /// only a pool that is mapped linearly has it.
    fn is_every_pool_linear(&self) -> bool;
    /// Maps `[pa, pa + size)` write-back cached at `va`, which is [`linear`](Kernel::linear)`(pa)`, and of which nothing may
    /// be mapped yet. Whether it did, [`v2p`](Kernel::v2p) says: the kernel may be unable to, or leave that to its boot code.
    /// *Thread.*
    fn map_linear(&self, va: Va, pa: Pa, size: usize);
    /// Maps `[pa, pa + size)`, whole pages, anywhere. The mapping is not to be trusted before
    /// [`v2p`](Kernel::v2p) says that it leads there. *Thread.*
    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va>;
    /// Removes what [`map`](Kernel::map) made at `va`. *Thread.*
    fn unmap(&self, va: Va);

    /// Copies `size` bytes, which do not overlap, through the mappings of `to` and `from`, both mapped as far as it goes,
    /// with accesses that either may be uncached memory for. A device sees nothing that the caller does afterwards before it
    /// sees the copy. Does not sleep.
    fn copy(&self, to: Va, from: Va, size: usize);

    /// Orders the accesses of this core for every observer in the system, devices included: all accesses to memory and to
    /// device registers before the call come before all of those after it. (A fence of the language orders memory for the
    /// other cores only: neither a device nor an access to a device register need keep to it.) Any context.
    fn device_barrier(&self);

    /// Whether the cache may hold (clean) lines of memory that is mapped write-through. Not on aarch64, where
    /// `rt_ioremap_wt` gives Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`).
    fn caches_write_through(&self) -> bool;

    /// Bytes up to which a pool is mapped as a whole for an uncached or write-through buffer.
    fn view_limit(&self) -> usize;

    // --- data cache ------------------------------------------------------------------------------------------------

    // The lines of different caches may have different lengths. The three operations reach every line, in every cache, that
    // holds a byte of the range (so the kernel steps through the range by the smallest line), and are complete when they
    // return.

    /// Writes dirty lines of `[va, va + size)` to memory. Whether they stay in the cache is the processor's affair: on
    /// aarch64 RT-Thread drops them, on 32-bit Arm and on the C906 it keeps them, clean. Does not sleep.
    fn cache_flush(&self, va: Va, size: usize);
    /// Writes dirty lines of `[va, va + size)` to memory and drops all lines of it. What is written to a line meanwhile, by
    /// this core or another, is not lost. For a few lines. Does not sleep.
    fn cache_flush_and_drop(&self, va: Va, size: usize);
    /// Drops the lines of `[va, va + size)`, dirty or not. Does not sleep.
    fn cache_invalidate(&self, va: Va, size: usize);
    /// Bytes in the largest line of any cache of the system: a power of two. Maintenance of one byte may affect all bytes
    /// of an aligned block of this size.
    fn cache_line_max(&self) -> usize;

    // --- context ---------------------------------------------------------------------------------------------------

    /// Masks interrupts on this core and says what to give to [`irq_restore`](Kernel::irq_restore). Nests.
    fn irq_save(&self) -> usize;
    /// Undoes one [`irq_save`](Kernel::irq_save).
    fn irq_restore(&self, saved: usize);
    /// Whether the caller may sleep: a thread (or boot code before the scheduler runs) with interrupts on its core
    /// as it found them.
    fn can_sleep(&self) -> bool;
    /// Lets others run for a moment. *Thread.*
    fn pause(&self);
    /// The calling thread has a right now that other threads wait for ([`Turn`](crate::turn)). Until
    /// [`turn_ends`](Kernel::turn_ends) the library writes no text. A kernel may ignore both; the tests' kernel checks
    /// that rule with them.
    fn turn_begins(&self) {}
    /// The calling thread gives such a right back.
    fn turn_ends(&self) {}

    // --- boot memory -----------------------------------------------------------------------------------------------

    /// Region `index` that DMA pools may be carved out of. Of memblock's list only those in use, not hot-pluggable, and
    /// named as the interface asks are counted; of a caller's list all are, and one without a name is empty.
    /// [`Error::NoRegion`] behind the last, [`Error::BadSize`] where the caller owes a list and has none, [`Error::NoList`]
    /// where the kernel has no memblock. *Thread.*
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error>;
    /// Pools cover `region` from its first byte up to `end` now. An entry of a caller's list that began there begins at
    /// `end` from now on, unless it ends there; memblock's is not written. *Thread.*
    fn consume(&self, region: BootRegion, end: Pa);

    // --- devices and firmware --------------------------------------------------------------------------------------

    /// The device's name.
    fn device_name(&self, device: Device) -> Name;
    /// Whether the device's firmware node says `dma-coherent`.
    fn is_coherent(&self, device: Device) -> bool;
    /// Whether the device has a device-tree node. False where the kernel knows no device tree.
    fn has_node(&self, device: Device) -> bool;
    /// Region `index` of the `memory-region` property of the device's node. [`Entry::Refused`] with [`Error::NoNode`],
    /// [`Error::Disabled`], [`Error::NotServed`], [`Error::BadReg`] or [`Error::NotReserved`] where that entry leads to no
    /// memory, or to memory that the page allocator owns. *Thread.*
    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion>;
    /// Whether a bus above the device's node, which it has, has a non-empty `dma-ranges`.
    fn has_dma_ranges(&self, device: Device) -> bool;
    /// Returns how the device, which has a node, sees memory from `pa` on through the `dma-ranges` above it, as the kernel's
    /// own translator reads them (`rt_ofw_translate_cpu2dma`). There is no handle where no range covers `pa`, although that
    /// translator returns the address unchanged there.
    fn bus_address(&self, device: Device, pa: Pa) -> Stretch;
    /// Returns the physical address of the device's address `handle` (`rt_ofw_translate_dma2cpu`), which need not invert
    /// [`bus_address`](Kernel::bus_address); `None` where this processor has no such address.
    fn cpu_address(&self, device: Device, handle: usize) -> Option<Pa>;
    /// DMA window `index` of the host bridge of a device on bus `"pci"`; [`Entry::End`] for every other device. Of two that
    /// hold one address the first counts.
    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow>;

    // --- text ------------------------------------------------------------------------------------------------------

    /// Writes a line to the log; drops it where that may not be: in an interrupt, say. Never under a lock. Any context.
    fn say(&self, level: Level, line: &Line);
    /// Writes to the log that `size` bytes from `start` on are set aside under `name` now. *Thread.*
    fn announce(&self, start: Pa, name: Name, size: usize);
    /// Text for the shell: a `printf` format of `%s`, `%lu` and `%lx` with a word for each, six at most, as in a [`Line`]. A
    /// line ends where the format says so. *Thread.*
    fn print(&self, format: &'static CStr, values: &[usize]);
}
