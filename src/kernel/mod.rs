//! The interface to the operating system: the trait [`Kernel`] contains everything that the library calls.
//!
//! [`rtthread`] implements it for RT-Thread, over the C functions of `rtthread-port/`; `tests/fake_kernel` implements it
//! for tests.

#[allow(unsafe_code)]
pub mod copy;
pub mod reserved_memory;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod rtthread;
#[cfg(all(any(test, feature = "internals"), not(target_os = "none")))]
pub mod testing;
mod types;

use core::ffi::CStr;

pub use types::*;

use crate::error::Error;
use crate::log::{Level, Line, Name};

/// Everything that the library calls in a kernel.
///
/// Each method states its duties: what the implementer guarantees, and what the caller has to observe. These hold for
/// all of them:
///
/// * A method with "Context: thread" may sleep. The caller calls it only where [`can_sleep`](Kernel::can_sleep) is true,
///   and holds no lock of this library meanwhile.
/// * A method with "Context: any" never sleeps. It may be called in an interrupt and with interrupts masked.
///
/// # Safety
///
/// The library turns what these methods return into references, and passes addresses to devices. An implementation that
/// breaks one of these rules causes undefined behaviour:
///
/// * [`heap_alloc`](Kernel::heap_alloc) returns null, or memory of at least the requested size that is zeroed, aligned for
///   a pointer, and used by no other code until [`heap_free`](Kernel::heap_free) receives it.
/// * [`v2p`](Kernel::v2p) returns what the page tables contain, in every context, even if an interrupt comes meanwhile.
/// * [`is_mapped`](Kernel::is_mapped) and [`leads_to`](Kernel::leads_to) agree with [`v2p`](Kernel::v2p).
/// * The cache operations and [`device_barrier`](Kernel::device_barrier) have done what they state when they return.
/// * A mapping that [`map`](Kernel::map) or [`map_linear`](Kernel::map_linear) made stays until
///   [`unmap`](Kernel::unmap) or [`unmap_linear`](Kernel::unmap_linear).
/// * [`irq_save`](Kernel::irq_save) masks the interrupts of this core until [`irq_restore`](Kernel::irq_restore).
/// * [`can_sleep`](Kernel::can_sleep) is false in an interrupt.
/// * No method calls this library, with one exception: a console to which [`log`](Kernel::log) or
///   [`print`](Kernel::print) writes may use a device that does.
#[allow(unsafe_code)]
pub unsafe trait Kernel: Copy + Send + Sync + 'static {
    // Heap

    /// Allocates `size` bytes, which is not zero. The memory is zeroed and aligned for a pointer. Returns null if the heap
    /// has no room.
    ///
    /// Context: thread.
    fn heap_alloc(&self, size: usize) -> *mut u8;

    /// Frees memory of [`heap_alloc`](Kernel::heap_alloc).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `memory` was returned by `heap_alloc`, has not been freed, and is not used any more.
    unsafe fn heap_free(&self, memory: *mut u8);

    // Memory

    /// Returns the physical address to which `va` is mapped; `None` if it is not mapped.
    ///
    /// Context: any.
    fn v2p(&self, va: Va) -> Option<Pa>;

    /// Returns whether [`v2p`](Kernel::v2p) would return an address: whether the cache can be maintained there. A kernel
    /// may have a faster way to find out.
    ///
    /// Context: any.
    fn is_mapped(&self, va: Va) -> bool {
        self.v2p(va).is_some()
    }

    /// Returns whether [`v2p`](Kernel::v2p) would return, for each of `pages` pages from `va` on, the page at the same
    /// distance from `pa`. `va` and `pa` begin a page. A kernel may have a faster way to find out.
    ///
    /// Context: any.
    fn leads_to(&self, va: Va, pa: Pa, pages: usize) -> bool {
        let mut offsets = (0..pages).map(|page| page * PAGE_SIZE);
        offsets.all(|offset| self.v2p(va.wrapping_add(offset)) == Some(pa.wrapping_add(offset)))
    }

    /// Returns whether the kernel has page tables. A kernel without them leaves the MMU off: all memory is mapped at
    /// [`linear`](Kernel::linear), and [`map`](Kernel::map) returns such an address for cached memory and `None` for other
    /// memory.
    ///
    /// Context: any.
    fn has_page_tables(&self) -> bool;

    /// Returns the address of `pa` in the linear map: `pa - PV_OFFSET`. Whether it is mapped, only
    /// [`v2p`](Kernel::v2p) shows.
    ///
    /// Context: any.
    fn linear(&self, pa: Pa) -> Va;

    /// Returns whether the interface sets the flag `LINEAR` of every pool, as RT-Thread 5.2.2 does. Otherwise only a pool
    /// that is mapped linearly has the flag.
    ///
    /// Context: any.
    fn is_every_pool_linear(&self) -> bool;

    /// Maps `[pa, pa + size)` write-back cached at `va`, if the kernel can. The caller calls [`v2p`](Kernel::v2p) to learn
    /// whether it did: a kernel may leave the linear map to its boot code.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `va` is [`linear`](Kernel::linear)`(pa)`, and nothing is mapped in `[va, va + size)`. The memory is not used in a way
    /// that a cached mapping disturbs.
    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize);

    /// Undoes [`map_linear`](Kernel::map_linear).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `map_linear` mapped `[va, va + size)`, and nothing is accessed through it any more.
    unsafe fn unmap_linear(&self, va: Va, size: usize);

    /// Maps `[pa, pa + size)`, which consists of whole pages, at an address that the kernel chooses. Returns the address;
    /// `None` if the kernel cannot. When it returns, every core translates addresses of the mapping.
    ///
    /// The caller does not use the mapping before [`v2p`](Kernel::v2p) confirms that it leads to `pa`: RT-Thread's aarch64
    /// code can map other memory without an error (see [`rtthread`]).
    ///
    /// Context: thread.
    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va>;

    /// Removes a mapping of [`map`](Kernel::map).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `va` was returned by `map`, has not been unmapped, and nothing is accessed through it any more.
    unsafe fn unmap(&self, va: Va);

    /// Copies `size` bytes with accesses that uncached memory permits, and then orders the copy for devices: a device
    /// observes the copy before anything that the caller does afterwards.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// `[from, from + size)` is mapped and may be read; `[to, to + size)` is mapped and may be written; the two do not
    /// overlap. No Rust reference to either is used meanwhile.
    unsafe fn copy(&self, to: Va, from: Va, size: usize);

    /// Orders the accesses of this core for every observer in the system, devices included: all accesses to memory and to
    /// device registers before the call precede all those after it.
    ///
    /// A fence of the language does not suffice. It orders accesses to memory for the other cores; neither devices nor
    /// accesses to device registers have to observe that order.
    ///
    /// Context: any.
    fn device_barrier(&self);

    /// Returns whether the cache may hold (clean) lines of memory that is mapped write-through. It does not on aarch64,
    /// where `rt_ioremap_wt` makes Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`).
    ///
    /// Context: any.
    fn caches_write_through(&self) -> bool;

    /// Returns the largest size, in bytes, of a pool that is mapped as a whole for an uncached or write-through buffer.
    ///
    /// Context: any.
    fn view_limit(&self) -> usize;

    /// Returns whether a pool is mapped for uncached buffers when it is installed, if it is no larger than
    /// [`view_limit`](Kernel::view_limit). Otherwise it is mapped for the first such buffer.
    ///
    /// Context: any.
    fn maps_at_install(&self) -> bool {
        false
    }

    // Data cache
    //
    // Different caches may have lines of different lengths. Each operation reaches every line, in every cache, that holds a
    // byte of the range: the kernel therefore steps through the range by the smallest line. Each operation is complete when
    // it returns. The range is mapped and not empty.

    /// Writes dirty lines of `[va, va + size)` to memory. The processor decides whether the lines stay in the cache: on
    /// aarch64 RT-Thread drops them; on 32-bit Arm and on the C906 they stay, clean.
    ///
    /// Context: any.
    fn cache_flush(&self, va: Va, size: usize);

    /// Writes dirty lines of `[va, va + size)` to memory and drops all lines of the range. It loses nothing that this core
    /// or another writes to a line meanwhile. The range is a few lines long.
    ///
    /// Context: any.
    fn cache_flush_and_drop(&self, va: Va, size: usize);

    /// Does what [`cache_flush_and_drop`](Kernel::cache_flush_and_drop) does, for the one line that contains `va`. Called
    /// only if [`within_line`](Kernel::within_line) is not all ones.
    ///
    /// Context: any.
    fn cache_flush_and_drop_line(&self, va: Va) {
        let within_line = self.within_line();
        self.cache_flush_and_drop(va & !within_line, within_line + 1);
    }

    /// Drops the lines of `[va, va + size)` without writing them to memory.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// No byte in a line of the range has been written by a processor since the line was last flushed, or the caller
    /// allows that such a byte is lost.
    unsafe fn cache_invalidate(&self, va: Va, size: usize);

    /// Returns the size, in bytes, of the largest line of any cache of the system: a power of two. Maintenance of one byte
    /// may affect every byte of an aligned block of this size.
    ///
    /// Context: any.
    fn cache_line_max(&self) -> usize;

    /// Returns the bits of an address that are its offset within a line: [`cache_line_max`](Kernel::cache_line_max) minus
    /// one. A kernel may return all ones until `cache_line_max` was called first, and where lines have different sizes.
    ///
    /// Context: any.
    fn within_line(&self) -> usize {
        self.cache_line_max() - 1
    }

    // Contexts

    /// Masks interrupts on this core. Returns what [`irq_restore`](Kernel::irq_restore) needs. Calls nest.
    ///
    /// Context: any.
    fn irq_save(&self) -> usize;

    /// Undoes one [`irq_save`](Kernel::irq_save).
    ///
    /// Context: any.
    ///
    /// # Safety
    /// `saved` was returned by the last `irq_save` of this core that has not been undone.
    unsafe fn irq_restore(&self, saved: usize);

    /// Returns whether the caller may sleep: it is a thread, or boot code before the scheduler runs, and the interrupts of
    /// its core are not masked.
    ///
    /// Context: any.
    fn can_sleep(&self) -> bool;

    /// Lets other threads run for a moment.
    ///
    /// Context: thread.
    fn pause(&self);

    /// Notes that the calling thread has taken a [turn](crate::mem::turn). Until [`turn_ends`](Kernel::turn_ends), the library
    /// writes no text. The tests' kernel checks this; other kernels need not implement the two methods.
    ///
    /// Context: thread.
    fn turn_begins(&self) {}

    /// Notes that the calling thread gives up its turn.
    ///
    /// Context: thread.
    fn turn_ends(&self) {}

    // Boot memory

    /// Returns region `index` of those in which boot pools can be made.
    ///
    /// Of memblock's list, only regions that are in use, not hot-pluggable, and named as the interface requires are
    /// counted. Of a caller's list, all are counted, and a region without a name is empty.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::NoRegion`] after the last region; [`Error::BadSize`] if the interface requires a list and there is none;
    /// [`Error::NoList`] if the kernel has no memblock.
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error>;

    /// Records that pools cover `region` from its first byte up to `end`. If `region` is an entry of a caller's list that
    /// still begins where `region` begins, the entry begins at `end` from now on, unless it ends there. Memblock's list is
    /// not written.
    ///
    /// Context: thread.
    fn consume(&self, region: BootRegion, end: Pa);

    // Devices and firmware

    /// Returns the device's name.
    ///
    /// Context: any.
    fn device_name(&self, device: Device) -> Name;

    /// Returns whether the device's firmware node has `dma-coherent`.
    ///
    /// Context: any.
    fn is_coherent(&self, device: Device) -> bool;

    /// Returns whether the device has a device-tree node; false if the kernel has no device tree.
    ///
    /// Context: any.
    fn has_node(&self, device: Device) -> bool;

    /// Returns region `index` of the `memory-region` property of the device's node.
    ///
    /// The result is [`Entry::Refused`] with [`Error::NoNode`], [`Error::Disabled`], [`Error::NotServed`],
    /// [`Error::BadReg`] or [`Error::NotReserved`] if the entry refers to no memory, or to memory that the page allocator
    /// owns.
    ///
    /// Context: thread.
    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion>;

    /// Returns whether a bus above the device's node has a non-empty `dma-ranges`. The device has a node.
    ///
    /// Context: thread.
    fn has_dma_ranges(&self, device: Device) -> bool;

    /// Returns how the device reaches memory from `pa` on, through the `dma-ranges` above its node, as the kernel's own
    /// translator reads them (`rt_ofw_translate_cpu2dma`). The device has a node.
    ///
    /// The stretch has no handle if no range covers `pa`, although that translator returns the address unchanged in this
    /// case.
    ///
    /// Context: thread first, then any. The first call for a bus reads the ranges of the bus; the caller makes it in a thread.
    fn bus_address(&self, device: Device, pa: Pa) -> Stretch;

    /// Returns the physical address that the device reaches at `handle` (`rt_ofw_translate_dma2cpu`); `None` if this
    /// processor has no such address. It need not be the inverse of [`bus_address`](Kernel::bus_address).
    ///
    /// Context: thread first, then any, as `bus_address`.
    fn cpu_address(&self, device: Device, handle: usize) -> Option<Pa>;

    /// Returns DMA window `index` of the host bridge of a device on bus `"pci"`; [`Entry::End`] for every other device. If
    /// two windows contain an address, the first one counts.
    ///
    /// Context: any.
    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow>;

    // Text

    /// Writes a line to the log. The kernel drops the line where it must not write, for example in an interrupt. The caller
    /// holds no lock of this library.
    ///
    /// Context: any.
    fn log(&self, level: Level, line: &Line);

    /// Logs that the `size` bytes from `start` on are reserved under `name`.
    ///
    /// Context: thread.
    fn log_reserved(&self, start: Pa, name: Name, size: usize);

    /// Prints text to the shell. `format` is a `printf` format that contains only `%s`, `%lu` and `%lx`, at most six of
    /// them; `values` are their arguments, as in a [`Line`]. A line of output ends only where `format` has a newline.
    ///
    /// Context: thread.
    fn print(&self, format: &'static CStr, values: &[usize]);
}
