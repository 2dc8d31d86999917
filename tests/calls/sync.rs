//! Tests `rt_dma_sync_out_data` and `rt_dma_sync_in_data`.
//!
//! Which of C's tables leave the cache alone in a sync in is tested by `syncs_that_leave_the_cache_alone` in
//! `bsp-tests/host/reach.c`.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{BusWindow, Device};

const WINDOW: BusWindow = BusWindow { cpu: 0, bus: 0, size: u64::MAX };

/// Returns a machine, and a cached buffer of four pages.
fn machine_with_buffer() -> (Machine, Held) {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 4 * PAGE, CACHED).unwrap();
    (machine, held)
}

/// Returns devices whose syncs maintain the cache, with their operations.
fn maintained_devices(machine: &Machine) -> [(MapOps, Device); 3] {
    [
        (MapOps::Coherent, machine.device(DeviceInfo::plain().coherent())),
        (MapOps::DeviceTree, machine.device(DeviceInfo::with_dma_ranges(&[WINDOW]))),
        (MapOps::Pci, machine.device(DeviceInfo::with_pci_windows(&[WINDOW]))),
    ]
}

#[test]
fn a_sync_out_makes_the_processors_bytes_visible_to_the_device() {
    let (machine, held) = machine_with_buffer();
    for ((ops, device), byte) in maintained_devices(&machine).into_iter().zip(1..) {
        machine.cpu_write(held.va + 100, &[byte; 1000]);
        assert_ne!(machine.device_read(held.handle + 100, 1000), [byte; 1000], "still in the cache");
        assert_eq!(machine.sync_out(ops, device, held.va + 100, 1000, CACHED), Ok(held.handle + 100));
        assert_eq!(machine.device_read(held.handle + 100, 1000), [byte; 1000], "{ops:?}");
    }
}

#[test]
fn a_sync_in_makes_the_devices_bytes_visible_to_the_processor() {
    let (machine, held) = machine_with_buffer();
    machine.cpu_read(held.va, 4 * PAGE);
    machine.device_write(held.handle, &[1; PAGE]);
    assert_ne!(machine.cpu_read(held.va, PAGE), [1; PAGE], "still the cached ones");
    assert_eq!(machine.sync_in(held.device, held.va, PAGE), Ok(()));
    assert_eq!(machine.cpu_read(held.va, PAGE), [1; PAGE]);
}

#[test]
fn non_coherent_operations_leave_the_cache_alone() {
    let (machine, held) = machine_with_buffer();
    machine.take_cache_calls();
    assert_eq!(machine.sync_out(MapOps::NonCoherent, held.device, held.va, PAGE, CACHED), Ok(held.handle));
    assert_eq!(machine.take_cache_calls(), []);
}

#[test]
fn a_sync_out_with_nocache_leaves_the_cache_alone_for_translated_devices() {
    let (machine, _) = machine_with_buffer();
    let [_, device_tree, pci] = maintained_devices(&machine);
    for (ops, device) in [device_tree, pci] {
        let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
        machine.take_cache_calls();
        assert_eq!(machine.sync_out(ops, device, held.va, PAGE, Flags::NOCACHE), Ok(held.handle));
        assert_eq!(machine.take_cache_calls(), []);
    }
}

#[test]
fn fault_07_a_sync_out_gives_no_handle_of_a_buffer_whose_end_is_out_of_reach() {
    let (machine, held) = machine_with_buffer();
    let window = BusWindow { cpu: held.handle as u64, bus: 0x1000, size: PAGE as u64 };
    let devices = [
        (MapOps::DeviceTree, machine.device(DeviceInfo::with_dma_ranges(&[window]))),
        (MapOps::Pci, machine.device(DeviceInfo::with_pci_windows(&[window]))),
    ];
    for (ops, device) in devices {
        assert_eq!(machine.sync_out(ops, device, held.va, PAGE, CACHED), Ok(0x1000));
        for (offset, size) in [(0, PAGE + 1), (PAGE - 1, 2), (PAGE, 1)] {
            let result = machine.sync_out(ops, device, held.va + offset, size, CACHED);
            assert_eq!(result, Err(Error::NotReachable), "{ops:?}: {size} bytes at {offset}");
        }
        assert_eq!(machine.take_errors().len(), 3);
    }
}

/// For every alignment of both ends to the cache's lines, the neighbours' dirty bytes stay and the buffer's bytes come
/// from the device.
#[test]
fn a_sync_in_keeps_the_bytes_of_neighbours_in_the_same_cache_lines() {
    let offsets = [0, 1, 31, 63, 64, 65, 100];
    let sizes = [1, 2, 31, 62, 63, 64, 65, 127, 128, 129, 190, 191, 192, 193, 256];
    for (offset, size) in pairs(offsets, &sizes) {
        let (machine, held) = machine_with_buffer();
        let device = machine.device(DeviceInfo::plain().coherent());
        let (start, end) = (256 + offset, 256 + offset + size);
        // The neighbours on both sides are dirty in the cache. The buffer's own bytes are those that the driver synced
        // out.
        machine.cpu_write(held.va + start, &vec![0x0f; size]);
        machine.sync_out(MapOps::Coherent, device, held.va + start, size, CACHED).unwrap();
        machine.device_write(held.handle + start, &vec![0xdd; size]);
        let first_line = start & !(LINE - 1);
        let last_line = end.next_multiple_of(LINE);
        machine.cpu_write(held.va + first_line, &vec![0x11; start - first_line]);
        machine.cpu_write(held.va + end, &vec![0x22; last_line - end]);

        machine.sync_in(device, held.va + start, size).unwrap();
        let seen = machine.cpu_read(held.va + first_line, last_line - first_line);
        assert_eq!(seen[..start - first_line], vec![0x11; start - first_line], "before, {offset} {size}");
        assert_eq!(seen[start - first_line..end - first_line], vec![0xdd; size], "the buffer, {offset} {size}");
        assert_eq!(seen[end - first_line..], vec![0x22; last_line - end], "after it, {offset} {size}");
    }
}

/// After the processor only read the buffer's lines, a sync in leaves no old byte in the buffer, at its ends either.
#[test]
fn a_sync_in_leaves_no_old_byte_in_the_cache_lines_at_the_ends() {
    let ends = [(0, 1), (1, 1), (63, 1), (63, 2), (1, 63), (1, 64), (32, 64), (0, 65), (0, 128), (5, 300)];
    for ((offset, size), keeps_flushed) in pairs(ends, &[false, true]) {
        let (machine, held) = machine_with_buffer();
        if keeps_flushed {
            machine.keep_flushed_lines();
        }
        let device = machine.device(DeviceInfo::plain().coherent());
        machine.cpu_read(held.va, PAGE);
        machine.device_write(held.handle + offset, &vec![0xdd; size]);
        machine.sync_in(device, held.va + offset, size).unwrap();
        assert_eq!(machine.cpu_read(held.va + offset, size), vec![0xdd; size], "{offset} {size}");
    }
}

#[test]
fn a_sync_in_invalidates_whole_lines_without_flushing_them() {
    let (machine, held) = machine_with_buffer();
    let device = machine.device(DeviceInfo::plain().coherent());
    machine.take_cache_calls();
    machine.sync_in(device, held.va + 2 * LINE, 8 * LINE).unwrap();
    let expected = CacheCall { operation: Maintenance::Invalidate, pa: held.handle + 2 * LINE, size: 8 * LINE };
    assert_eq!(machine.take_cache_calls(), [expected]);
}

#[test]
fn a_buffer_that_is_not_mapped_is_refused_with_one_line() {
    let (machine, held) = machine_with_buffer();
    machine.take_cache_calls();
    for (ops, device) in maintained_devices(&machine) {
        for (data, size) in [(0, PAGE), (0x1000, 1), (usize::MAX - 10, 100), (held.va, usize::MAX)] {
            assert_eq!(machine.sync_out(ops, device, data, size, CACHED), Err(Error::NotMapped));
            assert_eq!(machine.sync_in(device, data, size), Err(Error::NotMapped));
            assert_eq!(machine.take_errors().len(), 2, "{ops:?} {data:#x} {size:#x}");
        }
    }
    assert_eq!(machine.take_cache_calls(), []);
}

/// C's sync out takes a shorter path for most buffers of PCI devices.
#[test]
fn the_first_window_gives_the_handle_that_all_windows_give() {
    let (machine, held) = machine_with_buffer();
    let window = |page: usize, bus| BusWindow { cpu: (held.handle + page * PAGE) as u64, bus, size: 2 * PAGE as u64 };
    let device = machine.device(DeviceInfo::with_pci_windows(&[window(0, 0x10_0000), window(2, 0x4000)]));
    let inside = pairs([0, 1, PAGE, 2 * PAGE - 1, 2 * PAGE], &[1, LINE, PAGE, 2 * PAGE, 2 * PAGE + 1]);
    let elsewhere = [(0, PAGE), (0x1000, 1), (usize::MAX - 10, 100), (held.va, usize::MAX)];
    for (data, size) in inside.into_iter().map(|(offset, size)| (held.va + offset, size)).chain(elsewhere) {
        let handle = machine.dma.first_window_handle(device, data, size);
        let is_in_first = held.va <= data && data.checked_add(size).is_some_and(|end| end <= held.va + 2 * PAGE);
        assert_eq!(handle.is_some(), is_in_first, "{size} bytes at {data:#x}");
        if let Some(handle) = handle {
            assert_eq!(machine.dma.handle_or_refuse(MapOps::Pci, device, data, size), Ok(handle));
        }
    }
}

/// C's sync out takes a shorter path for a caller that does not need the handle.
#[test]
fn a_sync_out_without_a_handle_flushes_and_refuses_as_one_with_a_handle() {
    let (machine, held) = machine_with_buffer();
    let device = machine.device(DeviceInfo::plain().coherent());
    let mapped = pairs([0, 1, LINE, PAGE - 1], &[1, LINE - 1, LINE, PAGE, 2 * PAGE]);
    let not_mapped = [(0, PAGE), (0x1000, 1), (usize::MAX - 10, 100), (held.va, usize::MAX)];
    machine.take_cache_calls();
    for (data, size) in mapped.into_iter().map(|(offset, size)| (held.va + offset, size)).chain(not_mapped) {
        let with_handle = machine.sync_out(MapOps::Coherent, device, data, size, CACHED).map(|_| ());
        let seen = (machine.take_cache_calls(), machine.take_errors());
        assert_eq!(machine.dma.flush_or_refuse(device, data, size), with_handle, "{size} bytes at {data:#x}");
        assert_eq!((machine.take_cache_calls(), machine.take_errors()), seen, "{size} bytes at {data:#x}");
        assert_eq!(seen.0.is_empty(), with_handle.is_err(), "{size} bytes at {data:#x}");
    }
}

#[test]
fn an_interrupt_may_sync_in_and_out() {
    let (machine, held) = machine_with_buffer();
    for (ops, device) in maintained_devices(&machine) {
        // A device's first call is that of a thread.
        machine.ops_of(device);
        machine.in_interrupt(|| {
            machine.sync_out(ops, device, held.va, PAGE, CACHED).unwrap();
            machine.sync_in(device, held.va, PAGE).unwrap();
            assert_eq!(machine.sync_in(device, 0x1000, 1), Err(Error::NotMapped));
        });
    }
}

/// An outer cache may have lines of 128 bytes or more where the inner cache has lines of 64. A neighbour in the same
/// long line keeps its bytes, and the buffer's bytes come from the device.
#[test]
fn fault_13_a_sync_in_keeps_the_bytes_of_neighbours_in_the_largest_line() {
    let places: [usize; 12] = [0, 1, 63, 64, 65, 128, 192, 960, 1024, 1024 + 64, 1024 + 100, 2048 - 64];
    let sizes = [1, 63, 64, 65, 128, 192, 1024, 1024 + 64];
    for (largest, (offset, size)) in pairs([64, 128, 512, 2048], &pairs(places, &sizes)) {
        let (machine, held) = machine_with_buffer();
        machine.set_largest_line(largest);
        let device = machine.device(DeviceInfo::plain().coherent());
        // 2 KiB of neighbours on each side.
        let (start, end) = (2048 + offset, 2048 + offset + size);
        let all = end.next_multiple_of(2048) + 2048;
        machine.cpu_write(held.va, &vec![0x0f; all]);
        machine.sync_out(MapOps::Coherent, device, held.va, all, CACHED).unwrap();
        machine.cpu_read(held.va, all);
        machine.evict_cache();
        machine.device_write(held.handle + start, &vec![0xdd; size]);
        machine.cpu_write(held.va, &vec![0x11; start]);
        machine.cpu_write(held.va + end, &vec![0x22; all - end]);

        machine.sync_in(device, held.va + start, size).unwrap();
        let expected = [vec![0x11; start], vec![0xdd; size], vec![0x22; all - end]].concat();
        assert!(machine.cpu_read(held.va, all) == expected, "lines up to {largest}: {size} bytes at {offset}");
        machine.evict_cache();
        assert!(machine.device_read(held.handle, all) == expected, "lines up to {largest}: {size} bytes at {offset}");
    }
}
