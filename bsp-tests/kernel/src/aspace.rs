//! The kernel's page tables, with a linear map of RAM without the DMA pools, and the cache.
//!
//! Functions with RT-Thread's names behave as RT-Thread's do on aarch64, mistakes included: they map 2 MiB blocks
//! wherever the *virtual* address and the rest of the length allow it, whatever the physical address is, as RT-Thread
//! does since its pull request 9733, and never unmap such blocks. On riscv64 the physical address must allow it, too,
//! as in RT-Thread's `libcpu/risc-v/common/mmu.c`, which unmaps no block either, and pages in a way of its own (see
//! `table_uses`). On 32-bit Arm they map pages only, as RT-Thread does.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use page_table_multiarch::{MappingFlags, PageSize, PagingError, PagingHandler};

use crate::arch::{self, PageTable};
use crate::context::{HwSpinlock, IrqMutex};
use crate::memory::{self, BootLayout, PAGE};
#[cfg(target_arch = "riscv64")]
use crate::table_uses;

pub struct Frames;

/// A test has taken all memory for further page tables.
static IS_REFUSED: AtomicBool = AtomicBool::new(false);

/// Returns whether there is no memory for a page table.
pub fn is_refused() -> bool {
    IS_REFUSED.load(Relaxed)
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_refuse_tables(is_refused: i32) {
    IS_REFUSED.store(is_refused != 0, Relaxed);
}

impl PagingHandler for Frames {
    fn alloc_frames(count: usize, align: usize) -> Option<memory_addr::PhysAddr> {
        if is_refused() { None } else { memory::frames(count, align).map(Into::into) }
    }

    fn dealloc_frames(_frame: memory_addr::PhysAddr, _count: usize) {}

    fn phys_to_virt(frame: memory_addr::PhysAddr) -> memory_addr::VirtAddr {
        frame.as_usize().into()
    }
}

pub static TABLES: IrqMutex<Option<PageTable<Frames>>> = IrqMutex::new(None);

/// `struct rt_aspace`
#[repr(C)]
pub struct Aspace {
    start: usize,
    size: usize,
    /// Zero until the MMU is on.
    page_table: AtomicUsize,
    /// The lock of the page tables (`MM_PGTBL_LOCK`).
    lock: HwSpinlock,
}

impl Aspace {
    /// Returns the first address, and how many bytes there are.
    pub fn limits(&self) -> (usize, usize) {
        (self.start, self.size)
    }
}

/// Whether the board switches the MMU on. RT-Thread compiles its memory management in either case; without the MMU
/// nothing sets `rt_kernel_space` up.
const HAS_MMU: bool = !cfg!(feature = "no-mmu");

#[unsafe(no_mangle)]
static rt_kernel_space: Aspace = Aspace {
    start: if HAS_MMU { PAGE } else { 0 },
    size: if HAS_MMU { arch::SPACE_END - PAGE } else { 0 },
    page_table: AtomicUsize::new(0),
    lock: HwSpinlock::new(),
};

/// Stops a kernel without page tables where RT-Thread stops: there, `rt_kmem_v2p` reads the table at address zero, and
/// the other functions take a mutex that was never initialized.
pub fn must_have_page_tables(what: &str) {
    assert!(HAS_MMU, "{what} in a kernel that has no page tables");
}

/// Flags of memory that code may run from. On 32-bit Arm, code runs from whole sections only.
const CODE: MappingFlags = MappingFlags::READ.union(MappingFlags::WRITE).union(MappingFlags::EXECUTE);

/// The memory attributes of `mmu.h`: `MMU_MAP_K_RWCB`, `MMU_MAP_K_RW`, `MMU_MAP_K_DEVICE`.
pub const CACHED: usize = 1;
pub const UNCACHED: usize = 2;
pub const DEVICE: usize = 3;

/// Returns the flags of memory with this attribute.
pub fn flags(attribute: usize) -> MappingFlags {
    let kind = match attribute {
        CACHED => MappingFlags::empty(),
        UNCACHED => MappingFlags::UNCACHED,
        DEVICE => MappingFlags::DEVICE,
        other => panic!("no such memory attribute: {other}"),
    };
    MappingFlags::READ | MappingFlags::WRITE | kind
}

/// Makes the page tables and turns the MMU on. Returns the tables' address, or zero on a board that leaves the MMU off.
pub fn init(layout: &BootLayout) -> usize {
    if !HAS_MMU {
        return 0;
    }
    let mut table = PageTable::try_new().expect("a frame for the page tables");
    let root = table.root_paddr().as_usize();
    let pools = *layout.reserved.last().unwrap();
    {
        let mut cursor = table.cursor();
        let mut linear = |start: usize, end: usize, flags| {
            cursor
                .map_region(start.into(), |va| va.as_usize().into(), end - start, flags, true)
                .expect("the linear map");
        };
        linear(layout.ram.start, pools.start, CODE);
        linear(pools.end, layout.ram.end, CODE);
        for (start, size) in arch::DEVICES {
            linear(start, start + size, flags(DEVICE));
        }
    }
    TABLES.with(|slot| *slot = Some(table));
    #[cfg(target_arch = "riscv64")]
    table_uses::count(layout.ram.start, layout.ram.end);
    arch::mmu_on(root);
    rt_kernel_space.page_table.store(root, Relaxed);
    root
}

/// Runs `f`, which changes the page tables, with their lock held.
pub fn change<R>(f: impl FnOnce(&mut PageTable<Frames>) -> R) -> R {
    rt_kernel_space.lock.with(|| TABLES.with(|table| f(table.as_mut().unwrap())))
}

/// Looks `va` up in the page tables.
fn query(va: usize) -> Option<(usize, MappingFlags)> {
    let (pa, flags, _) = TABLES.with(|table| table.as_ref()?.query(va.into()).ok())?;
    Some((pa.as_usize(), flags))
}

/// Maps whole pages as RT-Thread's `rt_hw_mmu_map` does. Returns what that returns: zero if there is no memory for a
/// page table, but not on riscv64.
pub fn map(va: usize, pa: usize, size: usize, attribute: usize) -> usize {
    let mut offset = 0;
    while offset < size {
        let fits = |block: &PageSize| cfg!(target_arch = "aarch64") || block.is_aligned(pa + offset);
        let block = arch::BLOCK.filter(|block| block.is_aligned(va + offset) && size - offset >= *block as usize);
        let block = block.filter(fits);
        let page = block.unwrap_or(PageSize::Size4K);
        #[cfg(target_arch = "riscv64")]
        if block.is_none() {
            if !table_uses::map_page(va + offset, pa + offset, attribute) {
                table_uses::unmap(va, offset);
                return va + offset;
            }
            offset += PAGE;
            continue;
        }
        // One page at a time, so that interrupts are not masked for long. A block drops the low bits of the address.
        let result = change(|table| {
            let mut cursor = table.cursor();
            if block.is_some() {
                // A block replaces a block.
                let _ = cursor.unmap((va + offset).into());
            }
            cursor.map((va + offset).into(), (pa + offset).into(), page, flags(attribute))
        });
        if let Err(PagingError::NoMemory) = result {
            unmap(va, offset);
            return 0;
        }
        assert!(result.is_ok(), "assertion failed: {:#x} is mapped already ({result:?})", va + offset);
        offset += page as usize;
    }
    arch::tables_written();
    va
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_mmu_map(_: &Aspace, va: usize, pa: usize, size: usize, attribute: usize) -> usize {
    must_have_page_tables("rt_hw_mmu_map");
    map(va, pa, size, attribute)
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_mmu_unmap(_: &Aspace, va: usize, size: usize) {
    must_have_page_tables("rt_hw_mmu_unmap");
    unmap(va, size);
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_mmu_v2p(_: &Aspace, va: usize) -> usize {
    must_have_page_tables("rt_hw_mmu_v2p");
    walk(va)
}

/// Removes pages from the page tables. Blocks stay, as in RT-Thread.
pub fn unmap(va: usize, size: usize) {
    #[cfg(target_arch = "riscv64")]
    table_uses::unmap(va, size);
    #[cfg(not(target_arch = "riscv64"))]
    for page in (va..va + size).step_by(PAGE) {
        change(|table| {
            if let Ok((_, _, PageSize::Size4K)) = table.query(page.into()) {
                table.cursor().unmap(page.into()).unwrap();
            }
        });
    }
    arch::tables_written();
}

#[unsafe(no_mangle)]
extern "C" fn rt_kmem_pvoff() -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn rt_kmem_v2p(va: usize) -> usize {
    must_have_page_tables("rt_kmem_v2p");
    // On every other processor, RT-Thread walks the page tables, and interrupts do not disturb that.
    #[cfg(target_arch = "aarch64")]
    return arch::v2p(va).unwrap_or(arch::MAP_FAILED);
    #[cfg(not(target_arch = "aarch64"))]
    walk(va)
}

/// Translates as RT-Thread's walk of the page tables does. On riscv64 (`libcpu/risc-v/common/mmu.c`) that leaves a bit
/// of the entry's memory type in the address: bit 63 is set for memory that is not cached.
fn walk(va: usize) -> usize {
    match query(va) {
        #[cfg(target_arch = "riscv64")]
        Some((pa, flags)) if flags.contains(MappingFlags::UNCACHED) => pa | 1 << 63,
        Some((pa, _)) => pa,
        None => arch::MAP_FAILED,
    }
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_v2p(va: usize) -> usize {
    query(va).map_or(arch::MAP_FAILED, |(pa, _)| pa)
}

/// The results of `stand_in_memory_type` in `stand_in.h`.
#[repr(i32)]
enum MemoryType {
    Unmapped = -1,
    Cached = 0,
    Device = 1,
    Noncached = 2,
}

#[unsafe(no_mangle)]
extern "C" fn stand_in_memory_type(va: usize) -> MemoryType {
    match query(va) {
        None => MemoryType::Unmapped,
        Some((_, flags)) if flags.contains(MappingFlags::DEVICE) => MemoryType::Device,
        Some((_, flags)) if flags.contains(MappingFlags::UNCACHED) => MemoryType::Noncached,
        Some(_) => MemoryType::Cached,
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_cpu_dcache_ops(operation: i32, va: usize, size: i32) {
    const FLUSH: i32 = 1;
    const INVALIDATE: i32 = 2;
    assert!(size > 0, "rt_hw_cpu_dcache_ops of {size} bytes");
    match operation {
        FLUSH => arch::cache_clean_invalidate(va, size as usize),
        INVALIDATE => arch::cache_invalidate(va, size as usize),
        other => panic!("rt_hw_cpu_dcache_ops({other})"),
    }
}
