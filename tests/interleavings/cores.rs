//! A kernel whose cores shuttle switches. It has a heap, and maps memory at addresses that are used again at once.

use rt_dma_pool::error::Error;
use rt_dma_pool::kernel::*;
use rt_dma_pool::log::{Level, Line, Name};
use std::alloc::{Layout, alloc_zeroed};
use std::ffi::CStr;
use std::sync::Mutex;

/// The kernel: a leaked value, so that it can be copied.
#[derive(Clone, Copy)]
pub struct Cores(&'static State);

struct State {
    /// The mappings: address, physical address, size.
    mappings: Mutex<Vec<(Va, Pa, usize)>>,
    view_limit: usize,
}

/// Where mappings begin.
const WINDOW: Va = 0x4000_0000_0000;

impl Cores {
    /// A kernel that maps pools of up to `view_limit` bytes as a whole.
    pub fn new(view_limit: usize) -> Self {
        Cores(Box::leak(Box::new(State { mappings: Mutex::new(Vec::new()), view_limit })))
    }

    /// How many mappings there are.
    pub fn mappings(&self) -> usize {
        self.0.mappings.lock().unwrap().len()
    }

    /// Another core may go on here.
    fn switch(&self) {
        shuttle::thread::yield_now();
    }
}

// SAFETY: the heap is the host's and never frees memory; the tests touch no memory that is mapped.
unsafe impl Kernel for Cores {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        self.switch();
        // SAFETY: the layout is not empty.
        unsafe { alloc_zeroed(Layout::from_size_align(size.max(1), 16).unwrap()) }
    }
    unsafe fn heap_free(&self, _memory: *mut u8) {
        self.switch();
    }
    fn v2p(&self, va: Va) -> Option<Pa> {
        let mappings = self.0.mappings.lock().unwrap();
        mappings.iter().find(|(base, _, size)| va.wrapping_sub(*base) < *size).map(|(base, pa, _)| pa + (va - base))
    }
    fn has_page_tables(&self) -> bool {
        true
    }
    fn linear(&self, pa: Pa) -> Va {
        pa
    }
    fn is_every_pool_linear(&self) -> bool {
        false
    }
    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        self.0.mappings.lock().unwrap().push((va, pa, size));
    }
    fn map(&self, pa: Pa, size: usize, _memory: MemoryType) -> Option<Va> {
        self.switch();
        let mut mappings = self.0.mappings.lock().unwrap();
        // The lowest address that is free: the one that was unmapped last, as a rule.
        let is_free = |va: Va| mappings.iter().all(|(base, _, other)| va + size <= *base || base + other <= va);
        let va = (0..).map(|page| WINDOW + page * PAGE_SIZE).find(|va| is_free(*va)).unwrap();
        mappings.push((va, pa, size));
        Some(va)
    }
    unsafe fn unmap(&self, va: Va) {
        self.switch();
        let mut mappings = self.0.mappings.lock().unwrap();
        let index = mappings.iter().position(|mapping| mapping.0 == va).expect("unmapped twice");
        mappings.remove(index);
    }
    unsafe fn copy(&self, _to: Va, _from: Va, _size: usize) {}
    fn device_barrier(&self) {}
    fn caches_write_through(&self) -> bool {
        true
    }
    fn view_limit(&self) -> usize {
        self.0.view_limit
    }
    fn cache_flush(&self, _va: Va, _size: usize) {
        self.switch();
    }
    fn cache_flush_and_drop(&self, _va: Va, _size: usize) {
        self.switch();
    }
    unsafe fn cache_invalidate(&self, _va: Va, _size: usize) {
        self.switch();
    }
    fn cache_line_max(&self) -> usize {
        64
    }
    fn irq_save(&self) -> usize {
        self.switch();
        0
    }
    unsafe fn irq_restore(&self, _saved: usize) {
        self.switch();
    }
    fn can_sleep(&self) -> bool {
        true
    }
    fn pause(&self) {
        self.switch();
    }
    fn region(&self, _list: &RegionList, _index: usize) -> Result<BootRegion, Error> {
        Err(Error::NoList)
    }
    fn consume(&self, _region: BootRegion, _end: Pa) {}
    fn device_name(&self, _device: Device) -> Name {
        Name::NONE
    }
    fn is_coherent(&self, _device: Device) -> bool {
        false
    }
    fn has_node(&self, _device: Device) -> bool {
        false
    }
    fn memory_region(&self, _device: Device, _index: usize) -> Entry<NamedRegion> {
        Entry::End
    }
    fn has_dma_ranges(&self, _device: Device) -> bool {
        false
    }
    fn bus_address(&self, _device: Device, pa: Pa) -> Stretch {
        Stretch { handle: Some(pa), last: Pa::MAX }
    }
    fn cpu_address(&self, _device: Device, handle: usize) -> Option<Pa> {
        Some(handle)
    }
    fn bus_window(&self, _device: Device, _index: usize) -> Entry<BusWindow> {
        Entry::End
    }
    fn log(&self, _level: Level, _line: &Line) {
        self.switch();
    }
    fn log_reserved(&self, _start: Pa, _name: Name, _size: usize) {}
    fn print(&self, _format: &'static CStr, _values: &[usize]) {}
}
