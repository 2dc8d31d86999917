//! A kernel for tests: an implementation of [`Kernel`] over a memory file, which records the calls that it gets.
//!
//! It is stricter than a real one. A service that may sleep panics when the library calls it with a lock held, in an
//! interrupt or with interrupts masked; so does a line of text that is written with a lock or a turn held, a cache
//! operation on memory that is not mapped, a second mapping at a linear address, an unmap of an address that is not mapped,
//! and a free of memory that the heap did not return.

#![allow(dead_code, unused_imports)] // Each test crate uses its part.

mod cache;
mod context;
mod devices;
mod machine;
mod memory;
mod reserved_memory;
mod text;

pub use cache::{CacheCall, LINE, Maintenance};
pub use devices::{DeviceInfo, bus_range, named_region};
pub use machine::{Held, KIB, MIB, Machine, ReservedRegion, range};
pub use memory::{HIGH, LOW, Mapped, Wrong};
pub use reserved_memory::{BootMemory, SharedNode};

use cache::Cache;
use memory::Memory;
use rt_dma_pool::error::Error;
use rt_dma_pool::kernel::{
    BootRegion, BusWindow, Device, Entry, Kernel, MemoryType, NamedRegion, PAGE_SIZE, Pa, RegionList, Stretch, Va,
};
use rt_dma_pool::log::{Level, Line, Name};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence};
use std::sync::{Arc, Mutex, RwLock};

pub const PAGE: usize = PAGE_SIZE;

/// A service that a test can make fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    HeapAlloc,
    Map,
    MapLinear,
    /// Memblock's reservation.
    Reserve,
    /// `map` succeeds, but the mapping leads to other memory.
    MapWrong(Wrong),
    /// `map_linear` succeeds, but its first page leads to other memory.
    MapLinearWrong,
}

/// The number of calls of a service so far, and which calls fail.
#[derive(Clone, Copy)]
struct Fault {
    calls: usize,
    first: usize,
    count: usize,
}

type Handler = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Records {
    heap: HashMap<usize, usize>,
    faults: HashMap<Service, Fault>,
    log: Vec<(Level, String)>,
    /// The boot lines: name, first byte, size in bytes.
    announced: Vec<(String, Pa, usize)>,
    printed: String,
    devices: Vec<DeviceInfo>,
    reserved: Option<Vec<ReservedRegion>>,
    boot: BootMemory,
}

pub struct Inner {
    memory: Memory,
    cache: Mutex<Cache>,
    records: Mutex<Records>,
    view_limit: AtomicUsize,
    maps_at_install: AtomicBool,
    /// The size of the largest mapping that the kernel has room for, in bytes.
    largest_mapping: AtomicUsize,
    caches_write_through: AtomicBool,
    has_page_tables: AtomicBool,
    /// Whether the interface is that of revision r1.
    is_every_pool_linear: AtomicBool,
    /// Runs on a core whenever interrupts are enabled.
    handler: RwLock<Option<Handler>>,
    /// Runs in the thread that writes a line, as a console's driver does.
    writer: RwLock<Option<Handler>>,
    maps: AtomicUsize,
    barriers: AtomicUsize,
    /// The numbers of calls of `v2p` and of `irq_save`.
    look_ups: AtomicUsize,
    irq_saves: AtomicUsize,
}

/// The kernel: a reference that can be copied.
#[derive(Clone, Copy)]
pub struct FakeKernel(&'static Inner);

/// All kernels. They are never freed, because pools refer to them and are never removed.
static KERNELS: Mutex<Vec<&'static Inner>> = Mutex::new(Vec::new());

impl FakeKernel {
    fn new() -> Self {
        let inner: &'static Inner = Box::leak(Box::new(Inner {
            memory: Memory::new(),
            cache: Mutex::default(),
            records: Mutex::default(),
            view_limit: AtomicUsize::new(64 << 20),
            maps_at_install: AtomicBool::new(false),
            largest_mapping: AtomicUsize::new(usize::MAX),
            caches_write_through: AtomicBool::new(true),
            has_page_tables: AtomicBool::new(true),
            is_every_pool_linear: AtomicBool::new(false),
            handler: RwLock::default(),
            writer: RwLock::default(),
            maps: AtomicUsize::new(0),
            barriers: AtomicUsize::new(0),
            look_ups: AtomicUsize::new(0),
            irq_saves: AtomicUsize::new(0),
        }));
        KERNELS.lock().unwrap().push(inner);
        FakeKernel(inner)
    }

    /// Counts a call of a service, and returns whether it fails.
    fn fails(&self, service: Service) -> bool {
        match self.0.records.lock().unwrap().faults.get_mut(&service) {
            Some(fault) => {
                fault.calls += 1;
                (fault.first..fault.first.saturating_add(fault.count)).contains(&(fault.calls - 1))
            }
            None => false,
        }
    }

    /// Checks the context. Every service that may sleep calls it first.
    fn may_sleep(&self, service: &str) {
        assert!(context::can_sleep(), "{service} is called where sleeping is not allowed");
        self.interrupt_if_on();
    }

    /// Runs the interrupt handler if interrupts are enabled.
    fn interrupt_if_on(&self) {
        if context::can_sleep()
            && let Some(handler) = self.0.handler.read().unwrap().clone()
        {
            context::in_interrupt(|| handler());
        }
    }

    /// Checks that text may be written: the console's driver may itself call the library, and would wait for what the caller
    /// holds.
    fn nothing_is_held(&self) {
        assert!(!context::locked(), "text under a lock");
        assert_eq!(context::turns(), 0, "text with a turn held");
    }

    /// Checks the context. Every service that writes text calls it first.
    fn writes_text(&self, service: &str) {
        self.nothing_is_held();
        self.may_sleep(service);
        let writer = self.0.writer.read().unwrap().clone();
        if let Some(writer) = writer {
            context::in_writer(|| writer());
        }
    }

    fn maintain(&self, what: Maintenance, va: Va, size: usize) {
        assert!(!context::locked(), "cache maintenance under a lock");
        self.0.memory.assert_mapped(va, size);
        let (pa, _) = self.0.memory.translate(va).expect("mapped");
        self.0.cache.lock().unwrap().maintain(&self.0.memory, CacheCall { what, pa, size });
    }

    /// Reads as the processor does: through the cache if the mapping is cached.
    fn load(&self, va: Va, size: usize) -> Vec<u8> {
        let Inner { memory, cache, .. } = self.0;
        memory.assert_mapped(va, size);
        let mut bytes = vec![0; size];
        for (start, length) in by_page(va, size) {
            let part = &mut bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, kind)) if self.caches(kind) => cache.lock().unwrap().read(memory, pa, part),
                _ => memory.read(start, part),
            }
        }
        bytes
    }

    /// Writes as the processor does: through the cache if the mapping is cached.
    fn store(&self, va: Va, bytes: &[u8]) {
        let Inner { memory, cache, .. } = self.0;
        memory.assert_mapped(va, bytes.len());
        for (start, length) in by_page(va, bytes.len()) {
            let part = &bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, MemoryType::Cached)) => cache.lock().unwrap().write(memory, pa, part),
                Some((pa, kind)) if self.caches(kind) => cache.lock().unwrap().write_through(memory, pa, part),
                _ => memory.write(start, part),
            }
        }
    }

    fn caches(&self, kind: MemoryType) -> bool {
        match kind {
            MemoryType::Cached => true,
            MemoryType::Uncached => false,
            MemoryType::WriteThrough => self.caches_write_through(),
        }
    }

    fn device(&self, device: Device) -> DeviceInfo {
        let info = self.0.records.lock().unwrap().devices[device.0 / size_of::<usize>() - 1].clone();
        assert!(!info.is_removed, "a call for a device that was removed");
        info
    }
}

/// Returns the parts of `[va, va + size)`, page by page.
fn by_page(va: Va, size: usize) -> impl Iterator<Item = (Va, usize)> {
    let pages = va & !(PAGE - 1)..va + size;
    pages.step_by(PAGE).map(move |page| (page.max(va), (page + PAGE).min(va + size) - page.max(va)))
}

fn heap_layout(size: usize) -> Layout {
    // Aligned for a pointer only, so that AddressSanitizer detects an access to the first byte after the memory.
    Layout::from_size_align(size, align_of::<usize>()).unwrap()
}

// SAFETY: the heap is the host's; `v2p` reads the map of mappings.
unsafe impl Kernel for FakeKernel {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        self.may_sleep("heap_alloc");
        assert_ne!(size, 0, "an allocation of 0 bytes");
        if self.fails(Service::HeapAlloc) {
            return std::ptr::null_mut();
        }
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc_zeroed(heap_layout(size)) };
        self.0.records.lock().unwrap().heap.insert(memory as usize, size);
        memory
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        self.may_sleep("heap_free");
        let size = self.0.records.lock().unwrap().heap.remove(&(memory as usize));
        let size = size.unwrap_or_else(|| panic!("the heap did not give {memory:?}"));
        // SAFETY: `heap_alloc` returned the memory with this layout, and it was not freed before.
        unsafe {
            memory.write_bytes(0xdd, size);
            dealloc(memory, heap_layout(size));
        }
    }

    fn v2p(&self, va: Va) -> Option<Pa> {
        self.0.look_ups.fetch_add(1, Relaxed);
        if !self.has_page_tables() {
            return Some(self.0.memory.pa_of_linear(va));
        }
        self.0.memory.translate(va).map(|(pa, _)| pa)
    }

    fn has_page_tables(&self) -> bool {
        self.0.has_page_tables.load(Relaxed)
    }

    fn is_every_pool_linear(&self) -> bool {
        self.0.is_every_pool_linear.load(Relaxed)
    }

    fn linear(&self, pa: Pa) -> Va {
        self.0.memory.linear(pa)
    }

    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        self.may_sleep("map_linear");
        assert_eq!(va, self.linear(pa));
        assert!(self.has_page_tables(), "a mapping in page tables that are not there");
        if self.fails(Service::MapLinear) {
            // RT-Thread's `_insert_new_varea` logs that.
            self.writes_text("map_linear");
            return;
        }
        self.0.memory.map_linear(pa, size, self.fails(Service::MapLinearWrong));
    }

    unsafe fn unmap_linear(&self, va: Va, size: usize) {
        self.may_sleep("unmap_linear");
        // RT-Thread may log that.
        self.writes_text("unmap_linear");
        self.0.memory.unmap_linear(va, size);
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        self.may_sleep("map");
        if !self.has_page_tables() {
            return (memory == MemoryType::Cached).then(|| self.linear(pa));
        }
        if size > self.0.largest_mapping.load(Relaxed) || self.fails(Service::Map) {
            // RT-Thread's ioremap logs that.
            self.writes_text("map");
            return None;
        }
        self.0.maps.fetch_add(1, Relaxed);
        let wrong = [Wrong::Block, Wrong::LastPage].into_iter().find(|wrong| self.fails(Service::MapWrong(*wrong)));
        Some(self.0.memory.map(pa, size, memory, wrong))
    }

    unsafe fn unmap(&self, va: Va) {
        self.may_sleep("unmap");
        if !self.has_page_tables() {
            return;
        }
        self.0.memory.unmap(va);
    }

    unsafe fn copy(&self, to: Va, from: Va, size: usize) {
        assert!(!context::locked(), "a copy under a lock");
        self.store(to, &self.load(from, size));
        self.device_barrier();
    }

    fn device_barrier(&self) {
        self.0.barriers.fetch_add(1, Relaxed);
        fence(SeqCst);
    }

    fn caches_write_through(&self) -> bool {
        self.0.caches_write_through.load(Relaxed)
    }

    fn view_limit(&self) -> usize {
        self.0.view_limit.load(Relaxed)
    }

    fn maps_at_install(&self) -> bool {
        self.0.maps_at_install.load(Relaxed)
    }

    fn cache_flush(&self, va: Va, size: usize) {
        self.maintain(Maintenance::Flush, va, size);
    }

    fn cache_flush_and_drop(&self, va: Va, size: usize) {
        self.maintain(Maintenance::FlushAndDrop, va, size);
    }

    unsafe fn cache_invalidate(&self, va: Va, size: usize) {
        self.maintain(Maintenance::Invalidate, va, size);
    }

    fn cache_line_max(&self) -> usize {
        self.0.cache.lock().unwrap().largest_line
    }

    fn within_line(&self) -> usize {
        // As a kernel does where lines have different sizes.
        if self.cache_line_max() == cache::LINE { cache::LINE - 1 } else { usize::MAX }
    }

    fn irq_save(&self) -> usize {
        self.0.irq_saves.fetch_add(1, Relaxed);
        self.interrupt_if_on();
        context::irq_save()
    }

    unsafe fn irq_restore(&self, saved: usize) {
        context::irq_restore(saved);
        self.interrupt_if_on();
    }

    fn can_sleep(&self) -> bool {
        context::can_sleep()
    }

    fn pause(&self) {
        self.may_sleep("pause");
        // A tick, as of `rt_thread_mdelay(1)`.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    fn turn_begins(&self) {
        context::turn_begins();
    }

    fn turn_ends(&self) {
        context::turn_ends();
    }

    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        assert_eq!(*list, RegionList::RESERVED);
        let records = self.0.records.lock().unwrap();
        let mut usable = records.reserved.as_ref().ok_or(Error::NoList)?.iter().filter(|region| region.usable);
        let ReservedRegion { start, end, .. } = *usable.nth(index).ok_or(Error::NoRegion)?;
        Ok(BootRegion { start, end, address: index + 1 })
    }

    fn consume(&self, _region: BootRegion, _end: Pa) {
        // The region is memblock's, which is not written.
    }

    fn device_name(&self, device: Device) -> Name {
        self.device(device).name.map_or(Name::NONE, Name::of)
    }

    fn is_coherent(&self, device: Device) -> bool {
        self.device(device).coherent
    }

    fn has_node(&self, device: Device) -> bool {
        self.device(device).has_node
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        self.may_sleep("memory_region");
        self.device(device).regions.get(index).copied().unwrap_or(Entry::End)
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        self.may_sleep("has_dma_ranges");
        self.device(device).has_dma_ranges
    }

    fn bus_address(&self, device: Device, pa: Pa) -> Stretch {
        self.device(device).bus_address(pa)
    }

    fn cpu_address(&self, device: Device, handle: usize) -> Option<Pa> {
        self.device(device).cpu_address(handle)
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        self.device(device).windows.get(index).map_or(Entry::End, |window| Entry::Found(*window))
    }

    fn log(&self, level: Level, line: &Line) {
        self.nothing_is_held();
        let text = text::format_line(line);
        if !context::can_sleep() {
            return;
        }
        self.writes_text("say");
        self.0.records.lock().unwrap().log.push((level, text));
    }

    fn log_reserved(&self, start: Pa, name: Name, size: usize) {
        self.writes_text("announce");
        self.0.records.lock().unwrap().announced.push((text::text_of(name), start, size));
    }

    fn print(&self, format: &'static CStr, values: &[usize]) {
        self.writes_text("print");
        self.0.records.lock().unwrap().printed.push_str(&text::format(format, values));
    }
}
