//! Guards the defects of `dma_pool.c` that must not return, by their numbers in `docs/defects.md`. `ci/test` prints the
//! table.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::{Region, Usage};
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, MemoryType, NamedRegion};
use rt_dma_pool::log::Name;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
fn defect_01_every_page_and_the_whole_pool_can_be_allocated() {
    let (machine, _) = Machine::with_pool(c"pool", START, 64 * PAGE);
    let device = machine.plain_device();
    let held: Vec<_> = (0..64).map(|_| machine.alloc(device, PAGE, CACHED).unwrap()).collect();
    assert_eq!(held.iter().map(|held| held.handle).max(), Some(START + 63 * PAGE), "the last page too");
    assert_eq!(machine.alloc(device, 1, CACHED), None);
    held.into_iter().for_each(|held| machine.free(held).unwrap());
    let whole = machine.alloc(device, 64 * PAGE, CACHED).unwrap();
    assert_eq!(whole.handle, START);
}

#[test]
fn defect_02_the_first_page_of_an_adjacent_pool_is_freed_there() {
    let (machine, low) = Machine::with_pool(c"low", START, 64 * PAGE);
    let high = machine.install(c"high", START + 64 * PAGE, 64 * PAGE);
    let device = machine.plain_device();
    let first = machine.alloc(device, 64 * PAGE, CACHED).unwrap();
    let second = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(second.handle, low.end(), "its handle is the other pool's end");
    machine.free(second).unwrap();
    assert_eq!((low.usage().used, high.usage().used), (64 * PAGE, 0));
    machine.free(first).unwrap();
    assert_eq!(machine.alloc(device, 64 * PAGE, CACHED).unwrap().handle, START);
    assert_eq!(machine.alloc(device, 64 * PAGE, CACHED).unwrap().handle, high.start(), "no page was lost");
}

#[test]
fn defect_03_a_request_larger_than_the_pool_is_refused() {
    let (machine, pool) = Machine::with_pool(c"pool", START, 8 * PAGE);
    let device = machine.plain_device();
    for size in [8 * PAGE + 1, 9 * PAGE, usize::MAX / 2 + 1, usize::MAX] {
        assert_eq!(machine.alloc(device, size, CACHED), None, "{size} bytes");
    }
    assert_eq!(pool.usage(), Usage { used: 0, longest_free: 8 * PAGE });
}

#[test]
fn defect_04_uncached_buffers_leave_no_mapping_and_no_heap_behind() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let first = machine.alloc(device, 64 * KIB, Flags::NOCACHE).unwrap();
    machine.free(first).unwrap();
    let balance = machine.balance();
    for _ in 0..5_000 {
        let held = machine.alloc(device, 64 * KIB, Flags::NOCACHE | Flags::LINEAR).unwrap();
        machine.free(held).unwrap();
    }
    assert_eq!(machine.balance(), balance);
    assert_eq!(machine.map_count(), 1, "the pool's view, once");

    // Where the pool is too large for a view, a free removes the buffer's own mapping.
    let (machine, _) = Machine::with_pool(c"large", START, MIB);
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let balance = machine.balance();
    for _ in 0..100 {
        let held = machine.alloc(device, 64 * KIB, Flags::NOCACHE).unwrap();
        machine.free(held).unwrap();
    }
    assert_eq!(machine.balance(), balance);
}

#[test]
fn defect_05_nothing_that_may_sleep_happens_under_the_lock_or_in_an_interrupt() {
    // The fake kernel panics if a service that may sleep is called under the lock, in an interrupt, or with interrupts
    // off. Wherever interrupts are on, it runs an interrupt that allocates: that interrupt would wait forever for a
    // lock that the interrupted thread holds.
    for view_limit in [64 * MIB, 0] {
        let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
        machine.set_view_limit(view_limit);
        let machine = Arc::new(machine);
        let device = machine.plain_device();
        machine.ops_of(device);
        let interrupts = Arc::new(AtomicUsize::new(0));
        let (weak, count) = (Arc::downgrade(&machine), interrupts.clone());
        machine.set_interrupt(move || {
            let Some(machine) = weak.upgrade() else { return };
            count.fetch_add(1, Relaxed);
            if let Some(held) = machine.alloc(device, PAGE, Flags::NOCACHE) {
                machine.free(held).unwrap();
            }
        });
        for flags in [Flags::NOCACHE, Flags::WRITE_THROUGH, CACHED] {
            let held = machine.alloc(device, 4 * PAGE, flags).unwrap();
            machine.free(held).unwrap();
            machine.free(held).unwrap_err();
        }
        machine.clear_interrupt();
        assert!(interrupts.load(Relaxed) > 10);
        assert_eq!(pool.usage().used, 0);
    }
}

#[test]
fn defect_06_a_memory_region_serves_its_own_devices_and_no_stranger() {
    let machine = Machine::new();
    let general = machine.install(c"general", START, MIB);
    let own = NamedRegion { is_no_map: true, ..named_region(START + MIB, MIB) };
    let first = machine.device(DeviceInfo::with_regions(&[own]));
    let second = machine.device(DeviceInfo::with_regions(&[own]));
    let stranger = machine.plain_device();

    let held = machine.alloc(first, PAGE, CACHED).unwrap();
    assert_eq!(held.handle, own.start, "its own region first");
    assert_eq!(machine.alloc(second, PAGE, CACHED).unwrap().handle, own.start + PAGE, "two devices share it");
    assert_eq!(machine.dma.pools().count(), 2, "installed once");
    for _ in 0..3 {
        machine.dma.choose_ops(first).unwrap();
    }
    assert_eq!(machine.dma.pools().count(), 2, "however often its operations are asked for");

    for flags in [CACHED, Flags::DEVICE, Flags::NOMAP] {
        while let Some(held) = machine.alloc(stranger, PAGE, flags) {
            assert!((general.start()..general.end()).contains(&held.handle), "a stranger gets {:#x}", held.handle);
        }
    }
    let pool = machine.dma.pools().nth(1).unwrap();
    assert!(pool.flags().contains(Flags::NOMAP), "no-map was read");
    assert!(!machine.is_linear(own.start), "and obeyed");
}

#[test]
fn defect_07_memory_that_is_mapped_already_can_be_installed() {
    let machine = Machine::new();
    // Like RT-Thread, the fake kernel stops with an assertion when memory is mapped a second time.
    machine.premap_linear(START, MIB);
    machine.premap_linear(START + MIB, 3 * PAGE);
    let whole = machine.install(c"mapped", START, MIB);
    let part = machine.install(c"partly mapped", START + MIB, MIB);
    assert!(whole.flags().contains(Flags::LINEAR));
    assert!(!part.flags().contains(Flags::LINEAR), "it is not all there");
    let device = machine.plain_device();
    machine.alloc(device, MIB, CACHED).unwrap();
    let held = machine.alloc(device, MIB, CACHED).expect("it serves all the same");
    assert_eq!(machine.translate(held.va), Some((START + MIB, MemoryType::Cached)));
}

#[test]
fn defect_08_freeing_a_page_of_a_no_map_pool_leaves_its_neighbours_mapped() {
    let machine = Machine::new();
    let own = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[own]));
    let first = machine.alloc(device, PAGE, CACHED).unwrap();
    let second = machine.alloc(device, PAGE, CACHED).unwrap();
    let physical = machine.alloc(device, PAGE, Flags::NOMAP).unwrap();
    assert_eq!(physical.va, physical.handle, "nothing is mapped for it");
    machine.free(physical).unwrap();
    machine.free(first).unwrap();
    machine.poke(second.va, b"still here");
    assert_eq!(machine.device_read(second.handle, 10), b"still here");
    machine.free(second).unwrap();
}

#[test]
fn defect_09_a_translation_that_does_not_invert_loses_no_page() {
    let machine = Machine::new();
    let pool = machine.install(c"pool", START, 4 * PAGE);
    let device = machine.device(DeviceInfo {
        dma_to_cpu: Some(|_| Some(0)),
        ..DeviceInfo::with_dma_ranges(&[bus_range(START & !0x3fff_ffff, 0x8000_0000, 0x4000_0000)])
    });
    for _ in 0..10 {
        let held = machine.alloc(device, 3 * PAGE, CACHED).unwrap();
        assert_eq!(held.handle, 0x8000_0000);
        machine.free(held).unwrap();
        assert_eq!(pool.usage().used, 0);
    }
}

#[test]
fn defect_10_write_through_requests_get_write_through_memory() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, Flags::WRITE_THROUGH).unwrap();
    assert_eq!(machine.translate(held.va), Some((START, MemoryType::WriteThrough)));
    let held = machine.alloc(device, PAGE, Flags::WRITE_THROUGH | Flags::NOCACHE).unwrap();
    assert_eq!(machine.translate(held.va).unwrap().1, MemoryType::Uncached, "NOCACHE has precedence");
}

#[test]
fn defect_11_no_dirty_line_is_written_over_an_uncached_buffer() {
    // In a view, or in a mapping of its own; where write-through memory is cached, and where it is not.
    let kinds = pairs([Flags::NOCACHE, Flags::WRITE_THROUGH], &[64 * MIB, 0]);
    for ((flags, view_limit), caches_write_through) in pairs(kinds, &[false, true]) {
        let (machine, pool) = Machine::with_pool(c"pool", START, 16 * PAGE);
        machine.set_view_limit(view_limit);
        machine.set_caches_write_through(caches_write_through);
        let device = machine.plain_device();
        // Boot code leaves dirty cache lines, and so does each cached buffer.
        machine.cpu_write(machine.kernel.linear(START + 8 * PAGE), &[0xaa; PAGE]);
        for round in 0..3 {
            let cached = machine.alloc(device, 4 * PAGE, CACHED).unwrap();
            machine.cpu_write(cached.va, &[0xbb; 4 * PAGE]);
            machine.free(cached).unwrap();
            let held = machine.alloc(device, 16 * PAGE, flags).unwrap();
            machine.device_write(held.handle, &[0x11; 16 * PAGE]);
            machine.evict_cache();
            let seen = machine.cpu_read(held.va, 16 * PAGE);
            assert!(
                seen.iter().all(|byte| *byte == 0x11),
                "{flags:?}, {view_limit}, {caches_write_through}, round {round}"
            );
            machine.free(held).unwrap();
        }

        if caches_write_through && view_limit == 0 && flags == Flags::WRITE_THROUGH {
            // Such a mapping counts as cached.
            continue;
        }
        // Pages that were flushed once and not used through the cache since then are not flushed again.
        machine.take_cache_calls();
        let held = machine.alloc(device, 4 * PAGE, flags).unwrap();
        assert_eq!(machine.take_cache_calls(), []);
        machine.free(held).unwrap();
        assert_eq!(pool.usage().used, 0);
    }
}

/// On 32-bit Arm and on the C906, a flush leaves the lines in the cache, clean. A read of an uncached buffer may find
/// them there.
#[test]
fn defect_11_no_line_of_an_uncached_buffer_is_left_in_the_cache() {
    for (flags, view_limit) in pairs([Flags::NOCACHE, Flags::WRITE_THROUGH], &[64 * MIB, 0]) {
        let (machine, _) = Machine::with_pool(c"pool", START, 16 * PAGE);
        machine.set_view_limit(view_limit);
        machine.keep_flushed_lines();
        let device = machine.plain_device();
        for round in 0..3 {
            let cached = machine.alloc(device, 4 * PAGE, CACHED).unwrap();
            machine.cpu_write(cached.va, &[0xbb; 4 * PAGE]);
            machine.free(cached).unwrap();
            let held = machine.alloc(device, 16 * PAGE, flags).unwrap();
            assert!(!machine.has_cache_line(held.handle, 16 * PAGE), "{flags:?}, {view_limit}, round {round}");
            machine.free(held).unwrap();
        }
    }
}

#[test]
fn defect_11_no_dirty_line_is_written_over_a_buffer_that_is_not_mapped() {
    for view_limit in [64 * MIB, 0] {
        let machine = Machine::new();
        machine.set_view_limit(view_limit);
        let region = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
        let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
        let cached = machine.alloc(device, 4 * PAGE, Flags::empty()).unwrap();
        machine.cpu_write(cached.va, &[0xca; 4 * PAGE]);
        machine.free(cached).unwrap();

        let unmapped = machine.alloc(device, 4 * PAGE, Flags::NOMAP).unwrap();
        assert_eq!(unmapped.handle, cached.handle);
        machine.device_write(unmapped.handle, &[0xde; 4 * PAGE]);
        machine.evict_cache();
        let seen = machine.device_read(unmapped.handle, 4 * PAGE);
        assert!(seen.iter().all(|byte| *byte == 0xde), "view limit {view_limit}");
        machine.free(unmapped).unwrap();
    }
}

#[test]
fn defect_12_bad_frees_and_overlapping_pools_are_refused() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 4 * PAGE, CACHED).unwrap();
    let bad = [
        (Held { size: 3 * PAGE, ..held }, Error::WrongSize),
        (Held { size: 5 * PAGE, ..held }, Error::WrongSize),
        (Held { va: held.va + PAGE, handle: held.handle + PAGE, ..held }, Error::NotAllocated),
        (Held { va: held.va + 1, ..held }, Error::NoBuffer),
        (Held { va: 0x1000, ..held }, Error::NoBuffer),
        (Held { handle: held.handle + PAGE, ..held }, Error::WrongHandle),
    ];
    for (index, (held, error)) in bad.into_iter().enumerate() {
        assert_eq!(machine.free(held), Err(error), "{held:?}");
        assert_eq!(machine.take_errors().len(), 1, "one line");
        assert_eq!(machine.dma.refused_calls(), index + 1, "one count");
        assert_eq!(pool.usage().used, 4 * PAGE, "nothing freed");
    }
    machine.free(held).unwrap();
    assert_eq!(machine.free(held), Err(Error::NotAllocated), "a second time");

    for (start, size) in [(START, MIB), (START + MIB - PAGE, MIB), (START + PAGE, PAGE)] {
        let overlap = machine.try_install(c"overlap", start, size);
        assert_eq!(overlap.err(), Some(Error::Overlap));
    }
    assert_eq!(machine.take_errors().len(), 4);
    assert_eq!(machine.dma.pools().count(), 1);
}

#[test]
fn defect_13_extract_survives_odd_regions_and_leaves_the_list_alone() {
    let machine = Machine::new();
    // The port reports a region as not usable if it has no name, is not in use, or is hot-pluggable.
    let list = vec![
        ReservedRegion { start: START, end: START + 16 * MIB, usable: false },
        ReservedRegion { start: START + 16 * MIB, end: START + 32 * MIB, usable: true },
    ];
    machine.set_reserved(Some(list));
    let extract = || machine.extract(8 * MIB, 2 * MIB);
    assert_eq!(extract(), Ok((START + 16 * MIB, START + 24 * MIB)));
    assert_eq!(extract(), Ok((START + 24 * MIB, START + 32 * MIB)), "what was left over");
    assert!(extract().is_err(), "a consumed region is not found again");
    // `list_dma_pool` shows a pool without a name.
    machine.dma.install(&Region { start: START, end: START + MIB, name: Name::NONE }).unwrap();
    assert!(machine.list().iter().any(|line| line.starts_with("(null)")));
}

#[test]
fn defect_14_sync_checks_its_arguments_and_the_list_has_names() {
    let (machine, _) = Machine::with_pool(c"first-pool", START, PAGE);
    machine.install(c"second-pool", START + PAGE, MIB);
    let device = machine.plain_device();
    let nowhere = 0x10;
    assert!(machine.sync_out(MapOps::Coherent, device, nowhere, 64, CACHED).is_err());
    assert!(machine.sync_in(device, nowhere, 64).is_err());
    assert!(machine.sync_out(MapOps::Coherent, device, usize::MAX, 64, CACHED).is_err());
    assert_eq!(machine.take_errors().len(), 3, "each is logged");

    machine.alloc(device, PAGE, CACHED).unwrap();
    machine.alloc(device, PAGE, CACHED).expect("the next pool serves it");
    assert_eq!(machine.take_log(rt_dma_pool::log::Level::Warning), NO_LINES, "a full pool is no news");

    let lines = machine.list();
    assert!(lines[1].starts_with("first-pool") && lines[1].contains("[0x40000000, 0x40001000]"), "{lines:?}");
    assert!(lines[2].starts_with("second-pool"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "2 DMA memory found");
}

#[test]
fn defect_15_a_mapping_to_the_wrong_memory_is_never_handed_out() {
    for wrong in [WrongMapping::Block, WrongMapping::LastPage] {
        for view_limit in [64 * MIB, 0] {
            let (machine, pool) = Machine::with_pool(c"pool", START + 5 * PAGE, 4 * MIB);
            machine.set_view_limit(view_limit);
            let device = machine.plain_device();
            machine.fail_always(Service::MapWrong(wrong));
            for flags in [Flags::NOCACHE, Flags::WRITE_THROUGH] {
                assert_eq!(machine.alloc(device, 2 * PAGE, flags), None, "{wrong:?}");
            }
            assert_eq!(machine.balance().mappings, [], "what was mapped wrong is gone");
            machine.repair(Service::MapWrong(wrong));
            let held = machine.alloc(device, 2 * PAGE, Flags::NOCACHE).unwrap();
            assert_eq!(machine.translate(held.va), Some((held.handle, MemoryType::Uncached)));
            machine.free(held).unwrap();
            assert_eq!(pool.usage().used, 0);
        }
    }
    let machine = Machine::new();
    machine.fail(Service::MapLinearWrong, 0, 1);
    let pool = machine.install(c"pool", START, MIB);
    assert!(!pool.flags().contains(Flags::LINEAR));
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(machine.translate(held.va), Some((held.handle, MemoryType::Cached)));
}
