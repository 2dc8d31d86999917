//! What is done to the cache, and that it is enough.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::Direction::{self, *};
use rt_dma_pool::flags::Flags;

#[test]
fn what_the_processor_wrote_is_what_the_device_reads() {
    for direction in [ToDevice, Bidirectional] {
        let rig = Rig::new();
        let master = rig.plain();
        let (va, size) = (rig.va(HEAP + 5), 3 * PAGE);
        let va = if direction == Bidirectional { va + LINE - 5 } else { va };
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, direction).unwrap();
        assert_eq!(handle, rig.machine.pa_of(va), "no bounce buffer is needed");
        assert_eq!(rig.device_read(&master, handle, size), bytes(1, size), "{direction:?}");
        rig.sync_for_cpu(&master, handle, size, direction).unwrap();
        rig.machine.cpu_write(va + 100, &bytes(2, 50));
        rig.sync_for_device(&master, handle, size, direction).unwrap();
        assert_eq!(rig.device_read(&master, handle + 100, 50), bytes(2, 50), "{direction:?}");
        rig.unmap(&master, handle, size, direction).unwrap();
        rig.assert_errors(0);
    }
}

#[test]
fn what_the_device_wrote_is_what_the_processor_reads() {
    for direction in [FromDevice, Bidirectional] {
        let rig = Rig::new();
        let master = rig.plain();
        let (va, size) = (rig.va(HEAP + 3 * LINE), 2 * PAGE);
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, direction).unwrap();
        // A dirty line would be written over the device's bytes now.
        rig.machine.evict_cache();
        rig.device_write(&master, handle, &bytes(2, size));
        rig.machine.evict_cache();
        // The processor may read ahead.
        rig.machine.cpu_read(va, size);
        rig.device_write(&master, handle, &bytes(3, size));
        rig.sync_for_cpu(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(3, size), "{direction:?}");
        rig.sync_for_device(&master, handle, size, direction).unwrap();
        rig.device_write(&master, handle, &bytes(4, size));
        rig.unmap(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(4, size), "{direction:?}");
        rig.assert_errors(0);
    }
}

#[test]
fn each_direction_costs_what_it_must() {
    let rig = Rig::new();
    let master = rig.plain();
    let (va, size) = (rig.va(HEAP), 4 * LINE);
    let flush = CacheCall { operation: Maintenance::Flush, pa: HEAP, size };
    let invalidate = CacheCall { operation: Maintenance::Invalidate, pa: HEAP, size };
    for direction in DIRECTIONS {
        let back = if direction == ToDevice { vec![] } else { vec![invalidate] };
        let handle = rig.map(&master, va, size, direction).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), [flush], "{direction:?}");
        rig.sync_for_cpu(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), back, "{direction:?}");
        rig.sync_for_device(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), [flush], "{direction:?}");
        rig.unmap(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), back, "{direction:?}");
    }
}

#[test]
fn a_coherent_device_costs_nothing() {
    let rig = Rig::new();
    let coherent_tree = rig.master(rig.machine.device(below_ranges().coherent()), NO_MASK);
    for master in [rig.coherent(), coherent_tree] {
        for (direction, offset) in DIRECTIONS.into_iter().zip([0, 3, 77]) {
            let (va, size) = (rig.va(HEAP + offset), PAGE + 5);
            let handle = rig.map(&master, va, size, direction).unwrap();
            assert_eq!(rig.pa_of_handle(&master, handle), HEAP + offset, "no bounce buffer, though it is not aligned");
            rig.sync_for_cpu(&master, handle, size, direction).unwrap();
            rig.sync_for_device(&master, handle, size, direction).unwrap();
            rig.unmap(&master, handle, size, direction).unwrap();
        }
    }
    assert_eq!(rig.machine.take_cache_calls(), []);
    rig.assert_errors(0);
}

#[test]
fn uncached_memory_costs_nothing() {
    for (view_limit, flags) in [(64 * MIB, Flags::NOCACHE), (64 * MIB, Flags::WRITE_THROUGH), (0, Flags::NOCACHE)] {
        let rig = Rig::new();
        rig.machine.set_caches_write_through(flags != Flags::WRITE_THROUGH);
        rig.machine.set_view_limit(view_limit);
        let master = rig.plain();
        let held = rig.buffer(2 * PAGE, flags);
        rig.machine.take_cache_calls();
        let before = rig.used_bytes();
        for direction in DIRECTIONS {
            // It need not be aligned either: there is no line to share.
            let (va, size) = (held.va + PAGE - 3, 99);
            rig.machine.cpu_write(va, &bytes(1, size));
            let handle = rig.map(&master, va, size, direction).unwrap();
            assert_eq!(handle, held.handle + PAGE - 3);
            assert_eq!(rig.used_bytes(), before, "no bounce buffer");
            assert_eq!(rig.device_read(&master, handle, size), bytes(1, size));
            rig.device_write(&master, handle, &bytes(2, size));
            rig.sync_for_cpu(&master, handle, size, direction).unwrap();
            assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
            rig.sync_for_device(&master, handle + 9, 9, direction).unwrap();
            rig.unmap(&master, handle, size, direction).unwrap();
        }
        assert_eq!(rig.machine.take_cache_calls(), []);
        rig.assert_errors(0);
        rig.machine.free(held).unwrap();
    }
}

/// Where write-through memory is cached, the processor's reads leave lines in the cache.
#[test]
fn write_through_memory_shows_what_the_device_wrote() {
    let rig = Rig::new();
    let master = rig.plain();
    let held = rig.buffer(PAGE, Flags::WRITE_THROUGH);
    rig.machine.cpu_write(held.va, &bytes(1, PAGE));
    rig.machine.cpu_read(held.va, PAGE);
    for direction in [FromDevice, Bidirectional] {
        let handle = rig.map(&master, held.va, PAGE, direction).unwrap();
        rig.machine.cpu_read(held.va, PAGE);
        rig.device_write(&master, handle, &bytes(2, PAGE));
        rig.sync_for_cpu(&master, handle, PAGE, direction).unwrap();
        assert_eq!(rig.machine.cpu_read(held.va, PAGE), bytes(2, PAGE), "{direction:?}");
        rig.sync_for_device(&master, handle, PAGE, direction).unwrap();
        rig.device_write(&master, handle, &bytes(3, PAGE));
        rig.unmap(&master, handle, PAGE, direction).unwrap();
        assert_eq!(rig.machine.cpu_read(held.va, PAGE), bytes(3, PAGE), "{direction:?}");
    }
    rig.machine.free(held).unwrap();
}

/// Cached memory of a pool without a linear map is maintained through the address that the driver has.
#[test]
fn memory_that_is_not_linear_is_maintained_by_its_own_address() {
    for view_limit in [64 * MIB, 0] {
        let machine = Machine::new();
        machine.fail_always(Service::MapLinear);
        machine.set_view_limit(view_limit);
        let rig = Rig::on(machine);
        let master = rig.plain();
        let held = rig.buffer(2 * PAGE, Flags::empty());
        rig.machine.cpu_write(held.va, &bytes(1, 2 * PAGE));
        let handle = rig.map(&master, held.va, 2 * PAGE, Bidirectional).unwrap();
        assert_eq!(handle, held.handle);
        assert_eq!(rig.device_read(&master, handle, 2 * PAGE), bytes(1, 2 * PAGE));
        rig.device_write(&master, handle, &bytes(2, 2 * PAGE));
        rig.unmap(&master, handle, 2 * PAGE, Bidirectional).unwrap();
        assert_eq!(rig.machine.cpu_read(held.va, 2 * PAGE), bytes(2, 2 * PAGE));
        rig.machine.free(held).unwrap();
        rig.assert_errors(0);
    }
}

/// Maps `size` bytes at `offset` of a slot of `length` bytes. The neighbours are written before and after the device
/// writes, and lines are evicted meanwhile. Checks that neither side loses a byte. Returns whether the buffer was
/// bounced.
fn check_neighbours(rig: &Rig, offset: usize, size: usize, length: usize, direction: Direction) -> bool {
    let (master, slot) = (rig.plain(), rig.va(HEAP));
    rig.machine.cpu_write(slot, &bytes(1, length));
    let handle = rig.map(&master, slot + offset, size, direction).unwrap();
    let write_neighbours = |before: u8, after: u8| {
        rig.machine.cpu_write(slot, &vec![before; offset]);
        rig.machine.cpu_write(slot + offset + size, &vec![after; length - offset - size]);
    };
    write_neighbours(0x11, 0x11);
    rig.device_write(&master, handle, &vec![0xdd; size]);
    rig.machine.evict_cache();
    write_neighbours(0x33, 0x22);
    rig.unmap(&master, handle, size, direction).unwrap();
    let expected = [vec![0x33; offset], vec![0xdd; size], vec![0x22; length - offset - size]].concat();
    assert!(rig.machine.cpu_read(slot, length) == expected, "{offset} {size} {direction:?}");
    rig.machine.evict_cache();
    assert!(rig.machine.device_read(HEAP, length) == expected, "{offset} {size} {direction:?}");
    handle != HEAP + offset
}

/// Every alignment of both ends: the device's bytes arrive, and the neighbours', written meanwhile, stay.
#[test]
fn bytes_that_share_a_cache_line_are_kept() {
    let offsets = [0, 1, 31, 63, 64, 65, 100];
    let sizes = [1, 2, 31, 62, 63, 64, 65, 127, 128, 129, 192, 256];
    for (offset, size) in pairs(offsets, &sizes) {
        let rig = Rig::new();
        for direction in [FromDevice, Bidirectional] {
            check_neighbours(&rig, offset, size, 512, direction);
        }
        assert_eq!(rig.used_bytes(), 0);
        rig.assert_errors(0);
    }
}

/// A buffer that fills lines of 64 bytes shares one of 128 with its neighbour, which is written while the device has
/// the buffer: no bytes of either are lost.
#[test]
fn fault_13_a_buffer_that_shares_the_largest_line_is_bounced() {
    let offsets: [usize; 8] = [0, 1, 64, 128, 192, 1024, 1024 + 64, 1024 + 128];
    let sizes: [usize; 5] = [64, 128, 129, 192, 256];
    for (largest, (offset, size)) in pairs([64, 128, 256], &pairs(offsets, &sizes)) {
        for direction in [FromDevice, Bidirectional] {
            let rig = Rig::new();
            rig.machine.set_largest_line(largest);
            let is_bounced = check_neighbours(&rig, offset, size, 2048, direction);
            let fills_lines = offset.is_multiple_of(largest) && size.is_multiple_of(largest);
            assert_eq!(is_bounced, !fills_lines, "lines up to {largest}: {size} bytes at {offset}");
            rig.assert_errors(0);
        }
    }
}
