//! The services of the kernel for tests: one block for each trait of [`Kernel`](rt_dma_pool::kernel::Kernel).

use super::{FakeKernel, Maintenance, ReservedRegion, Service, WrongMapping, cache, context, printf};
use rt_dma_pool::error::Error;
use rt_dma_pool::kernel::{
    Addresses, BootRegion, BusRange, BusWindow, Cache, Device, Firmware, Heap, Log, Mappings, MemoryType, NamedRegion,
    Node, Pa, PoolRegions, RegionList, Threads, Va,
};
use rt_dma_pool::log::{Level, Line, Name};
use rt_dma_pool::text::Text;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::CStr;
use std::num::NonZeroUsize;
use std::sync::atomic::{Ordering::Relaxed, Ordering::SeqCst, fence};

fn heap_layout(size: usize) -> Layout {
    // Aligned for a pointer only, so that AddressSanitizer detects an access to the first byte after the memory.
    Layout::from_size_align(size, align_of::<usize>()).unwrap()
}

// SAFETY: the heap is the host's.
unsafe impl Heap for FakeKernel {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        self.begin_sleeping("heap_alloc");
        assert_ne!(size, 0, "an allocation of 0 bytes");
        if self.count_and_check_failure(Service::HeapAlloc) {
            return std::ptr::null_mut();
        }
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc_zeroed(heap_layout(size)) };
        self.records().heap.insert(memory as usize, size);
        memory
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        self.begin_sleeping("heap_free");
        let size = self.records().heap.remove(&(memory as usize));
        let size = size.unwrap_or_else(|| panic!("the heap did not give {memory:?}"));
        // SAFETY: `heap_alloc` returned the memory with this layout, and it was not freed before.
        unsafe {
            memory.write_bytes(0xdd, size);
            dealloc(memory, heap_layout(size));
        }
    }
}

// SAFETY: `v2p` reads the map of mappings, and the other methods use it.
unsafe impl Addresses for FakeKernel {
    fn v2p(&self, va: Va) -> Option<Pa> {
        self.0.look_up_count.fetch_add(1, Relaxed);
        if !self.has_page_tables() {
            return Some(self.0.memory.pa_of_linear(va));
        }
        self.0.memory.translate(va).map(|(pa, _)| pa)
    }

    fn has_page_tables(&self) -> bool {
        self.0.has_page_tables.load(Relaxed)
    }

    fn linear(&self, pa: Pa) -> Va {
        self.0.memory.linear(pa)
    }
}

// SAFETY: a mapping stays in the map of mappings until it is removed.
unsafe impl Mappings for FakeKernel {
    fn sets_linear_always(&self) -> bool {
        self.0.sets_linear_always.load(Relaxed)
    }

    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        self.begin_sleeping("map_linear");
        assert_eq!(va, self.linear(pa));
        assert!(self.has_page_tables(), "a mapping in page tables that are not there");
        if self.count_and_check_failure(Service::MapLinear) {
            // RT-Thread's `_insert_new_varea` logs that.
            self.begin_writing("map_linear");
            return;
        }
        self.0.memory.map_linear(pa, size);
        if self.count_and_check_failure(Service::MapLinearWrong) {
            self.0.memory.mislead_linear(pa);
        }
    }

    unsafe fn unmap_linear(&self, va: Va, size: usize) {
        self.begin_sleeping("unmap_linear");
        // RT-Thread may log that.
        self.begin_writing("unmap_linear");
        self.0.memory.unmap_linear(va, size);
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
        self.begin_sleeping("map");
        if !self.has_page_tables() {
            return if memory == MemoryType::Cached { NonZeroUsize::new(self.linear(pa)) } else { None };
        }
        if size > self.0.largest_mapping.load(Relaxed) || self.count_and_check_failure(Service::Map) {
            // RT-Thread's ioremap logs that.
            self.begin_writing("map");
            return None;
        }
        self.0.map_count.fetch_add(1, Relaxed);
        let wrong = [WrongMapping::Block, WrongMapping::LastPage]
            .into_iter()
            .find(|wrong| self.count_and_check_failure(Service::MapWrong(*wrong)));
        NonZeroUsize::new(self.0.memory.map(pa, size, memory, wrong))
    }

    unsafe fn unmap(&self, va: Va) {
        self.begin_sleeping("unmap");
        if !self.has_page_tables() {
            return;
        }
        self.0.memory.unmap(va);
    }

    fn view_limit(&self) -> usize {
        self.0.view_limit.load(Relaxed)
    }

    fn maps_at_install(&self) -> bool {
        self.0.maps_at_install.load(Relaxed)
    }
}

// SAFETY: the model of the cache has done the operation when the method returns.
unsafe impl Cache for FakeKernel {
    unsafe fn copy(&self, to: Va, from: Va, size: usize) {
        assert!(!context::locked(), "a copy under a lock");
        self.store(to, &self.load(from, size));
        self.device_barrier();
    }

    fn device_barrier(&self) {
        self.0.barrier_count.fetch_add(1, Relaxed);
        fence(SeqCst);
    }

    fn caches_write_through(&self) -> bool {
        self.0.caches_write_through.load(Relaxed)
    }

    fn cache_flush(&self, va: Va, size: usize) {
        self.maintain(Maintenance::Flush, va, size);
    }

    fn cache_flush_and_invalidate(&self, va: Va, size: usize) {
        self.maintain(Maintenance::FlushAndInvalidate, va, size);
    }

    unsafe fn cache_invalidate(&self, va: Va, size: usize) {
        self.maintain(Maintenance::Invalidate, va, size);
    }

    fn cache_line_max(&self) -> usize {
        self.0.cache.lock().unwrap().reported_line
    }

    fn line_offset_mask(&self) -> usize {
        // As a kernel does where lines have different sizes.
        if self.cache_line_max() == cache::LINE { cache::LINE - 1 } else { usize::MAX }
    }
}

// SAFETY: the methods set and read the context of the calling thread, which plays a core.
unsafe impl Threads for FakeKernel {
    fn irq_save(&self) -> usize {
        self.0.irq_save_count.fetch_add(1, Relaxed);
        self.let_interrupt_come();
        context::irq_save()
    }

    unsafe fn irq_restore(&self, saved: usize) {
        context::irq_restore(saved);
        self.let_interrupt_come();
    }

    fn can_sleep(&self) -> bool {
        context::can_sleep()
    }

    fn pause(&self) {
        self.begin_sleeping("pause");
        self.0.tick_count.fetch_add(1, Relaxed);
        // A tick, as of `rt_thread_mdelay(1)`.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    fn turn_begins(&self) {
        context::turn_begins();
    }

    fn turn_ends(&self) {
        context::turn_ends();
    }
}

// SAFETY: the regions are those that the test made.
unsafe impl PoolRegions for FakeKernel {
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        assert_eq!(*list, RegionList::NONE, "the regions are those of memblock, as in revision r2");
        let records = self.records();
        let mut usable = records.reserved.as_ref().ok_or(Error::NoMemblock)?.iter().filter(|region| region.usable);
        let ReservedRegion { start, end, .. } = *usable.nth(index).ok_or(Error::NoRegion)?;
        // SAFETY: `shrink_entry` looks for no entry.
        Ok(unsafe { BootRegion::new(start, end, index) })
    }

    fn shrink_entry(&self, _region: BootRegion, _end: Pa) {
        // The region is memblock's, which is not written.
    }
}

// SAFETY: the devices are those that the test made; their names are constants.
unsafe impl Firmware for FakeKernel {
    fn device_name(&self, device: Device) -> Name<'_> {
        self.device(device).name.map_or(Name::NONE, Name::of)
    }

    fn is_coherent(&self, device: Device) -> bool {
        self.device(device).coherent
    }

    fn node(&self, device: Device) -> Option<Node> {
        Node::at(self.device(device).node)
    }

    fn memory_region(&self, device: Device, index: usize) -> Option<Result<NamedRegion, Error>> {
        self.begin_sleeping("memory_region");
        let region = self.device(device).regions.get(index).copied()?;
        Some(if self.count_and_check_failure(Service::MemoryRegion) { Err(Error::NoMemory) } else { region })
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        self.begin_sleeping("has_dma_ranges");
        self.device(device).has_dma_ranges
    }

    fn bus_range_from(&self, device: Device, pa: Pa) -> Result<BusRange, Error> {
        self.begin_using_ranges(device, "bus_range_from");
        if self.count_and_check_failure(Service::BusRanges) {
            return Err(Error::NoMemory);
        }
        let info = self.device(device);
        self.records().nodes_with_ranges_read.insert(info.node);
        Ok(info.bus_range_from(pa))
    }

    fn pa_of_handle(&self, device: Device, handle: usize) -> Option<Pa> {
        self.begin_using_ranges(device, "pa_of_handle");
        self.device(device).pa_of_handle(handle)
    }

    fn bus_window(&self, device: Device, index: usize) -> Option<BusWindow> {
        self.device(device).windows.get(index).copied()
    }
}

impl Log for FakeKernel {
    fn log(&self, level: Level, line: &Line) {
        self.assert_nothing_held();
        let text = printf::format_line(line);
        if !context::can_sleep() {
            return;
        }
        self.begin_writing("log");
        self.records().log.push((level, text));
    }

    fn print(&self, text: Text) {
        self.begin_writing("print");
        self.records().printed.push_str(&printf::print_to_string(&text));
    }
}
