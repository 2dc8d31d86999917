//! RAM: the regions that are reserved at boot, the heap, and frames for page tables.

use alloc::alloc::{GlobalAlloc, Layout, alloc_zeroed, dealloc};
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_void};
use core::ptr::{NonNull, null};
use core::sync::atomic::{AtomicUsize, Ordering::*};

use linked_list_allocator::Heap;

use crate::boot;
use crate::context::{IrqMutex, must_be_thread};

/// Bytes in a page.
pub const PAGE: usize = 4096;

const HEAP_SIZE: usize = 8 << 20;
const FRAMES_SIZE: usize = 4 << 20;
/// The reservation ends this far below the end of RAM, so that it does not begin on a 2 MiB boundary, as on a board.
const ABOVE_DMA_POOL: usize = 0x10_3000;
/// The kernel uses only the RAM below this address.
pub const FOUR_GIB: u64 = 1 << 32;

/// A region of physical memory.
#[derive(Clone, Copy)]
pub struct Region {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The region's name, if it has one.
    pub name: Option<&'static CStr>,
}

/// The RAM that was found at boot, and the regions that were reserved.
pub struct BootLayout {
    /// The RAM that this kernel uses.
    pub ram: Region,
    /// Reserved regions, the one for DMA pools last.
    pub reserved: [Region; 6],
}

/// Chooses the reserved regions. Writes to no memory yet.
pub fn plan() -> BootLayout {
    unsafe extern "C" {
        static __image_start: u8;
        static __image_end: u8;
    }
    let image = (&raw const __image_start as usize, &raw const __image_end as usize);
    let (fdt, fdt_size) = boot::fdt_extent();
    let (start, end) = boot::memory();
    let ram = Region { start: start as usize, end: end.min(FOUR_GIB) as usize, name: Some(c"memory") };
    let heap = image.1;
    let frames = heap + HEAP_SIZE;
    let above = frames + FRAMES_SIZE;
    // If the firmware put the device tree near the end of RAM, the reservation ends before it.
    let top = if fdt > above { fdt } else { ram.end };
    let dma_end = (top - ABOVE_DMA_POOL) & !(PAGE - 1);
    let dma_start = dma_end.checked_sub(boot::cma_size()).filter(|&start| start >= above);
    let dma_start = dma_start.expect("RAM for the DMA pools that the boot arguments ask for");
    let region = |start, end, name| Region { start, end, name };
    BootLayout {
        ram,
        reserved: [
            region(fdt, fdt + fdt_size, Some(c"fdt")),
            region(image.0, image.1, Some(c"kernel")),
            region(heap, frames, Some(c"memheap")),
            region(frames, above, Some(c"page-tables")),
            // A reservation of the firmware has no name.
            region(ram.end - PAGE, ram.end, None),
            region(dma_start, dma_end, Some(c"dma-pool")),
        ],
    }
}

/// Initializes the heap and the frames.
pub fn init(layout: &BootLayout) {
    let [_, _, heap, frames, ..] = layout.reserved;
    // SAFETY: only the heap uses this RAM from now on.
    KERNEL_HEAP.0.with(|slot| unsafe { slot.init(heap.start as *mut u8, heap.end - heap.start) });
    NEXT_FRAME.store(frames.start, SeqCst);
    END_OF_FRAMES.store(frames.end, SeqCst);
    memblock_init(layout);
}

// --- heap ----------------------------------------------------------------------------------------------------------

struct KernelHeap(IrqMutex<Heap>);

#[global_allocator]
static KERNEL_HEAP: KernelHeap = KernelHeap(IrqMutex::new(Heap::empty()));

// SAFETY: `Heap` is an allocator, and the lock lets cores share it.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.with(|heap| heap.allocate_first_fit(layout).map_or(null::<u8>().cast_mut(), NonNull::as_ptr))
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if let Some(memory) = NonNull::new(memory) {
            // SAFETY: the caller guarantees that `alloc` returned the pointer for this layout.
            self.0.with(|heap| unsafe { heap.deallocate(memory, layout) });
        }
    }
}

/// The header before each block that C gets: its size, and a mark that is removed by the free.
#[repr(C, align(16))]
struct Header {
    size: usize,
    mark: usize,
}

const LIVE: usize = 0x6c69_7665;
const HEADER: usize = size_of::<Header>();

fn layout_of(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, align_of::<Header>()).ok()
}

/// Bytes in the live blocks of `rt_malloc` and `rt_calloc`.
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);

#[unsafe(no_mangle)]
extern "C" fn rt_malloc(size: usize) -> *mut u8 {
    rt_calloc(1, size)
}

#[unsafe(no_mangle)]
extern "C" fn rt_calloc(count: usize, size: usize) -> *mut u8 {
    must_be_thread("the heap");
    let Some(layout) = count.checked_mul(size).filter(|&total| total != 0).and_then(layout_of) else {
        return null::<u8>().cast_mut();
    };
    // SAFETY: the layout is not empty.
    let block = unsafe { alloc_zeroed(layout) };
    if block.is_null() {
        return block;
    }
    LIVE_BYTES.fetch_add(layout.size() - HEADER, Relaxed);
    // SAFETY: the block is large enough for a header at its start.
    unsafe {
        block.cast::<Header>().write(Header { size: layout.size() - HEADER, mark: LIVE });
        block.add(HEADER)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn rt_free(memory: *mut u8) {
    must_be_thread("the heap");
    if memory.is_null() {
        return;
    }
    // SAFETY: each block of `rt_calloc` has a header before it.
    unsafe {
        let block = memory.sub(HEADER);
        let header = &mut *block.cast::<Header>();
        assert!(header.mark == LIVE, "rt_free of {memory:p}, which is not live memory of the heap");
        header.mark = 0;
        LIVE_BYTES.fetch_sub(header.size, Relaxed);
        dealloc(block, layout_of(header.size).unwrap());
    }
}

/// Returns how many bytes of the heap are in use.
#[unsafe(no_mangle)]
extern "C" fn stand_in_heap_used() -> usize {
    KERNEL_HEAP.0.with(|heap| heap.used())
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_live_bytes() -> usize {
    LIVE_BYTES.load(Relaxed)
}

// --- frames --------------------------------------------------------------------------------------------------------

static NEXT_FRAME: AtomicUsize = AtomicUsize::new(0);
static END_OF_FRAMES: AtomicUsize = AtomicUsize::new(0);

/// Returns aligned, contiguous frames for a page table. Page tables are never freed.
pub fn frames(count: usize, align: usize) -> Option<usize> {
    let place = |next: usize| {
        let start = next.next_multiple_of(align);
        (start, start + count * PAGE)
    };
    let next = NEXT_FRAME.fetch_update(SeqCst, SeqCst, |next| Some(place(next).1)).ok()?;
    let (start, end) = place(next);
    (end <= END_OF_FRAMES.load(SeqCst)).then_some(start)
}

// --- memblock ------------------------------------------------------------------------------------------------------

/// `struct rt_mmblk_reg`
#[repr(C)]
struct ReservedNode {
    start: usize,
    end: usize,
    name: *const c_char,
    flags: u32,
    in_use: i32,
    /// The next node's field `next`: `rt_slist_t`.
    next: *const c_void,
}

const NODE: ReservedNode = ReservedNode { start: 0, end: 0, name: null(), flags: 0, in_use: 0, next: null() };

/// The list's head, as `struct rt_memblock`, and its nodes.
#[repr(C)]
struct ReservedList {
    head: UnsafeCell<*const c_void>,
    nodes: UnsafeCell<[ReservedNode; 6]>,
}

// SAFETY: written once, at boot, before a second core or an interrupt runs.
unsafe impl Sync for ReservedList {}

static RESERVED: ReservedList = ReservedList { head: UnsafeCell::new(null()), nodes: UnsafeCell::new([NODE; 6]) };

fn memblock_init(layout: &BootLayout) {
    // SAFETY: see `Sync` above. This is the only writer, and no reader runs yet.
    let (head, nodes) = unsafe { (&mut *RESERVED.head.get(), &mut *RESERVED.nodes.get()) };
    let mut next = null();
    for (node, region) in nodes.iter_mut().zip(layout.reserved).rev() {
        let name = region.name.map_or(null(), CStr::as_ptr);
        *node = ReservedNode { start: region.start, end: region.end, name, flags: 0, in_use: 1, next };
        next = (&raw const node.next).cast();
    }
    *head = next;
}

#[unsafe(no_mangle)]
extern "C" fn rt_memblock_get_reserved() -> *const c_void {
    (&raw const RESERVED.head).cast()
}
