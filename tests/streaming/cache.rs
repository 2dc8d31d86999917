//! What is done to the cache, and that it is enough.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::Direction::{self, *};
use rt_dma_pool::flags::Flags;

const WAYS: [Direction; 3] = [ToDevice, FromDevice, Bidirectional];

#[test]
fn what_the_processor_wrote_is_what_the_device_reads() {
    for way in [ToDevice, Bidirectional] {
        let rig = Rig::new();
        let master = rig.plain();
        let (va, size) = (rig.va(HEAP + 5), 3 * PAGE);
        let va = if way == Bidirectional { va + LINE - 5 } else { va };
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, way).unwrap();
        assert_eq!(handle, rig.machine.at(va).unwrap().0, "no bounce buffer is needed");
        assert_eq!(rig.device_read(&master, handle, size), bytes(1, size), "{way:?}");
        rig.for_cpu(&master, handle, size, way).unwrap();
        rig.machine.cpu_write(va + 100, &bytes(2, 50));
        rig.for_device(&master, handle, size, way).unwrap();
        assert_eq!(rig.device_read(&master, handle + 100, 50), bytes(2, 50), "{way:?}");
        rig.unmap(&master, handle, size, way).unwrap();
        rig.assert_errors(0);
    }
}

#[test]
fn what_the_device_wrote_is_what_the_processor_reads() {
    for way in [FromDevice, Bidirectional] {
        let rig = Rig::new();
        let master = rig.plain();
        let (va, size) = (rig.va(HEAP + 3 * LINE), 2 * PAGE);
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, way).unwrap();
        // A dirty line would be written over the device's bytes now.
        rig.machine.evict_cache();
        rig.device_write(&master, handle, &bytes(2, size));
        rig.machine.evict_cache();
        // The processor may read ahead.
        rig.machine.cpu_read(va, size);
        rig.device_write(&master, handle, &bytes(3, size));
        rig.for_cpu(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(3, size), "{way:?}");
        rig.for_device(&master, handle, size, way).unwrap();
        rig.device_write(&master, handle, &bytes(4, size));
        rig.unmap(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(4, size), "{way:?}");
        rig.assert_errors(0);
    }
}

#[test]
fn each_direction_costs_what_it_must() {
    let rig = Rig::new();
    let master = rig.plain();
    let (va, size) = (rig.va(HEAP), 4 * LINE);
    let flush = CacheCall { what: Maintenance::Flush, pa: HEAP, size };
    let invalidate = CacheCall { what: Maintenance::Invalidate, pa: HEAP, size };
    for way in WAYS {
        let back = if way == ToDevice { vec![] } else { vec![invalidate] };
        let handle = rig.map(&master, va, size, way).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), [flush], "{way:?}");
        rig.for_cpu(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), back, "{way:?}");
        rig.for_device(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), [flush], "{way:?}");
        rig.unmap(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.take_cache_calls(), back, "{way:?}");
    }
}

#[test]
fn a_coherent_device_costs_nothing() {
    let rig = Rig::new();
    let coherent_tree = rig.master(rig.machine.device(behind_ranges().coherent()), ALL);
    for master in [rig.coherent(), coherent_tree] {
        for (way, offset) in WAYS.into_iter().zip([0, 3, 77]) {
            let (va, size) = (rig.va(HEAP + offset), PAGE + 5);
            let handle = rig.map(&master, va, size, way).unwrap();
            assert_eq!(rig.on_bus(&master, handle), HEAP + offset, "no bounce buffer, though it is not aligned");
            rig.for_cpu(&master, handle, size, way).unwrap();
            rig.for_device(&master, handle, size, way).unwrap();
            rig.unmap(&master, handle, size, way).unwrap();
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
        let before = rig.pool_bytes();
        for way in WAYS {
            // It need not be aligned either: there is no line to share.
            let (va, size) = (held.va + PAGE - 3, 99);
            rig.machine.cpu_write(va, &bytes(1, size));
            let handle = rig.map(&master, va, size, way).unwrap();
            assert_eq!(handle, held.handle + PAGE - 3);
            assert_eq!(rig.pool_bytes(), before, "no bounce buffer");
            assert_eq!(rig.device_read(&master, handle, size), bytes(1, size));
            rig.device_write(&master, handle, &bytes(2, size));
            rig.for_cpu(&master, handle, size, way).unwrap();
            assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
            rig.for_device(&master, handle + 9, 9, way).unwrap();
            rig.unmap(&master, handle, size, way).unwrap();
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
    for way in [FromDevice, Bidirectional] {
        let handle = rig.map(&master, held.va, PAGE, way).unwrap();
        rig.machine.cpu_read(held.va, PAGE);
        rig.device_write(&master, handle, &bytes(2, PAGE));
        rig.for_cpu(&master, handle, PAGE, way).unwrap();
        assert_eq!(rig.machine.cpu_read(held.va, PAGE), bytes(2, PAGE), "{way:?}");
        rig.for_device(&master, handle, PAGE, way).unwrap();
        rig.device_write(&master, handle, &bytes(3, PAGE));
        rig.unmap(&master, handle, PAGE, way).unwrap();
        assert_eq!(rig.machine.cpu_read(held.va, PAGE), bytes(3, PAGE), "{way:?}");
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

/// Every alignment of both ends: the device's bytes arrive, and the neighbours', written meanwhile, stay.
#[test]
fn bytes_that_share_a_cache_line_are_kept() {
    let offsets = [0, 1, 31, 63, 64, 65, 100];
    let sizes = [1, 2, 31, 62, 63, 64, 65, 127, 128, 129, 192, 256];
    for (offset, size) in offsets.into_iter().flat_map(|offset| sizes.map(|size| (offset, size))) {
        let rig = Rig::new();
        let master = rig.plain();
        for way in [FromDevice, Bidirectional] {
            let (slot, length) = (rig.va(HEAP), 512);
            rig.machine.cpu_write(slot, &bytes(1, length));
            let handle = rig.map(&master, slot + offset, size, way).unwrap();
            // Neighbours are written before and after the device writes, and lines go out whenever they like.
            let neighbours = |before: u8, behind: u8| {
                rig.machine.cpu_write(slot, &vec![before; offset]);
                rig.machine.cpu_write(slot + offset + size, &vec![behind; length - offset - size]);
            };
            neighbours(0x11, 0x11);
            rig.device_write(&master, handle, &vec![0xdd; size]);
            rig.machine.evict_cache();
            neighbours(0x33, 0x22);
            rig.unmap(&master, handle, size, way).unwrap();
            let expected = [vec![0x33; offset], vec![0xdd; size], vec![0x22; length - offset - size]].concat();
            assert_eq!(rig.machine.cpu_read(slot, length), expected, "{offset} {size} {way:?}");
            rig.machine.evict_cache();
            assert_eq!(rig.machine.device_read(HEAP, length), expected, "{offset} {size} {way:?}");
        }
        assert_eq!(rig.pool_bytes(), 0);
        rig.assert_errors(0);
    }
}

/// A buffer that fills lines of 64 bytes shares one of 128 with its neighbour, which is written while the device has the
/// buffer: no bytes of either are lost.
#[test]
fn fault_13_a_buffer_that_shares_the_largest_line_is_bounced() {
    let places: [usize; 8] = [0, 1, 64, 128, 192, 1024, 1024 + 64, 1024 + 128];
    for (largest, offset, size) in [64, 128, 256]
        .into_iter()
        .flat_map(|largest| places.map(|offset| (largest, offset)))
        .flat_map(|(largest, offset)| [64, 128, 129, 192, 256usize].map(|size| (largest, offset, size)))
    {
        for way in [FromDevice, Bidirectional] {
            let rig = Rig::new();
            rig.machine.set_largest_line(largest);
            let master = rig.plain();
            let (slot, length) = (rig.va(HEAP), 2048);
            rig.machine.cpu_write(slot, &bytes(1, length));
            let handle = rig.map(&master, slot + offset, size, way).unwrap();
            let is_bounced = handle != HEAP + offset;
            assert_eq!(is_bounced, !offset.is_multiple_of(largest) || !size.is_multiple_of(largest));
            let neighbours = |before: u8, behind: u8| {
                rig.machine.cpu_write(slot, &vec![before; offset]);
                rig.machine.cpu_write(slot + offset + size, &vec![behind; length - offset - size]);
            };
            neighbours(0x11, 0x11);
            rig.device_write(&master, handle, &vec![0xdd; size]);
            rig.machine.evict_cache();
            neighbours(0x33, 0x22);
            rig.unmap(&master, handle, size, way).unwrap();
            let expected = [vec![0x33; offset], vec![0xdd; size], vec![0x22; length - offset - size]].concat();
            assert!(rig.machine.cpu_read(slot, length) == expected, "{largest} {offset} {size} {way:?}");
            rig.machine.evict_cache();
            assert!(rig.machine.device_read(HEAP, length) == expected, "{largest} {offset} {size} {way:?}");
            rig.assert_errors(0);
        }
    }
}
