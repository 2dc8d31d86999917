//! A kernel for unit tests. It has a heap; its other services do nothing.

#![allow(unsafe_code)]

use super::*;
use std::alloc::{Layout, alloc_zeroed};

std::thread_local! {
    static MASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static DROPPED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns how many bytes this thread has dropped from the cache, written to memory before or not.
pub fn dropped() -> usize {
    DROPPED.get()
}

/// Whether this thread, which plays a core, has masked interrupts.
pub fn is_masked() -> bool {
    MASKED.get() != 0
}

/// A kernel that consists of a heap.
#[derive(Clone, Copy)]
pub struct HeapOnly;

// SAFETY: the heap is the host's, and never frees memory. No test uses another service.
unsafe impl Kernel for HeapOnly {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: the layout is not empty.
        unsafe { alloc_zeroed(Layout::from_size_align(size.max(1), 16).unwrap()) }
    }
    unsafe fn heap_free(&self, _memory: *mut u8) {}
    fn v2p(&self, _va: Va) -> Option<Pa> {
        None
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
    unsafe fn map_linear(&self, _va: Va, _pa: Pa, _size: usize) {}
    fn map(&self, _pa: Pa, _size: usize, _memory: MemoryType) -> Option<Va> {
        None
    }
    unsafe fn unmap(&self, _va: Va) {}
    unsafe fn copy(&self, _to: Va, _from: Va, _size: usize) {}
    fn device_barrier(&self) {}
    fn caches_write_through(&self) -> bool {
        true
    }
    fn view_limit(&self) -> usize {
        0
    }
    fn cache_flush(&self, _va: Va, _size: usize) {}
    fn cache_flush_and_drop(&self, _va: Va, size: usize) {
        DROPPED.set(DROPPED.get() + size);
    }
    unsafe fn cache_invalidate(&self, _va: Va, size: usize) {
        DROPPED.set(DROPPED.get() + size);
    }
    fn cache_line_max(&self) -> usize {
        64
    }
    fn irq_save(&self) -> usize {
        MASKED.replace(MASKED.get() + 1)
    }
    unsafe fn irq_restore(&self, saved: usize) {
        MASKED.set(saved);
    }
    fn can_sleep(&self) -> bool {
        true
    }
    fn pause(&self) {}
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
    fn log(&self, _level: Level, _line: &Line) {}
    fn log_reserved(&self, _start: Pa, _name: Name, _size: usize) {}
    fn print(&self, _format: &'static CStr, _values: &[usize]) {}
}
