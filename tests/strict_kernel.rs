//! The fake kernel stops a test where a real kernel may fail. Without that, the other tests would pass all the same.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::kernel::{Addresses, Cache, Device, Firmware, Heap, Mappings, MemoryType, Threads};

/// Returns a device below a bus with ranges.
fn device_with_ranges(machine: &Machine) -> Device {
    machine.device(DeviceInfo::with_dma_ranges(&[bus_range(START, 0, MIB)]))
}

#[test]
#[should_panic = "heap_alloc is called where sleeping is not allowed"]
fn a_service_that_may_sleep_is_not_called_with_a_lock_held() {
    let machine = Machine::new();
    machine.kernel.irq_save();
    machine.kernel.heap_alloc(1);
}

#[test]
#[should_panic = "map is called where sleeping is not allowed"]
fn a_service_that_may_sleep_is_not_called_in_an_interrupt() {
    let machine = Machine::new();
    let _ = machine.in_interrupt(|| machine.kernel.map(START, PAGE, MemoryType::Cached));
}

#[test]
#[should_panic = "pause is called where sleeping is not allowed"]
fn a_service_that_may_sleep_is_not_called_with_interrupts_masked() {
    let machine = Machine::new();
    machine.with_interrupts_off(|| machine.kernel.pause());
}

#[test]
#[should_panic = "bus_range_from is called where sleeping is not allowed"]
fn the_ranges_of_a_bus_are_not_read_in_an_interrupt() {
    let machine = Machine::new();
    let device = device_with_ranges(&machine);
    let _ = machine.in_interrupt(|| machine.kernel.bus_range_from(device, START));
}

#[test]
#[should_panic = "pa_of_handle is called where sleeping is not allowed"]
fn a_failure_leaves_the_ranges_of_a_bus_unread() {
    let machine = Machine::new();
    let device = device_with_ranges(&machine);
    machine.fail(Service::BusRanges, 0, 1);
    assert!(machine.kernel.bus_range_from(device, START).is_err());
    machine.in_interrupt(|| machine.kernel.pa_of_handle(device, 0));
}

#[test]
fn the_ranges_of_a_bus_serve_interrupts_after_a_thread_has_read_them() {
    let machine = Machine::new();
    let device = device_with_ranges(&machine);
    assert_eq!(machine.kernel.bus_range_from(device, START).unwrap().handle, Some(0));
    machine.in_interrupt(|| {
        assert_eq!(machine.kernel.bus_range_from(device, START).unwrap().handle, Some(0));
        assert_eq!(machine.kernel.pa_of_handle(device, 0), Some(START));
    });
}

#[test]
#[should_panic = "text under a lock"]
fn no_text_is_written_with_a_lock_held() {
    let machine = Machine::new();
    machine.kernel.irq_save();
    machine.dma.report();
}

#[test]
#[should_panic = "text with a turn held"]
fn no_text_is_written_with_a_turn_held() {
    let machine = Machine::new();
    machine.kernel.turn_begins();
    machine.dma.report();
}

#[test]
#[should_panic = "are mapped"]
fn no_cache_operation_is_applied_to_memory_that_is_not_mapped() {
    let machine = Machine::new();
    machine.premap_linear(START, PAGE);
    machine.kernel.cache_flush(machine.linear_va(START), PAGE + 1);
}

#[test]
fn a_cache_operation_reaches_each_page_where_it_is() {
    let machine = Machine::new();
    let pages = [START, START + 4 * PAGE];
    let va = machine.map_pages(&pages, MemoryType::Cached);
    machine.cpu_write(va, &[7; 2 * PAGE]);
    machine.kernel.cache_flush(va, 2 * PAGE);
    assert_eq!(pages.map(|page| machine.device_read(page, PAGE)), [[7; PAGE]; 2]);
}

#[test]
#[should_panic = "is mapped linearly already"]
fn no_linear_address_is_mapped_twice() {
    let machine = Machine::new();
    machine.premap_linear(START, 2 * PAGE);
    machine.premap_linear(START + PAGE, PAGE);
}

#[test]
#[should_panic = "no mapping begins at"]
fn no_mapping_is_removed_twice() {
    let machine = Machine::new();
    let va = machine.kernel.map(START, PAGE, MemoryType::Cached).unwrap().get();
    for _ in 0..2 {
        // SAFETY: nothing uses the mapping. The second call stops the test.
        unsafe { machine.kernel.unmap(va) };
    }
}

#[test]
#[should_panic = "are mapped"]
fn no_linear_mapping_is_removed_that_is_not_there() {
    let machine = Machine::new();
    machine.premap_linear(START, PAGE);
    // SAFETY: nothing uses the mapping. The call stops the test.
    unsafe { machine.kernel.unmap_linear(machine.kernel.linear(START), 2 * PAGE) };
}

#[test]
#[should_panic = "the heap did not give"]
fn no_memory_is_freed_that_is_not_the_heaps() {
    let machine = Machine::new();
    let mut byte = 0;
    // SAFETY: the call stops the test before it touches the memory.
    unsafe { machine.kernel.heap_free(&mut byte) };
}

#[test]
#[should_panic = "a call for a device that was removed"]
fn no_service_is_called_for_a_device_that_was_removed() {
    let machine = Machine::new();
    let device = machine.plain_device();
    machine.remove_device(device);
    machine.kernel.is_coherent(device);
}
