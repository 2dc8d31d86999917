//! Kernels for tests without RT-Thread. Each has a heap and counts what is called; everything else is what its
//! [`Services`] do.

#![allow(unsafe_code)]

use super::*;
use crate::error::Error;
use crate::log::{Level, Line, Name};
use crate::text::Text;
use core::num::NonZeroUsize;
use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;

std::thread_local! {
    /// How many times this thread masked interrupts and has not restored them.
    static MASKED: Cell<usize> = const { Cell::new(0) };
    static INVALIDATED: Cell<usize> = const { Cell::new(0) };
    static BLOCKS: Cell<isize> = const { Cell::new(0) };
}

/// Returns how many bytes this thread has invalidated in the cache, flushed before or not.
pub fn invalidated() -> usize {
    INVALIDATED.get()
}

/// Returns how many blocks of the heap this thread has allocated and not freed.
pub fn heap_blocks() -> isize {
    BLOCKS.get()
}

/// Returns whether this thread, which plays a core, has masked interrupts.
pub fn is_masked() -> bool {
    MASKED.get() != 0
}

/// A kernel that has a heap and nothing else.
#[derive(Clone, Copy)]
pub struct HeapOnly;

// SAFETY: the kernel maps nothing.
unsafe impl Services for HeapOnly {}

/// What kernels for tests do differently from each other. Every type with this trait is a [`Kernel`].
///
/// # Safety
/// The methods that make and remove mappings have the duties of [`Mappings`].
pub unsafe trait Services: Copy + Send + Sync + 'static {
    /// Lets a model checker continue with another core. Without a model checker it does nothing.
    fn switch(&self) {}
    /// Does what [`Threads::pause`] states.
    fn pause(&self) {
        self.switch();
    }
    /// Does what [`Threads::can_sleep`] states.
    fn can_sleep(&self) -> bool {
        true
    }
    /// Does what [`Cache::device_barrier`] states.
    fn device_barrier(&self) {}
    /// Does what [`Threads::core_hint`] states.
    fn core_hint(&self) -> usize {
        0
    }
    /// Does what [`Addresses::v2p`] states.
    fn v2p(&self, _va: Va) -> Option<Pa> {
        None
    }
    /// Does what [`Addresses::linear`] states.
    fn linear(&self, pa: Pa) -> Va {
        pa
    }
    /// Does what [`Mappings::map_linear`] states.
    fn map_linear(&self, _va: Va, _pa: Pa, _size: usize) {}
    /// Does what [`Mappings::unmap_linear`] states.
    fn unmap_linear(&self, _va: Va, _size: usize) {}
    /// Does what [`Mappings::map`] states.
    fn map(&self, _pa: Pa, _size: usize) -> Option<NonZeroUsize> {
        None
    }
    /// Does what [`Mappings::unmap`] states.
    fn unmap(&self, _va: Va) {}
    /// Does what [`Mappings::view_limit`] states.
    fn view_limit(&self) -> usize {
        0
    }
    /// Does what [`Firmware::bus_window`] states, for every device.
    fn bus_window(&self, _index: usize) -> Option<BusWindow> {
        None
    }
    /// Returns the region of reserved memory to which the device's node refers. Other devices have no node.
    fn memory_region(&self, _device: Device) -> Option<NamedRegion> {
        None
    }
}

// SAFETY: the heap is the host's, and never frees memory.
unsafe impl<S: Services> Heap for S {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        self.switch();
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: the layout is not empty.
        unsafe { alloc_zeroed(Layout::from_size_align(size.max(1), 16).unwrap()) }
    }
    unsafe fn heap_free(&self, _memory: *mut u8) {
        self.switch();
        BLOCKS.set(BLOCKS.get() - 1);
    }
}

// SAFETY: no code reads or writes an address that these methods return.
unsafe impl<S: Services> Addresses for S {
    fn v2p(&self, va: Va) -> Option<Pa> {
        Services::v2p(self, va)
    }
    fn has_page_tables(&self) -> bool {
        true
    }
    fn linear(&self, pa: Pa) -> Va {
        Services::linear(self, pa)
    }
}

// SAFETY: no code reads or writes memory through these mappings.
unsafe impl<S: Services> Mappings for S {
    fn sets_linear_always(&self) -> bool {
        false
    }
    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        Services::map_linear(self, va, pa, size);
    }
    unsafe fn unmap_linear(&self, va: Va, size: usize) {
        self.switch();
        Services::unmap_linear(self, va, size);
    }
    fn map(&self, pa: Pa, size: usize, _memory: MemoryType) -> Option<NonZeroUsize> {
        self.switch();
        Services::map(self, pa, size)
    }
    unsafe fn unmap(&self, va: Va) {
        self.switch();
        Services::unmap(self, va);
    }
    fn view_limit(&self) -> usize {
        Services::view_limit(self)
    }
}

// SAFETY: there is no device and no cache: no code can observe that an operation does nothing. 64 is a power of two.
unsafe impl<S: Services> Cache for S {
    unsafe fn copy(&self, _to: Va, _from: Va, _size: usize) {}
    fn device_barrier(&self) {
        Services::device_barrier(self);
    }
    fn caches_write_through(&self) -> bool {
        true
    }
    fn cache_flush(&self, _va: Va, _size: usize) {
        self.switch();
    }
    fn cache_flush_and_invalidate(&self, _va: Va, size: usize) {
        self.switch();
        INVALIDATED.set(INVALIDATED.get() + size);
    }
    unsafe fn cache_invalidate(&self, _va: Va, size: usize) {
        self.switch();
        INVALIDATED.set(INVALIDATED.get() + size);
    }
    fn cache_line_max(&self) -> usize {
        64
    }
}

// SAFETY: a host has no interrupts, so no call comes from one.
unsafe impl<S: Services> Threads for S {
    fn irq_save(&self) -> usize {
        self.switch();
        MASKED.replace(MASKED.get() + 1)
    }
    unsafe fn irq_restore(&self, saved: usize) {
        MASKED.set(saved);
        self.switch();
    }
    fn can_sleep(&self) -> bool {
        Services::can_sleep(self)
    }
    fn pause(&self) {
        Services::pause(self);
    }
    fn core_hint(&self) -> usize {
        Services::core_hint(self)
    }
}

// SAFETY: there is no region.
unsafe impl<S: Services> PoolRegions for S {
    fn region(&self, _list: &RegionList, _index: usize) -> Result<BootRegion, Error> {
        Err(Error::NoMemblock)
    }
    fn shrink_entry(&self, _region: BootRegion, _end: Pa) {}
}

// SAFETY: no code reads or writes memory at these handles, and there is no name.
unsafe impl<S: Services> Firmware for S {
    fn device_name(&self, _device: Device) -> Name<'_> {
        Name::NONE
    }
    fn is_coherent(&self, _device: Device) -> bool {
        false
    }
    fn node(&self, device: Device) -> Option<Node> {
        Services::memory_region(self, device).and_then(|_| Node::at(device.address()))
    }
    fn memory_region(&self, device: Device, index: usize) -> Option<Result<NamedRegion, Error>> {
        Services::memory_region(self, device).filter(|_| index == 0).map(Ok)
    }
    fn has_dma_ranges(&self, _device: Device) -> bool {
        false
    }
    fn bus_range_from(&self, _device: Device, pa: Pa) -> Result<BusRange, Error> {
        Ok(BusRange { handle: Some(pa), last_pa: Pa::MAX })
    }
    fn pa_of_handle(&self, _device: Device, handle: Handle) -> Option<Pa> {
        Some(handle)
    }
    fn bus_window(&self, _device: Device, index: usize) -> Option<BusWindow> {
        Services::bus_window(self, index)
    }
}

impl<S: Services> Log for S {
    fn log(&self, _level: Level, _line: &Line) {
        self.switch();
    }
    fn print(&self, _text: Text) {}
}
