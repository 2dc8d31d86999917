//! What firmware and the boot loader state: regions of reserved memory, memblock's lists.

use std::cell::RefCell;
use std::ffi::{c_char, c_int};

use rt_dma_pool::abi::rt_region_t;

use crate::machine::{self, Service};
use crate::memory::{LOW_PAGES, PAGE, pa_of};
use crate::{devices, port};

pub const FOUND: c_int = 0;
const END: c_int = 1;
const NO_LIST: c_int = 2;
const NO_MEMBLOCK: c_int = 3;
const NO_TREE: c_int = 4;
pub const NO_NODE: c_int = 5;
pub const DISABLED: c_int = 6;
pub const NO_REG: c_int = 7;
pub const BAD_NODE: c_int = 8;
pub const NOT_RESERVED: c_int = 9;

/// Pages of the board's own allocator.
pub const OWN: std::ops::Range<usize> = 108..112;

/// A region of a `memory-region`: its first page and its pages.
pub struct NamedRegion {
    pub first: usize,
    pub pages: usize,
    pub no_map: bool,
    pub reusable: bool,
    pub is_shared: bool,
}

const fn region(first: usize, pages: usize) -> NamedRegion {
    NamedRegion { first, pages, no_map: false, reusable: false, is_shared: false }
}

pub static REGIONS: [NamedRegion; 5] = [
    region(64, 8),
    NamedRegion { reusable: true, ..region(72, 8) },
    NamedRegion { no_map: true, ..region(80, 4) },
    NamedRegion { reusable: true, is_shared: true, ..region(84, 8) },
    NamedRegion { reusable: true, no_map: true, ..region(92, 1) },
];

/// Returns whether a device may own the region that begins at `pa`.
pub fn is_named(pa: usize) -> bool {
    REGIONS.iter().any(|region| pa_of(region.first) == pa)
}

/// `rt_dma_port_named_region`.
#[repr(C)]
struct PortRegion {
    start: usize,
    end: usize,
    no_map: c_int,
    reusable: c_int,
    is_shared: c_int,
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_memory_region(dev: usize, index: usize, place: *mut PortRegion) -> c_int {
    machine::assert_thread("the device tree");
    let kind = devices::kind(dev).expect("a device");
    match kind.regions.get(index) {
        None => END,
        Some(Err(error)) => *error,
        Some(Ok(region)) => {
            let region = &REGIONS[*region];
            let (start, end) = (pa_of(region.first), pa_of(region.first) + region.pages * PAGE);
            let (no_map, reusable) = (region.no_map.into(), region.reusable.into());
            // SAFETY: the caller's place.
            unsafe { place.write(PortRegion { start, end, no_map, reusable, is_shared: region.is_shared.into() }) };
            FOUND
        }
    }
}

/// `struct rt_dma_port_regions`.
#[repr(C)]
struct List {
    start: *mut rt_region_t,
    length: usize,
}

/// Memory for boot pools, as first page and pages, in the order of memblock's list.
const BOOT: [(usize, usize); 3] = [(LOW_PAGES + 40, 24), (48, 16), (62, 2)];

struct Boot {
    /// memblock's regions named "dma-pool".
    regions: Vec<rt_region_t>,
    has_memblock: bool,
    has_tree: bool,
    /// Where the nodes without `reg` were placed.
    placed: [usize; 4],
}

thread_local! {
    static BOOT_STATE: RefCell<Boot> = const {
        RefCell::new(Boot { regions: Vec::new(), has_memblock: true, has_tree: true, placed: [0; 4] })
    };
}

/// Begins a run.
pub fn reset(has_memblock: bool, has_tree: bool) {
    BOOT_STATE.with_borrow_mut(|boot| *boot = Boot { regions: boot_regions(), has_memblock, has_tree, placed: [0; 4] });
}

/// Returns a list of regions for an extract of revision r1.
pub fn boot_regions() -> Vec<rt_region_t> {
    let region = |(first, pages): &(usize, usize)| rt_region_t {
        start: pa_of(*first),
        end: pa_of(*first) + pages * PAGE,
        name: c"dma-pool".as_ptr(),
    };
    BOOT.iter().map(region).collect()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_pool_region(list: *const List, index: usize, found: *mut *mut rt_region_t) -> c_int {
    machine::assert_thread("memblock");
    let region = if port::revision() == 1 {
        // SAFETY: the list is the library's, its regions are the caller's of `rt_dma_pool_extract`.
        let List { start, length } = unsafe { list.read() };
        if start.is_null() {
            return NO_LIST;
        }
        (index < length).then(|| start.wrapping_add(index))
    } else {
        let (has_memblock, region) =
            BOOT_STATE.with_borrow_mut(|boot| (boot.has_memblock, boot.regions.get_mut(index).map(std::ptr::from_mut)));
        if !has_memblock {
            return NO_MEMBLOCK;
        }
        region
    };
    let Some(region) = region else { return END };
    // SAFETY: the caller's place.
    unsafe { found.write(region) };
    FOUND
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_shrink_region(region: *mut rt_region_t, start: usize, end: usize) {
    if port::revision() == 1 {
        // SAFETY: the region is the caller's of `rt_dma_pool_extract`.
        let region = unsafe { &mut *region };
        if region.start == start && region.end != end {
            region.start = end;
        }
    }
}

/// A child of `/reserved-memory`.
struct Node {
    name: &'static std::ffi::CStr,
    size: u64,
    alignment: u64,
    /// First page and pages; none if there is no `reg`.
    reg: Option<(usize, usize)>,
    no_map: bool,
    reusable: bool,
    is_default: bool,
}

const NODE: Node =
    Node { name: c"node", size: 0, alignment: 0, reg: None, no_map: false, reusable: false, is_default: false };

static NODES: [Node; 4] = [
    Node { name: c"default", reg: Some((92, 8)), reusable: true, is_default: true, ..NODE },
    Node { name: c"placed", size: 3 * PAGE as u64, alignment: 4 * PAGE as u64, ..NODE },
    Node { name: c"conflict", reg: Some((140, 1)), reusable: true, no_map: true, is_default: true, ..NODE },
    Node { name: c"default-placed", size: PAGE as u64, reusable: true, is_default: true, ..NODE },
];

/// `rt_dma_port_shared_pool`.
#[repr(C)]
struct SharedPool {
    node: usize,
    name: *const c_char,
    size: u64,
    alignment: u64,
    start: usize,
    end: usize,
    has_reg: c_int,
    no_map: c_int,
    reusable: c_int,
    is_default: c_int,
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_shared_pool(index: usize, place: *mut SharedPool) -> c_int {
    machine::assert_thread("the device tree");
    BOOT_STATE.with_borrow(|boot| {
        if !boot.has_tree {
            return NO_TREE;
        }
        let Some(node) = NODES.get(index) else { return END };
        let placed = (boot.placed[index] != 0).then(|| (boot.placed[index], node.size as usize));
        let reg = node.reg.map(|(first, pages)| (pa_of(first), pages * PAGE)).or(placed);
        let (start, reg_size) = reg.unwrap_or((0, 0));
        // As in the port: with a place, the node has no size and no alignment.
        let (size, alignment) = if reg.is_some() { (0, 0) } else { (node.size, node.alignment) };
        let pool = SharedPool {
            node: index + 1,
            name: node.name.as_ptr(),
            size,
            alignment,
            start,
            end: start + reg_size,
            has_reg: reg.is_some().into(),
            no_map: node.no_map.into(),
            reusable: node.reusable.into(),
            is_default: node.is_default.into(),
        };
        // SAFETY: the caller's place.
        unsafe { place.write(pool) };
        FOUND
    })
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_alloc_range(node: usize, index: usize, start: *mut u64, size: *mut u64) -> c_int {
    if node != 2 || index != 0 {
        return END;
    }
    // SAFETY: the caller's places.
    unsafe {
        start.write(pa_of(97) as u64);
        size.write(11 * PAGE as u64);
    }
    FOUND
}

/// Returns one entry of a list of ranges of pages.
fn entry(list: &[(usize, usize)], index: usize, place: *mut [usize; 2]) -> c_int {
    let Some((first, pages)) = list.get(index) else { return END };
    // SAFETY: the caller's place, of two words.
    unsafe { place.write([pa_of(*first), pa_of(*first) + pages * PAGE]) };
    FOUND
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_boot_memory(index: usize, place: *mut [usize; 2]) -> c_int {
    machine::assert_thread("memblock");
    entry(if BOOT_STATE.with_borrow(|boot| boot.has_memblock) { &[(92, 16)] } else { &[] }, index, place)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_boot_reserved(index: usize, place: *mut [usize; 2]) -> c_int {
    machine::assert_thread("memblock");
    let mut list = vec![(92, 8)];
    BOOT_STATE.with_borrow(|boot| {
        for (start, node) in boot.placed.iter().zip(&NODES).filter(|(start, _)| **start != 0) {
            list.push((crate::memory::page_of(*start).expect("RAM"), node.size as usize / PAGE));
        }
    });
    entry(&list, index, place)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_kernel_uses(pa: usize) -> c_int {
    (pa < pa_of(92)).into()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_reserve(node: usize, start: usize, end: usize, _no_map: c_int) -> c_int {
    machine::assert_thread("memblock");
    if machine::count_and_check_failure(Service::Reserve) {
        return -1;
    }
    assert!(start >= pa_of(100) && end <= pa_of(108), "memory is reserved that is in use");
    BOOT_STATE.with_borrow_mut(|boot| boot.placed[node - 1] = start);
    0
}
