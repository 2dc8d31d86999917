//! Where a bounce buffer comes from, and what is copied.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Attributes, BadMapping, Direction::*, MapError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Addresses;

/// A short transfer leaves what the driver had, and nothing of what others had.
#[test]
fn what_the_device_leaves_out_stays() {
    let rig = Rig::new();
    let before = rig.buffer(PAGE, Flags::empty());
    rig.machine.cpu_write(before.va, &[0xbd; PAGE]);
    rig.machine.evict_cache();
    rig.machine.free(before).unwrap();
    let master = rig.plain();
    let va = rig.va(HEAP + 1);
    rig.machine.cpu_write(va, &bytes(1, 1000));
    let handle = rig.map(&master, va, 1000, FromDevice).unwrap();
    assert_ne!(handle, HEAP + 1);
    rig.device_write(&master, handle + 100, &bytes(2, 300));
    rig.sync_for_cpu(&master, handle, 1000, FromDevice).unwrap();
    let mut expected = bytes(1, 1000);
    expected[100..400].copy_from_slice(&bytes(2, 300));
    assert_eq!(rig.machine.cpu_read(va, 1000), expected);
    rig.sync_for_device(&master, handle, 1000, FromDevice).unwrap();
    rig.unmap(&master, handle, 1000, FromDevice).unwrap();
    assert_eq!(rig.machine.cpu_read(va, 1000), expected);
}

#[test]
fn a_part_is_synced_and_no_more() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let (va, size) = (rig.va(HIGH_HEAP), 4 * PAGE);
    rig.machine.cpu_write(va, &bytes(1, size));
    let handle = rig.map(&master, va, size, Bidirectional).unwrap();
    rig.device_write(&master, handle, &bytes(2, size));
    let (from, length) = (2 * PAGE + LINE, 3 * LINE);
    rig.sync_for_cpu(&master, handle + from, length, Bidirectional).unwrap();
    let mut expected = bytes(1, size);
    expected[from..from + length].copy_from_slice(&bytes(2, size)[from..from + length]);
    assert_eq!(rig.machine.cpu_read(va, size), expected);
    rig.machine.cpu_write(va, &bytes(3, size));
    rig.sync_for_device(&master, handle + from, length, Bidirectional).unwrap();
    let mut expected = bytes(2, size);
    expected[from..from + length].copy_from_slice(&bytes(3, size)[from..from + length]);
    assert_eq!(rig.device_read(&master, handle, size), expected);
    // To the last byte, and not one further.
    rig.sync_for_cpu(&master, handle + size - 1, 1, Bidirectional).unwrap();
    rig.sync_for_cpu(&master, handle, size, FromDevice).unwrap();
    rig.assert_errors(0);
    assert!(rig.sync_for_cpu(&master, handle + size - 1, 2, Bidirectional).is_err());
    assert!(rig.sync_for_cpu(&master, handle + size, 1, Bidirectional).is_err());
    rig.assert_errors(2);
    rig.unmap(&master, handle, size, Bidirectional).unwrap();
}

/// A part that begins and ends on lines of the driver's buffer is synced while the device writes to the lines next to
/// it.
#[test]
fn whole_lines_of_the_drivers_buffer_are_synced_alone() {
    let rig = Rig::new();
    for keeps_flushed in [false, true] {
        if keeps_flushed {
            rig.machine.keep_flushed_lines();
        }
        for line in [LINE, 256] {
            rig.machine.set_largest_line(line);
            for before in [1, 2, line - 1] {
                let (master, va, size) = (rig.plain(), rig.va(HEAP) + before, 4 * line);
                rig.machine.cpu_write(va, &bytes(1, size));
                let handle = rig.map(&master, va, size, Bidirectional).unwrap();
                let part = line - before..2 * line - before;
                rig.sync_for_cpu(&master, handle + part.start, line, Bidirectional).unwrap();
                let mut expected = bytes(2, size);
                rig.device_write(&master, handle, &expected[..part.start]);
                rig.device_write(&master, handle + part.end, &expected[part.end..]);
                expected[part.clone()].copy_from_slice(&bytes(3, line));
                rig.machine.cpu_write(va + part.start, &bytes(3, line));
                rig.sync_for_device(&master, handle + part.start, line, Bidirectional).unwrap();
                assert!(rig.device_read(&master, handle, size) == expected, "lines of {line}, {before} after one");
                rig.unmap(&master, handle, size, Bidirectional).unwrap();
                assert!(rig.machine.cpu_read(va, size) == expected);
            }
        }
    }
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// A mapping begins in another page than the bytes that are synced, and other mappings begin in the pages between.
#[test]
fn a_sync_far_into_a_long_mapping_takes_one_lock() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let size = 16 * PAGE;
    let handle = rig.map(&master, rig.va(HIGH_HEAP), size, Bidirectional).unwrap();
    let short: Vec<_> =
        (20..23).map(|page| rig.map(&master, rig.va(HIGH_HEAP + page * PAGE), PAGE, Bidirectional).unwrap()).collect();
    for offset in [0, PAGE, size - 1] {
        let before = rig.machine.irq_save_count();
        rig.sync_for_cpu(&master, handle + offset, 1, Bidirectional).unwrap();
        assert_eq!(rig.machine.irq_save_count() - before, 1, "at {offset:#x}");
    }
    for handle in short {
        rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
    }
    rig.unmap(&master, handle, size, Bidirectional).unwrap();
    rig.assert_errors(0);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PoolKind {
    Cached,
    /// All memory of the pools is uncached.
    Uncached,
    NotLinear,
    /// Each buffer has a mapping of its own.
    WithoutViews,
}

#[test]
fn a_bounce_buffer_comes_from_whatever_pool_there_is() {
    for kind in [PoolKind::Cached, PoolKind::Uncached, PoolKind::NotLinear, PoolKind::WithoutViews] {
        let machine = Machine::new();
        if matches!(kind, PoolKind::NotLinear | PoolKind::WithoutViews) {
            machine.fail_always(Service::MapLinear);
        }
        if kind == PoolKind::WithoutViews {
            machine.set_view_limit(0);
        }
        let rig = Rig::on(machine);
        if kind == PoolKind::Uncached {
            rig.low.add_flags(Flags::NOCACHE);
            rig.high.add_flags(Flags::NOCACHE);
        }
        let master = rig.plain();
        let before = rig.machine.balance();
        let va = rig.va(HEAP + 1);
        for direction in DIRECTIONS {
            rig.machine.cpu_write(va, &bytes(1, 5000));
            let handle = rig.map(&master, va, 5000, direction).unwrap();
            if direction != ToDevice {
                assert_ne!(handle, HEAP + 1);
            }
            assert_eq!(rig.device_read(&master, handle, 5000), bytes(1, 5000));
            rig.device_write(&master, handle, &bytes(2, 5000));
            rig.unmap(&master, handle, 5000, direction).unwrap();
            if direction != ToDevice {
                assert_eq!(rig.machine.cpu_read(va, 5000), bytes(2, 5000), "{kind:?} {direction:?}");
            }
        }
        rig.streaming().trim();
        let after = rig.machine.balance();
        assert_eq!(after.used_bytes, before.used_bytes);
        assert_eq!(after.heap_bytes, before.heap_bytes);
        if kind == PoolKind::WithoutViews {
            assert_eq!(after.mappings, before.mappings);
        }
        rig.assert_errors(0);
    }
}

#[test]
fn bounce_buffers_are_maintained_only_where_that_helps() {
    for (uncached_pool, is_coherent) in [(false, false), (false, true), (true, false), (true, true)] {
        let rig = Rig::new();
        if uncached_pool {
            rig.low.add_flags(Flags::NOCACHE);
        }
        let info = DeviceInfo { coherent: is_coherent, ..DeviceInfo::plain() };
        let master = rig.master(rig.machine.device(info), LOW_MASK);
        // The first may write back what the cache had of the pool before.
        for _ in 0..2 {
            rig.machine.take_cache_calls();
            let handle = rig.map(&master, rig.va(HIGH_HEAP), PAGE, Bidirectional).unwrap();
            rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
        }
        let calls = rig.machine.take_cache_calls().len();
        assert_eq!(calls, if uncached_pool || is_coherent { 0 } else { 2 }, "{uncached_pool} {is_coherent}");
    }
}

/// A device's own region gives its bounce buffers.
#[test]
fn a_bounce_buffer_comes_from_the_devices_own_region() {
    let rig = Rig::new();
    let region = named_region(LOW.start + 32 * MIB, MIB);
    let master = rig.master(rig.machine.device(DeviceInfo::with_regions(&[region])), NO_MASK);
    let handle = rig.map(&master, rig.va(HEAP + 1), 100, FromDevice).unwrap();
    assert_eq!(handle, region.start);
    rig.unmap(&master, handle, 100, FromDevice).unwrap();
}

#[test]
fn a_page_is_mapped_by_the_address_it_has() {
    let rig = Rig::new();
    let master = rig.plain();
    let map = |page, offset, size| rig.map_page(&master, page, offset, size, Bidirectional);
    let cached = rig.buffer(PAGE, Flags::empty());
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    for (va, pa) in [(rig.va(HEAP), HEAP), (cached.va, cached.handle), (uncached.va, uncached.handle)] {
        rig.machine.cpu_write(va + 256, &bytes(1, 512));
        // A line read ahead through another view is not what the driver sees.
        let handle = map(pa, 256, 512).unwrap();
        assert_eq!(handle, pa + 256);
        assert_eq!(rig.device_read(&master, handle, 512), bytes(1, 512));
        rig.device_write(&master, handle, &bytes(2, 512));
        rig.unmap(&master, handle, 512, Bidirectional).unwrap();
        assert_eq!(rig.machine.cpu_read(va + 256, 512), bytes(2, 512));
    }
    rig.assert_errors(0);
    assert_eq!(map(LOW.start + 64 * MIB, 0, PAGE), Err(MapError::NotMapped));
    assert_eq!(map(usize::MAX, 1, PAGE), Err(MapError::Invalid));
    assert_eq!(map(HEAP, 0, 0), Err(MapError::Invalid));
    rig.assert_errors(3);
}

/// In a pool that is too large for views each uncached buffer has a mapping of its own, and in one that is not linear
/// each buffer.
#[test]
fn a_page_of_a_buffer_with_its_own_mapping_is_mapped() {
    let (linear, not_linear) = (Machine::new(), Machine::new());
    linear.set_view_limit(0);
    not_linear.set_view_limit(0);
    not_linear.fail_always(Service::MapLinear);
    for rig in [Rig::on(linear), Rig::on(not_linear)] {
        let master = rig.plain();
        for flags in [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH] {
            let before = rig.buffer(PAGE, flags);
            let held = rig.buffer(3 * PAGE, flags);
            rig.machine.cpu_write(held.va + PAGE, &bytes(1, 2 * PAGE));
            let handle = rig.map_page(&master, held.handle + PAGE, 64, 2 * PAGE - 128, Bidirectional).unwrap();
            assert_eq!(handle, held.handle + PAGE + 64);
            assert!(rig.device_read(&master, handle, 64) == bytes(1, 128)[64..], "{flags:?}");
            rig.device_write(&master, handle, &bytes(2, 2 * PAGE - 128));
            rig.unmap(&master, handle, 2 * PAGE - 128, Bidirectional).unwrap();
            assert!(rig.machine.cpu_read(held.va + PAGE + 64, 2 * PAGE - 128) == bytes(2, 2 * PAGE - 128), "{flags:?}");
            rig.machine.free(before).unwrap();
            rig.machine.free(held).unwrap();
        }
        rig.assert_errors(0);
    }
}

/// The processor sees other memory after the mapping of the first buffer than the device would after the buffer.
#[test]
fn a_page_is_not_mapped_together_with_memory_of_others() {
    let machine = Machine::new();
    machine.set_view_limit(0);
    let rig = Rig::on(machine);
    let at = |va| {
        rig.machine.map_next_at(va);
        rig.buffer(PAGE, Flags::NOCACHE)
    };
    let [first, next, other] = [64 * MIB, 65 * MIB, 64 * MIB + PAGE].map(at);
    assert_eq!((next.handle, other.va), (first.handle + PAGE, first.va + PAGE));
    let used = rig.used_bytes();
    assert_eq!(rig.map_page(&rig.plain(), first.handle, 0, 2 * PAGE, ToDevice), Err(MapError::NotMapped));
    assert_eq!(rig.used_bytes(), used);
    rig.assert_errors(1);
    [first, next, other].into_iter().for_each(|held| rig.machine.free(held).unwrap());
}

/// An uncached buffer that needs a bounce buffer is read as the driver sees it, not through lines read ahead.
#[test]
fn an_uncached_page_is_not_copied_through_the_cache() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    assert!(uncached.handle > LOW_MASK);
    rig.machine.cpu_read(rig.machine.kernel.linear(uncached.handle), PAGE);
    rig.machine.cpu_write(uncached.va, &bytes(1, PAGE));
    let handle = rig.map_page(&master, uncached.handle, 0, PAGE, ToDevice).unwrap();
    assert_eq!(rig.device_read(&master, handle, PAGE), bytes(1, PAGE));
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
}

/// A copy does not use lines that an earlier copy left in the cache, where write-through memory is cached and a pool
/// has both views.
#[test]
fn a_page_is_copied_as_its_driver_wrote_it_last() {
    let kinds = pairs([Flags::NOCACHE, Flags::WRITE_THROUGH], &[false, true]);
    for ((flags, is_coherent), direction) in pairs(kinds, &DIRECTIONS) {
        let rig = Rig::new();
        rig.machine.set_caches_write_through(true);
        let views = [Flags::NOCACHE, Flags::WRITE_THROUGH].map(|flags| rig.buffer(PAGE, flags));
        let held = rig.buffer(PAGE, flags);
        let info = DeviceInfo { coherent: is_coherent, ..DeviceInfo::plain() };
        let master = rig.master(rig.machine.device(info), LOW_MASK);
        assert!(held.handle > LOW_MASK);
        let mut expected = bytes(0, PAGE);
        for round in 0..3 {
            let written = bytes(3 * round + 1, PAGE);
            rig.machine.cpu_write(held.va, &written);
            let handle = rig.map_page(&master, held.handle, 0, PAGE, direction).unwrap();
            assert!(
                rig.device_read(&master, handle, PAGE) == written,
                "map: {flags:?} {is_coherent} {direction:?} {round}"
            );
            expected.copy_from_slice(&written);
            if direction != ToDevice {
                rig.device_write(&master, handle + 100, &bytes(3 * round + 2, 300));
                expected[100..400].copy_from_slice(&bytes(3 * round + 2, 300));
            }
            rig.sync_for_cpu(&master, handle, PAGE, direction).unwrap();
            assert!(
                rig.machine.cpu_read(held.va, PAGE) == expected,
                "sync: {flags:?} {is_coherent} {direction:?} {round}"
            );
            if direction != FromDevice {
                expected = bytes(3 * round + 3, PAGE);
                rig.machine.cpu_write(held.va, &expected);
            }
            rig.sync_for_device(&master, handle, PAGE, direction).unwrap();
            assert!(
                rig.device_read(&master, handle, PAGE) == expected,
                "sync: {flags:?} {is_coherent} {direction:?} {round}"
            );
            rig.unmap(&master, handle, PAGE, direction).unwrap();
            assert!(
                rig.machine.cpu_read(held.va, PAGE) == expected,
                "unmap: {flags:?} {is_coherent} {direction:?} {round}"
            );
        }
        views.into_iter().chain([held]).for_each(|held| rig.machine.free(held).unwrap());
        rig.assert_errors(0);
    }
}

/// A network driver's receive buffer begins 2 bytes after a line, and has its lines for itself.
#[test]
fn a_receive_buffer_whose_lines_are_the_drivers_is_not_bounced() {
    let rig = Rig::new();
    let master = rig.plain();
    let (pa, size) = (HEAP + 2, 1514);
    let va = rig.va(pa);
    for direction in [FromDevice, Bidirectional] {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map_with(&master, va, size, direction, Attributes::OWN_LINES).unwrap();
        assert_eq!((handle, rig.used_bytes()), (pa, 0), "the device sees the driver's buffer");
        // The processor reads ahead.
        rig.machine.cpu_read(rig.va(HEAP), 2048);
        rig.device_write(&master, handle, &bytes(2, size));
        rig.sync_for_cpu(&master, handle, size, direction).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size), "{direction:?}");
        rig.sync_for_device(&master, handle, size, direction).unwrap();
        rig.machine.cpu_read(rig.va(HEAP), 2048);
        rig.device_write(&master, handle, &bytes(3, size));
        rig.unmap_with(&master, handle, size, direction, Attributes::OWN_LINES).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(3, size), "{direction:?}");
        // Without the attribute it is bounced.
        let handle = rig.map(&master, va, size, direction).unwrap();
        assert_ne!(handle, pa);
        rig.unmap(&master, handle, size, direction).unwrap();
    }
    // A mapping of pool memory has a record, which does not have the attribute. The unmap needs none: the lines of pool
    // memory belong to the buffer.
    let held = rig.buffer(PAGE, Flags::empty());
    let handle = rig.map_with(&master, held.va + 2, size, FromDevice, Attributes::OWN_LINES).unwrap();
    assert_eq!(handle, held.handle + 2);
    rig.device_write(&master, handle, &bytes(4, size));
    rig.unmap_with(&master, handle, size, FromDevice, Attributes::OWN_LINES).unwrap();
    assert_eq!(rig.machine.cpu_read(held.va + 2, size), bytes(4, size));
    rig.machine.free(held).unwrap();
    rig.assert_errors(0);
}

/// An unmap that forgets the attribute is logged, and the device's bytes arrive.
#[test]
fn an_unmap_without_the_attribute_of_its_map_loses_no_bytes() {
    let rig = Rig::new();
    let master = rig.plain();
    let (va, size) = (rig.va(HEAP + 2), 100);
    let handle = rig.map_with(&master, va, size, FromDevice, Attributes::OWN_LINES).unwrap();
    rig.machine.cpu_read(va, size);
    rig.device_write(&master, handle, &bytes(2, size));
    assert_eq!(rig.unmap(&master, handle, size, FromDevice), Err(BadMapping::WrongSize));
    assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
    rig.assert_errors(1);
}
