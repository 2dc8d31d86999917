//! The kernel's address space: a linear map of RAM without the DMA pools, and the ioremap window.
//!
//! Functions with RT-Thread's names behave as RT-Thread's do on aarch64, mistakes included: they map 2 MiB blocks when the
//! *virtual* address and the length allow it, whatever the physical address is, and never unmap such blocks. On riscv64 and 32-bit
//! Arm they map pages only, as RT-Thread does.

use alloc::collections::BTreeMap;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use page_table_multiarch::{MappingFlags, PageSize, PagingHandler};

use crate::arch::{self, PageTable};
use crate::context::{IrqMutex, must_be_thread};
use crate::memory::{self, BootLayout, PAGE};

struct Frames;

impl PagingHandler for Frames {
    fn alloc_frames(count: usize, align: usize) -> Option<memory_addr::PhysAddr> {
        memory::frames(count, align).map(Into::into)
    }

    fn dealloc_frames(_frame: memory_addr::PhysAddr, _count: usize) {}

    fn phys_to_virt(frame: memory_addr::PhysAddr) -> memory_addr::VirtAddr {
        frame.as_usize().into()
    }
}

static TABLES: IrqMutex<Option<PageTable<Frames>>> = IrqMutex::new(None);
/// The mappings in the window: start and size of each.
static MAPPINGS: spin::Mutex<BTreeMap<usize, usize>> = spin::Mutex::new(BTreeMap::new());

/// What `rt_aspace_map_phy` mapped: start and size of each area.
static AREAS: spin::Mutex<BTreeMap<usize, usize>> = spin::Mutex::new(BTreeMap::new());

/// `struct rt_aspace`
#[repr(C)]
struct Aspace {
    start: usize,
    size: usize,
    /// Zero until the MMU is on.
    page_table: AtomicUsize,
}

/// Whether the board switches the MMU on. RT-Thread compiles its memory management in either case; without the MMU
/// nothing sets `rt_kernel_space` up.
const HAS_MMU: bool = !cfg!(feature = "no-mmu");

#[unsafe(no_mangle)]
static rt_kernel_space: Aspace = Aspace {
    start: if HAS_MMU { PAGE } else { 0 },
    size: if HAS_MMU { arch::SPACE_END - PAGE } else { 0 },
    page_table: AtomicUsize::new(0),
};

/// Stops a kernel without page tables where RT-Thread stops: there, `rt_kmem_v2p` reads the table at address zero, and
/// the other functions take a mutex that was never initialized.
fn must_have_page_tables(what: &str) {
    assert!(HAS_MMU, "{what} in a kernel that has no page tables");
}

/// Memory types by RT-Thread's attribute: `MMU_MAP_K_RWCB`, `MMU_MAP_K_RW`, `MMU_MAP_K_DEVICE` of `mmu.h`.
fn flags(attribute: usize) -> MappingFlags {
    let kind = match attribute {
        1 => MappingFlags::empty(),
        2 => MappingFlags::UNCACHED,
        3 => MappingFlags::DEVICE,
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
        linear(layout.ram.start, pools.start, arch::code_flags());
        linear(pools.end, layout.ram.end, arch::code_flags());
        for (start, size) in arch::DEVICES {
            linear(start, start + size, flags(3));
        }
    }
    TABLES.with(|slot| *slot = Some(table));
    arch::mmu_on(root);
    rt_kernel_space.page_table.store(root, Relaxed);
    root
}

/// Looks `va` up in the page tables.
fn query(va: usize) -> Option<(usize, MappingFlags)> {
    let (pa, flags, _) = TABLES.with(|table| table.as_ref()?.query(va.into()).ok())?;
    Some((pa.as_usize(), flags))
}

/// Maps whole pages as RT-Thread's `rt_hw_mmu_map` does.
fn map(va: usize, pa: usize, size: usize, attribute: usize) {
    let block = arch::BLOCK.filter(|block| block.is_aligned(va) && block.is_aligned(size));
    let page = block.unwrap_or(PageSize::Size4K);
    for offset in (0..size).step_by(page as usize) {
        // One page at a time, so that interrupts are not masked for long. A block drops the low bits of the address.
        let result = TABLES.with(|table| {
            let mut cursor = table.as_mut().unwrap().cursor();
            cursor.map((va + offset).into(), (pa + offset).into(), page, flags(attribute))
        });
        assert!(result.is_ok(), "assertion failed: {:#x} is mapped already ({result:?})", va + offset);
    }
    arch::tables_written();
}

/// Removes pages from the page tables. Blocks stay, as in RT-Thread.
fn unmap(va: usize, size: usize) {
    for page in (va..va + size).step_by(PAGE) {
        TABLES.with(|table| {
            let table = table.as_mut().unwrap();
            if let Ok((_, _, PageSize::Size4K)) = table.query(page.into()) {
                table.cursor().unmap(page.into()).unwrap();
            }
        });
    }
    arch::tables_written();
}

/// Returns the lowest free place in the window, as RT-Thread searches it.
fn place(size: usize) -> Option<usize> {
    let mut mappings = MAPPINGS.lock();
    let mut start = arch::WINDOW.start;
    for (&taken, &length) in mappings.iter() {
        if taken - start >= size {
            break;
        }
        start = taken + length;
    }
    if arch::WINDOW.end - start < size {
        return None;
    }
    mappings.insert(start, size);
    Some(start)
}

fn ioremap(what: &str, pa: usize, size: usize, attribute: usize) -> *mut c_void {
    must_be_thread(what);
    must_have_page_tables(what);
    let offset = pa % PAGE;
    let size = (size + offset).next_multiple_of(PAGE);
    match place(size) {
        Some(va) if size != 0 => {
            map(va, pa - offset, size, attribute);
            (va + offset) as *mut c_void
        }
        _ => null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap", pa, size, 3)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_nocache(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_nocache", pa, size, 3)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_wt(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_wt", pa, size, 2)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_cached(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_cached", pa, size, 1)
}

#[unsafe(no_mangle)]
extern "C" fn rt_iounmap(va: usize) {
    must_be_thread("rt_iounmap");
    must_have_page_tables("rt_iounmap");
    let found = MAPPINGS.lock().range(..=va).next_back().map(|(&start, &size)| (start, size));
    match found {
        Some((start, size)) if va < start + size => {
            unmap(start, size);
            MAPPINGS.lock().remove(&start);
        }
        _ => panic!("rt_iounmap of {va:#x}, which rt_ioremap did not give"),
    }
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_mappings() -> usize {
    MAPPINGS.lock().len()
}

/// `struct rt_mm_va_hint`
#[repr(C)]
struct Hint {
    limit_start: usize,
    limit_size: usize,
    prefer: usize,
    size: usize,
    flags: usize,
}

#[unsafe(no_mangle)]
extern "C" fn rt_aspace_map_phy(_: &Aspace, hint: &Hint, attribute: usize, page: usize, va: &mut usize) -> i32 {
    const MMF_MAP_FIXED: usize = 1 << 9;
    must_be_thread("rt_aspace_map_phy");
    must_have_page_tables("rt_aspace_map_phy");
    assert!(hint.flags & MMF_MAP_FIXED != 0, "the stand-in maps at a fixed address only");
    assert!(hint.prefer % PAGE == 0 && hint.size % PAGE == 0, "rt_aspace_map_phy of parts of pages");
    map(hint.prefer, page * PAGE, hint.size, attribute);
    AREAS.lock().insert(hint.prefer, hint.size);
    *va = hint.prefer;
    0
}

/// Undoes `rt_aspace_map_phy`.
#[unsafe(no_mangle)]
extern "C" fn rt_aspace_unmap(_: &Aspace, va: usize) -> i32 {
    must_be_thread("rt_aspace_unmap");
    must_have_page_tables("rt_aspace_unmap");
    let size = AREAS.lock().remove(&va);
    unmap(va, size.unwrap_or_else(|| panic!("rt_aspace_unmap of {va:#x}, where no area begins")));
    0
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
    stand_in_v2p(va)
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_v2p(va: usize) -> usize {
    query(va).map_or(arch::MAP_FAILED, |(pa, _)| pa)
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_memory_type(va: usize) -> i32 {
    match query(va) {
        None => -1,
        Some((_, flags)) if flags.contains(MappingFlags::DEVICE) => 1,
        Some((_, flags)) if flags.contains(MappingFlags::UNCACHED) => 2,
        Some(_) => 0,
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
