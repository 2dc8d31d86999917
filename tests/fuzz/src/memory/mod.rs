//! Physical memory, the mappings of the kernel, and a data cache.
//!
//! Memory is two files: what RAM contains, and what the processor sees through the cache. A cached mapping shows the
//! second file, an uncached one and a device the first. A line lies in the cache all the time, as if the processor read
//! ahead whatever it can. It is dirty if it differs from what was read or written back last: a write of the bytes that
//! a line has already is not noticed, so the model writes no bytes twice.

mod cache;

use std::cell::RefCell;

pub const PAGE: usize = 4096;
pub const LOW: usize = 0x4000_0000;
pub const LOW_PAGES: usize = 320;
pub const HIGH: usize = 0x1_0000_0000;
pub const HIGH_PAGES: usize = 64;
pub const PAGES: usize = LOW_PAGES + HIGH_PAGES;
/// Pages at the start of low and of high memory that belong to the kernel, and are mapped linearly from the start.
pub const KERNEL_LOW: usize = 16;
pub const KERNEL_HIGH: usize = 8;

/// The linear map: the address of physical address 0. It lies where neither the heap nor AddressSanitizer has memory.
const LINEAR: usize = 0x2000_0000_0000;
const WINDOW: usize = 0x2100_0000_0000;
const WINDOW_PAGES: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryType {
    Cached,
    Uncached,
    WriteThrough,
}

struct Mapping {
    va: usize,
    pages: Vec<usize>,
    memory: MemoryType,
}

pub struct Memory {
    files: [i32; 2],
    ram: usize,
    cache: usize,
    /// What each line had when it was read, or written back.
    clean: usize,
    is_linear: [bool; PAGES],
    mappings: Vec<Mapping>,
    /// Bytes of a line in every second block of 1 KiB; the other blocks have lines of 64 bytes.
    pub largest_line: usize,
    /// A flush leaves the lines in the cache, as on 32-bit Arm.
    pub keeps_flushed: bool,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::new(Memory::new());
}

/// Calls `look` with the memory. No call of the library is made meanwhile.
pub fn with<T>(look: impl FnOnce(&mut Memory) -> T) -> T {
    MEMORY.with_borrow_mut(look)
}

/// Returns the number of the page that contains `pa`; `None` outside RAM.
pub fn page_of(pa: usize) -> Option<usize> {
    match pa {
        LOW.. if pa - LOW < LOW_PAGES * PAGE => Some((pa - LOW) / PAGE),
        HIGH.. if pa - HIGH < HIGH_PAGES * PAGE => Some(LOW_PAGES + (pa - HIGH) / PAGE),
        _ => None,
    }
}

/// Returns the physical address of a page.
pub const fn pa_of(page: usize) -> usize {
    if page < LOW_PAGES { LOW + page * PAGE } else { HIGH + (page - LOW_PAGES) * PAGE }
}

/// Returns the address of `pa` in the linear map.
pub fn linear(pa: usize) -> usize {
    LINEAR + pa
}

/// Returns `PV_OFFSET`.
pub fn pv_offset() -> usize {
    0usize.wrapping_sub(LINEAR)
}

fn map_at(va: usize, pages: usize, file: Option<(i32, usize)>) -> usize {
    use libc::*;
    let (fd, offset, kind) = file.map_or((-1, 0, MAP_PRIVATE | MAP_ANONYMOUS), |(fd, at)| (fd, at, MAP_SHARED));
    let access = if file.is_some() { PROT_READ | PROT_WRITE } else { PROT_NONE };
    let fixed = if va == 0 { 0 } else { MAP_FIXED };
    // SAFETY: the addresses are this program's own, reserved for it.
    let at = unsafe { mmap(va as *mut _, pages * PAGE, access, kind | fixed | MAP_NORESERVE, fd, offset as i64) };
    assert!(at != MAP_FAILED, "the host maps {pages} pages at {va:#x}");
    at as usize
}

fn file() -> i32 {
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"memory".as_ptr(), 0) };
    // SAFETY: the file is new.
    assert!(fd >= 0 && unsafe { libc::ftruncate(fd, (PAGES * PAGE) as i64) } == 0);
    fd
}

impl Memory {
    fn new() -> Self {
        let files = [file(), file()];
        let [ram, cache, clean] = [files[0], files[1], file()].map(|file| map_at(0, PAGES, Some((file, 0))));
        Memory {
            files,
            ram,
            cache,
            clean,
            is_linear: [false; PAGES],
            mappings: Vec::new(),
            largest_line: 64,
            keeps_flushed: false,
        }
    }

    /// Empties RAM and the cache, and removes all mappings but the linear map of the kernel's memory.
    pub fn reset(&mut self) {
        for base in [self.ram, self.cache, self.clean] {
            // SAFETY: the mapping is this object's own. The pages of the file become zeros.
            assert!(unsafe { libc::madvise(base as *mut _, PAGES * PAGE, libc::MADV_REMOVE) } == 0);
        }
        self.mappings.clear();
        self.is_linear = [false; PAGES];
        map_at(WINDOW, WINDOW_PAGES, None);
        map_at(linear(LOW), LOW_PAGES, None);
        map_at(linear(HIGH), HIGH_PAGES, None);
        let own = crate::firmware::OWN;
        for (pa, pages) in [(LOW, KERNEL_LOW), (HIGH, KERNEL_HIGH), (pa_of(own.start), own.len())] {
            self.map_linear(pa, pages);
        }
    }

    /// Writes to lines of the pages without a flush, as boot code may have.
    pub fn make_dirty(&mut self, pages: std::ops::Range<usize>) {
        for line in (pages.start * PAGE..pages.end * PAGE).step_by(64) {
            // SAFETY: the page is one of the file.
            unsafe { ((self.cache + line) as *mut u8).write_volatile(0xbb) };
        }
    }

    /// Maps pages linearly, none of which is.
    pub fn map_linear(&mut self, pa: usize, pages: usize) {
        let Some(first) = page_of(pa) else { panic!("memory at {pa:#x} is mapped, which is no RAM") };
        let is_ram = page_of(pa + pages * PAGE - 1) == Some(first + pages - 1);
        assert!(is_ram, "{pages} pages at {pa:#x} are mapped, which are no RAM");
        assert!(!self.is_linear[first..first + pages].contains(&true), "memory is mapped twice");
        self.is_linear[first..first + pages].fill(true);
        map_at(linear(pa), pages, Some((self.files[1], first * PAGE)));
    }

    /// Undoes [`map_linear`](Memory::map_linear).
    pub fn unmap_linear(&mut self, pa: usize, pages: usize) {
        let first = page_of(pa).expect("RAM");
        let is_linear = &mut self.is_linear[first..first + pages];
        assert!(!is_linear.contains(&false), "memory is unmapped that is not mapped linearly");
        is_linear.fill(false);
        map_at(linear(pa), pages, None);
    }

    /// Returns whether a page is mapped: linearly, or in the window.
    pub fn is_mapped(&self, page: usize) -> bool {
        self.is_linear[page] || self.mappings.iter().any(|mapping| mapping.pages.contains(&page))
    }

    /// Maps pages one after the other in the window.
    pub fn map_pages(&mut self, pages: &[usize], memory: MemoryType) -> Option<usize> {
        let mut va = WINDOW + PAGE;
        for mapping in &self.mappings {
            if mapping.va - va > pages.len() * PAGE {
                break;
            }
            va = mapping.va + (mapping.pages.len() + 1) * PAGE;
        }
        if va + pages.len() * PAGE > WINDOW + WINDOW_PAGES * PAGE {
            return None;
        }
        let file = self.files[usize::from(memory == MemoryType::Cached)];
        let mut at = va;
        for run in pages.chunk_by(|page, next| page + 1 == *next) {
            map_at(at, run.len(), Some((file, run[0] * PAGE)));
            at += run.len() * PAGE;
        }
        let index = self.mappings.partition_point(|mapping| mapping.va < va);
        self.mappings.insert(index, Mapping { va, pages: pages.to_vec(), memory });
        Some(va)
    }

    /// Removes a mapping of the window.
    pub fn unmap(&mut self, va: usize) {
        let index = self.mappings.iter().position(|mapping| mapping.va == va);
        let index = index.unwrap_or_else(|| panic!("{va:#x} is unmapped, where no mapping begins"));
        let mapping = self.mappings.remove(index);
        map_at(va, mapping.pages.len(), None);
    }

    /// Returns the mappings of the window: the first page and the number of pages of each.
    pub fn mappings(&self) -> Vec<(usize, usize)> {
        self.mappings.iter().map(|mapping| (mapping.pages[0], mapping.pages.len())).collect()
    }

    /// Returns the physical address and the memory type at `va`.
    pub fn translate(&self, va: usize) -> Option<(usize, MemoryType)> {
        let pa = va.wrapping_sub(LINEAR);
        if page_of(pa).is_some_and(|page| self.is_linear[page]) {
            return Some((pa, MemoryType::Cached));
        }
        let index = self.mappings.partition_point(|mapping| mapping.va <= va).checked_sub(1)?;
        let mapping = &self.mappings[index];
        let page = mapping.pages.get((va - mapping.va) / PAGE)?;
        Some((pa_of(*page) + va % PAGE, mapping.memory))
    }
}

/// Returns what the processor reads at `va`.
pub fn read(va: usize, size: usize) -> Vec<u8> {
    assert_mapped(va, size);
    let mut bytes = vec![0; size];
    // SAFETY: the pages are mapped, in memory that no Rust object lies in.
    unsafe { std::ptr::copy_nonoverlapping(va as *const u8, bytes.as_mut_ptr(), size) };
    bytes
}

/// Writes as the processor does.
pub fn write(va: usize, bytes: &[u8]) {
    assert_mapped(va, bytes.len());
    // SAFETY: as in `read`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), va as *mut u8, bytes.len()) };
    with(|memory| {
        // Clean lines of memory that is not cached are read again.
        if let Some((pa, MemoryType::Uncached | MemoryType::WriteThrough)) = memory.translate(va) {
            memory.refresh(pa, bytes.len());
        }
    });
}

/// Returns the physical address at which `va` is mapped.
pub fn v2p(va: usize) -> Option<usize> {
    with(|memory| memory.translate(va)).map(|(pa, _)| pa)
}

fn assert_mapped(va: usize, size: usize) {
    let pages = (va & !(PAGE - 1)..va + size).step_by(PAGE);
    pages.for_each(|page| assert!(v2p(page).is_some(), "a fault at {page:#x}"));
}
