//! Physical memory: a memory file that can be mapped several times, so that two addresses of one page access one page.

use super::PAGE;
use rt_dma_pool::kernel::{MemoryType, Pa, Va};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, RwLock};

/// RAM below 4 GiB.
pub const LOW: Range<Pa> = 0x4000_0000..0x4800_0000;
/// RAM across 4 GiB.
#[cfg(target_pointer_width = "64")]
pub const HIGH: Range<Pa> = 0xff00_0000..0x1_0400_0000;
/// On a host of 32 bits there is no address above 4 GiB, and no room for a linear map that reaches up to it.
#[cfg(target_pointer_width = "32")]
pub const HIGH: Range<Pa> = 0x4c00_0000..0x5100_0000;

/// A mapping that [`Memory::unmap`] removes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapped {
    pub pa: Pa,
    pub size: usize,
    pub memory: MemoryType,
}

/// The ways in which a mapping leads to the wrong memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WrongMapping {
    /// It leads to the 2 MiB block around the address, as a block mapping of aarch64.
    Block,
    /// Only its last page leads to other memory.
    LastPage,
}

pub struct Memory {
    file: Mutex<Option<OwnedFd>>,
    /// The linear address of the first byte of [`LOW`].
    linear: Va,
    /// The whole memory file, which devices access.
    bus: Va,
    /// The page table, which `v2p` reads: the physical page of each mapped page.
    table: RwLock<HashMap<Va, (Pa, MemoryType)>>,
    mapped: Mutex<BTreeMap<Va, Mapped>>,
    /// The address of the next mapping, if a test has set one.
    next_va: Mutex<Option<Va>>,
}

const LINEAR_SIZE: usize = HIGH.end - LOW.start;
const FILE_SIZE: usize = (LOW.end - LOW.start) + (HIGH.end - HIGH.start);

/// Returns the offset of `pa` in the file.
fn offset_of(pa: Pa) -> usize {
    match pa {
        _ if LOW.contains(&pa) => pa - LOW.start,
        _ if HIGH.contains(&pa) => pa - HIGH.start + (LOW.end - LOW.start),
        _ => panic!("there is no RAM at {pa:#x}"),
    }
}

/// Maps memory of the host at `at`, or where the host chooses.
fn mmap(at: Option<Va>, size: usize, protection: i32, flags: i32, file: i32, offset: usize) -> Va {
    let flags = if at.is_some() { flags | libc::MAP_FIXED } else { flags };
    // SAFETY: the host chooses a new range, or the range is one that this file has reserved or mapped, or one that a
    // test chose (`map_next_at`) where the host has nothing mapped.
    let va = unsafe { libc::mmap(at.unwrap_or(0) as *mut _, size, protection, flags, file, offset as libc::off_t) };
    assert_ne!(va, libc::MAP_FAILED, "mmap: {}", std::io::Error::last_os_error());
    va as Va
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;
/// The flags of a range of addresses that is kept free.
const RESERVE: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

impl Memory {
    pub fn new() -> Self {
        // SAFETY: the name is a C string; the descriptor is new, and this value owns it.
        let file = unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"ram".as_ptr(), libc::MFD_CLOEXEC)) };
        // SAFETY: the descriptor is open.
        assert_eq!(unsafe { libc::ftruncate(file.as_raw_fd(), FILE_SIZE as libc::off_t) }, 0);
        Memory {
            linear: mmap(None, LINEAR_SIZE, libc::PROT_NONE, RESERVE, -1, 0),
            bus: mmap(None, FILE_SIZE, READ_WRITE, libc::MAP_SHARED, file.as_raw_fd(), 0),
            file: Mutex::new(Some(file)),
            table: RwLock::default(),
            mapped: Mutex::default(),
            next_va: Mutex::default(),
        }
    }

    /// Returns all memory to the host. Nothing is mapped afterwards.
    pub fn close(&self) {
        let live: Vec<_> = self.mapped.lock().unwrap().keys().copied().collect();
        live.into_iter().for_each(|va| self.unmap(va));
        self.table.write().unwrap().clear();
        // SAFETY: both ranges belong to this file, and nothing uses them any more.
        unsafe {
            libc::munmap(self.linear as *mut _, LINEAR_SIZE);
            libc::munmap(self.bus as *mut _, FILE_SIZE);
        }
        *self.file.lock().unwrap() = None;
    }

    pub fn linear(&self, pa: Pa) -> Va {
        self.linear.wrapping_add(pa).wrapping_sub(LOW.start)
    }

    /// Returns the physical address that `va` has if it lies in the linear map.
    pub fn pa_of_linear(&self, va: Va) -> Pa {
        va.wrapping_sub(self.linear).wrapping_add(LOW.start)
    }

    pub fn translate(&self, va: Va) -> Option<(Pa, MemoryType)> {
        let (page, memory) = *self.table.read().unwrap().get(&(va & !(PAGE - 1)))?;
        Some((page + va % PAGE, memory))
    }

    /// Maps RAM at `at`, or where the host chooses, and notes the pages in the table.
    fn map_at(&self, at: Option<Va>, pa: Pa, size: usize, memory: MemoryType) -> Va {
        assert!(
            pa.is_multiple_of(PAGE) && size.is_multiple_of(PAGE) && size != 0,
            "not whole pages: {pa:#x} {size:#x}"
        );
        assert_eq!(offset_of(pa + size - 1) - offset_of(pa), size - 1, "RAM from {pa:#x} on ends too early");
        let file = self.file.lock().unwrap().as_ref().expect("the machine is on").as_raw_fd();
        let va = mmap(at, size, READ_WRITE, libc::MAP_SHARED, file, offset_of(pa));
        let mut table = self.table.write().unwrap();
        for offset in (0..size).step_by(PAGE) {
            table.insert(va + offset, (pa + offset, memory));
        }
        va
    }

    /// Maps at the linear address. It panics if something is mapped there, as RT-Thread asserts.
    pub fn map_linear(&self, pa: Pa, size: usize) {
        let va = self.linear(pa);
        for offset in (0..size).step_by(PAGE) {
            assert_eq!(self.translate(va + offset), None, "{:#x} is mapped linearly already", pa + offset);
        }
        self.map_at(Some(va), pa, size, MemoryType::Cached);
    }

    /// Makes the first page of a linear mapping lead to other memory.
    pub fn mislead_linear(&self, pa: Pa) {
        self.map_at(Some(self.linear(pa)), elsewhere(pa), PAGE, MemoryType::Cached);
    }

    /// Undoes [`map_linear`](Memory::map_linear). It panics if a page is not mapped.
    pub fn unmap_linear(&self, va: Va, size: usize) {
        let mut table = self.table.write().unwrap();
        let were_mapped = (0..size).step_by(PAGE).all(|offset| table.remove(&(va + offset)).is_some());
        if were_mapped {
            mmap(Some(va), size, libc::PROT_NONE, RESERVE, -1, 0);
        }
        // A panic while the lock is held would make every later use of the table panic.
        drop(table);
        assert!(were_mapped, "not all of {size} bytes at {va:#x} are mapped");
    }

    /// Maps at any address. With `wrong`, the mapping leads to other memory, which the table records.
    pub fn map(&self, pa: Pa, size: usize, memory: MemoryType, wrong: Option<WrongMapping>) -> Va {
        let leads_to = if wrong == Some(WrongMapping::Block) { elsewhere(pa) } else { pa };
        let at = self.next_va.lock().unwrap().take();
        let va = self.map_at(at, leads_to, size, memory);
        if wrong == Some(WrongMapping::LastPage) {
            self.map_at(Some(va + size - PAGE), elsewhere(pa + size - PAGE), PAGE, memory);
        }
        self.mapped.lock().unwrap().insert(va, Mapped { pa, size, memory });
        va
    }

    /// Sets the address of the next mapping.
    pub fn map_next_at(&self, va: Va) {
        *self.next_va.lock().unwrap() = Some(va);
    }

    /// Maps pages one after the other.
    pub fn map_pages(&self, pages: &[Pa], memory: MemoryType) -> Va {
        let size = pages.len() * PAGE;
        let va = mmap(None, size, libc::PROT_NONE, RESERVE, -1, 0);
        for (page, pa) in pages.iter().enumerate() {
            self.map_at(Some(va + page * PAGE), *pa, PAGE, memory);
        }
        self.mapped.lock().unwrap().insert(va, Mapped { pa: pages[0], size, memory });
        va
    }

    pub fn unmap(&self, va: Va) {
        let mapped = self.mapped.lock().unwrap().remove(&va);
        let Mapped { size, .. } = mapped.unwrap_or_else(|| panic!("no mapping begins at {va:#x}"));
        let mut table = self.table.write().unwrap();
        for offset in (0..size).step_by(PAGE) {
            table.remove(&(va + offset));
        }
        // SAFETY: the mapping was made with this size, and it was not removed before.
        unsafe { libc::munmap(va as *mut _, size) };
    }

    /// Returns the mappings of `map` and `map_pages` that were not removed.
    pub fn mapped(&self) -> Vec<Mapped> {
        self.mapped.lock().unwrap().values().copied().collect()
    }

    /// Copies through the processor's page tables; every page must be mapped.
    pub fn read(&self, va: Va, bytes: &mut [u8]) {
        self.assert_mapped(va, bytes.len());
        for (offset, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: the page is mapped, by the line above; tests do not use a buffer in two threads at once.
            *byte = unsafe { ((va + offset) as *const u8).read_volatile() };
        }
    }

    /// Copies through the processor's page tables; every page must be mapped.
    pub fn write(&self, va: Va, bytes: &[u8]) {
        self.assert_mapped(va, bytes.len());
        for (offset, byte) in bytes.iter().enumerate() {
            // SAFETY: as in `read`.
            unsafe { ((va + offset) as *mut u8).write_volatile(*byte) };
        }
    }

    pub fn assert_mapped(&self, va: Va, size: usize) {
        let pages = va & !(PAGE - 1)..va + size;
        let is_mapped = pages.step_by(PAGE).all(|page| self.translate(page).is_some());
        assert!(is_mapped, "not all of {size} bytes at {va:#x} are mapped");
    }

    /// Returns the host address at which a device or the cache accesses `size` bytes of RAM at `pa`.
    fn on_bus(&self, pa: Pa, size: usize) -> Va {
        assert!(size == 0 || offset_of(pa + size - 1) - offset_of(pa) == size - 1, "a device leaves RAM at {pa:#x}");
        self.bus + offset_of(pa)
    }

    pub fn device_read(&self, pa: Pa, bytes: &mut [u8]) {
        let va = self.on_bus(pa, bytes.len());
        for (offset, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: the range lies within the mapping of the whole file.
            *byte = unsafe { ((va + offset) as *const u8).read_volatile() };
        }
    }

    pub fn device_write(&self, pa: Pa, bytes: &[u8]) {
        let va = self.on_bus(pa, bytes.len());
        for (offset, byte) in bytes.iter().enumerate() {
            // SAFETY: the range lies within the mapping of the whole file.
            unsafe { ((va + offset) as *mut u8).write_volatile(*byte) };
        }
    }
}

/// Returns another address than `pa`: that of the block around it, or of the next block if `pa` begins one.
fn elsewhere(pa: Pa) -> Pa {
    const BLOCK: usize = 2 << 20;
    if pa.is_multiple_of(BLOCK) { pa + BLOCK } else { pa & !(BLOCK - 1) }
}
