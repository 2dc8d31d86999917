//! Tests `rt_dma_alloc`: which pool serves a request, which pages, and through which mapping.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::Usage;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::MemoryType::{Cached, Uncached, WriteThrough};
use rt_dma_pool::kernel::NamedRegion;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const FOUR_GIB: usize = 1 << 32;

#[test]
fn a_zero_size_gets_nothing_and_any_other_gets_whole_pages() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    assert_eq!(machine.alloc(device, 0, CACHED), None);
    let mut expected = START;
    for (size, pages) in [(1, 1), (PAGE - 1, 1), (PAGE, 1), (PAGE + 1, 2), (5 * PAGE - 1, 5)] {
        let held = machine.alloc(device, size, CACHED).unwrap();
        assert_eq!(held.handle, expected, "{size} bytes");
        expected += pages * PAGE;
    }
    assert_eq!(pool.usage().used, 10 * PAGE);
    let used = machine.bitmap(pool);
    assert!(used[..10].iter().all(|used| *used) && !used[10..].iter().any(|used| *used), "the map that C reads");
}

#[test]
fn the_result_is_by_the_flags_of_request_and_pool() {
    let machine = Machine::new();
    let linear = machine.install(c"linear", START, MIB);
    machine.fail_always(Service::MapLinear);
    let plain = machine.install(c"plain", START + 2 * MIB, MIB);
    let wt = Flags::WRITE_THROUGH;
    for pool in [linear, plain] {
        // Until the next round, only this pool serves the device.
        let (pool_device, flags) = (machine.plain_device(), pool.flags());
        pool.add_flags(Flags::DEVICE);
        machine.set_pool_owner(pool, pool_device);
        for (wanted, memory) in [
            (CACHED, Cached),
            (Flags::LINEAR, Cached),
            (Flags::NOCACHE, Uncached),
            (Flags::NOCACHE | Flags::LINEAR, Uncached),
            (wt, WriteThrough),
            (wt | Flags::LINEAR, WriteThrough),
            (wt | Flags::NOCACHE, Uncached),
        ] {
            let held = machine.alloc(pool_device, 2 * PAGE, wanted | Flags::DEVICE).unwrap();
            assert_eq!(machine.translate(held.va), Some((pool.start(), memory)), "{wanted:?}");
            assert_eq!(machine.translate(held.va + PAGE), Some((pool.start() + PAGE, memory)), "{wanted:?}");
            assert_eq!(held.handle, pool.start());
            if memory == Cached && flags.contains(Flags::LINEAR) {
                assert_eq!(held.va, machine.linear_va(held.handle), "a linear pool's own address");
            }
            machine.free(held).unwrap();
        }
        machine.set_pool_flags(pool, flags);
    }
}

#[test]
fn every_mapping_of_a_page_shows_the_same_bytes() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let held = machine.alloc(device, 3 * PAGE, flags).unwrap();
        machine.poke(held.va, &[0x11; 3 * PAGE]);
        assert_eq!(machine.device_read(held.handle, 3 * PAGE), [0x11; 3 * PAGE]);
        machine.device_write(held.handle + 2 * PAGE, &[0x22; PAGE]);
        assert_eq!(machine.peek(held.va + 2 * PAGE, PAGE), [0x22; PAGE]);
        assert_eq!(machine.peek(machine.linear_va(held.handle), 1), [0x11]);
        machine.free(held).unwrap();
    }
}

#[test]
fn nocache_on_the_pool_holds_for_every_request() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    pool.add_flags(Flags::NOCACHE);
    for flags in [CACHED, Flags::LINEAR, Flags::WRITE_THROUGH] {
        let held = machine.alloc(device, PAGE, flags).unwrap();
        assert_eq!(machine.translate(held.va).unwrap().1, Uncached, "{flags:?}");
        machine.free(held).unwrap();
    }
    // After the BSP clears the flag, buffers are cached again.
    machine.set_pool_flags(pool, pool.flags() - Flags::NOCACHE);
    assert_eq!(machine.translate(machine.alloc(device, PAGE, CACHED).unwrap().va).unwrap().1, Cached);
}

#[test]
fn a_nomap_request_gets_the_physical_address_of_a_nomap_pool_and_no_mapping() {
    let machine = Machine::new();
    machine.install(c"other", START, MIB);
    machine.fail_always(Service::MapLinear);
    let pool = machine.install(c"nomap", START + MIB, MIB);
    let device = machine.plain_device();
    assert_eq!(machine.alloc(device, PAGE, Flags::NOMAP), None, "no pool has the flag");
    pool.add_flags(Flags::NOMAP);
    let maps = machine.map_count();
    for flags in [Flags::NOMAP, Flags::NOMAP | Flags::NOCACHE, Flags::NOMAP | Flags::WRITE_THROUGH] {
        let held = machine.alloc(device, 3 * PAGE, flags).unwrap();
        assert_eq!((held.va, held.handle), (START + MIB, START + MIB));
        machine.free(held).unwrap();
    }
    assert_eq!((machine.map_count(), machine.mappings()), (maps, vec![]));
    assert_eq!(pool.usage(), Usage { used: 0, longest_free: MIB });
}

#[test]
fn a_32_bit_request_needs_a_pool_with_the_flag() {
    let machine = Machine::new();
    machine.install(c"high", FOUR_GIB, MIB);
    let device = machine.plain_device();
    assert_eq!(machine.alloc(device, PAGE, Flags::ADDRESS_32BITS), None);
    machine.install(c"low", START, MIB);
    assert_eq!(machine.alloc(device, PAGE, Flags::ADDRESS_32BITS).unwrap().handle, START);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, FOUR_GIB, "others may have what came first");
}

#[test]
fn a_device_pool_serves_only_its_devices_requests_for_one() {
    let machine = Machine::new();
    let own = machine.install(c"own", START, MIB);
    machine.install(c"common", START + MIB, MIB);
    let (device, other) = (machine.plain_device(), machine.plain_device());
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE), None, "there is no device pool yet");
    own.add_flags(Flags::DEVICE);
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE), None, "no device owns it yet");
    machine.set_pool_owner(own, device);

    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE).unwrap().handle, START);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, START + MIB, "without the flag, the common one");
    assert_eq!(machine.alloc(other, PAGE, Flags::DEVICE), None);
    assert_eq!(machine.alloc(other, PAGE, CACHED).unwrap().handle, START + MIB + PAGE);
    assert_eq!(machine.alloc(device, MIB, Flags::DEVICE), None, "full, and no other pool stands in");

    // The BSP gives the pool to another device, which takes effect at the next call.
    machine.set_pool_owner(own, other);
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE), None);
    assert_eq!(machine.alloc(other, PAGE, Flags::DEVICE).unwrap().handle, START + PAGE);
}

#[test]
fn pools_are_tried_in_the_order_of_install() {
    let machine = Machine::new();
    machine.install(c"second in memory", START + MIB, 4 * PAGE);
    machine.install(c"first in memory", START, 8 * PAGE);
    let device = machine.plain_device();
    let allocate = |pages: usize| machine.alloc(device, pages * PAGE, CACHED).map(|held| held.handle);
    assert_eq!(allocate(3), Some(START + MIB));
    assert_eq!(allocate(2), Some(START), "the first has one page left");
    assert_eq!(allocate(1), Some(START + MIB + 3 * PAGE));
    assert_eq!(allocate(6), Some(START + 2 * PAGE));
    assert_eq!(allocate(1), None);
}

#[test]
fn an_interrupt_is_served_where_the_view_is_there_and_refused_where_it_is_not() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    machine.ops_of(device).unwrap();
    let from_interrupt = |flags| machine.in_interrupt(|| machine.alloc(device, PAGE, flags));
    let with_interrupts_off = |flags| machine.with_interrupts_off(|| machine.alloc(device, PAGE, flags));

    let linear = from_interrupt(CACHED).expect("the linear map is there");
    machine.in_interrupt(|| machine.free(linear)).unwrap();
    for flags in [Flags::NOCACHE, Flags::WRITE_THROUGH] {
        assert_eq!(from_interrupt(flags), None);
        assert_eq!(with_interrupts_off(flags), None);
        assert_eq!(pool.usage().used, 0, "no page remains in use");
        machine.free(machine.alloc(device, PAGE, flags).unwrap()).unwrap();
        let held = from_interrupt(flags).expect("a thread made the view");
        machine.in_interrupt(|| machine.free(held)).unwrap();
        let held = with_interrupts_off(flags).expect("a thread made the view");
        machine.with_interrupts_off(|| machine.free(held)).unwrap();
    }
    assert_eq!(pool.usage().used, 0);
}

#[test]
fn a_view_is_made_once_and_only_up_to_the_limit() {
    let machine = Machine::new();
    machine.set_view_limit(MIB);
    machine.install(c"small", START, MIB);
    let device = machine.plain_device();
    let held: Vec<_> = (0..8).map(|_| machine.alloc(device, PAGE, Flags::NOCACHE).unwrap()).collect();
    assert_eq!(machine.mappings(), [Mapped { pa: START, size: MIB, memory: Uncached }]);
    held.into_iter().for_each(|held| machine.free(held).unwrap());
    assert_eq!(machine.mappings().len(), 1, "and kept");

    let machine = Machine::new();
    machine.set_view_limit(MIB);
    machine.install(c"large", START, MIB + PAGE);
    let device = machine.plain_device();
    let held = machine.alloc(device, 3 * PAGE, Flags::NOCACHE).unwrap();
    assert_eq!(machine.mappings(), [Mapped { pa: START, size: 3 * PAGE, memory: Uncached }]);
    machine.in_interrupt(|| assert_eq!(machine.alloc(device, PAGE, Flags::NOCACHE), None, "it has to be mapped"));
    machine.free(held).unwrap();
    assert_eq!(machine.mappings(), []);
}

#[test]
fn a_buffer_of_a_no_map_pool_is_never_at_its_linear_address() {
    let machine = Machine::new();
    let region = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    for flags in [CACHED, Flags::LINEAR, Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let held = machine.alloc(device, PAGE, flags).unwrap();
        assert_eq!(machine.pa_of(held.va), held.handle);
        assert!(!machine.is_linear(held.handle), "{flags:?}");
    }
}

/// A request that fails because of the device's reach never marks pages as used, not even for a moment.
#[test]
fn a_pool_that_a_device_does_not_reach_is_not_touched() {
    let machine = Machine::new();
    let pool = machine.install(c"far", START, 4 * PAGE);
    machine.install(c"near", START + MIB, MIB);
    let info = DeviceInfo::with_dma_ranges(&[bus_range(START + MIB, 0, 0x4000_0000)]);
    let device = machine.device(info);
    machine.ops_of(device).unwrap();
    let (calls, is_counting) = (Arc::new(AtomicUsize::new(0)), AtomicBool::new(false));
    let counted = calls.clone();
    machine.set_interrupt(move || {
        if !is_counting.swap(true, Relaxed) {
            counted.fetch_add(1, Relaxed);
            assert_eq!(pool.usage().used, 0);
            is_counting.store(false, Relaxed);
        }
    });
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    machine.free(held).unwrap();
    machine.clear_interrupt();
    assert_ne!(calls.load(Relaxed), 0);
}

/// Makes a call in an interrupt, which must refuse it, and count that once without a line. Returns the call's result.
fn assert_counted<T>(machine: &Machine, call: impl FnOnce() -> T) -> T {
    let before = machine.dma.refused_calls();
    let result = machine.in_interrupt(call);
    assert_eq!(machine.dma.refused_calls(), before + 1);
    assert!(machine.take_errors().is_empty(), "no line is written where the caller may not sleep");
    result
}

/// Makes a pool without any view, not even a linear one.
fn pool_without_views() -> Machine {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    machine.install(c"pool", START, MIB);
    machine
}

#[test]
fn fault_05_an_allocation_that_needs_a_new_view_is_counted_in_an_interrupt() {
    let machine = pool_without_views();
    let device = machine.plain_device();
    for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
        assert_eq!(assert_counted(&machine, || machine.alloc(device, PAGE, flags)), None, "{flags:?}");
        let before = machine.dma.refused_calls();
        assert_eq!(machine.with_interrupts_off(|| machine.alloc(device, PAGE, flags)), None, "{flags:?}");
        assert_eq!(machine.dma.refused_calls(), before + 1, "{flags:?}");
    }
    let lines = machine.list();
    assert!(lines.iter().any(|line| line == "6 calls refused"), "{lines:?}");
}

#[test]
fn fault_05_an_allocation_within_a_mask_is_counted_in_an_interrupt() {
    let machine = pool_without_views();
    let unmasked = BufferRequest::new(MapOps::NonCoherent, machine.plain_device(), PAGE, Flags::NOCACHE);
    let request = BufferRequest { mask: u32::MAX as u64, ..unmasked };
    assert!(assert_counted(&machine, || machine.dma.allocate_in_order(&request)).is_err());
}

#[test]
fn fault_05_the_first_call_of_a_device_with_a_node_is_counted_in_an_interrupt() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.device(DeviceInfo { node: 1, ..DeviceInfo::plain() });
    assert_eq!(assert_counted(&machine, || machine.alloc(device, PAGE, CACHED)), None);
}

#[test]
fn fault_05_an_install_and_an_extract_are_counted_in_an_interrupt() {
    let machine = Machine::new();
    assert_eq!(assert_counted(&machine, || machine.try_install(c"pool", START, MIB)).err(), Some(Error::Context));
    assert_eq!(assert_counted(&machine, || machine.extract(MIB, 0)), Err(Error::Context));
}

#[test]
fn fault_05_a_free_of_a_buffer_with_an_own_mapping_is_counted_in_an_interrupt() {
    let machine = pool_without_views();
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    assert_eq!(assert_counted(&machine, || machine.free(held)), Err(Error::Context));
    machine.free(held).unwrap();
    assert_eq!(machine.dma.refused_calls(), 1);
}

#[test]
fn fault_05_a_call_that_finds_no_room_is_not_counted() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, MIB, CACHED).unwrap();
    assert_eq!(machine.in_interrupt(|| machine.alloc(device, PAGE, CACHED)), None);
    assert_eq!(machine.in_interrupt(|| machine.alloc(device, PAGE, Flags::NOCACHE)), None);
    assert_eq!(machine.dma.refused_calls(), 0);
    machine.free(held).unwrap();
}

/// While the memory in a device's reach is full, a request for more fails for want of room, although there is a pool
/// out of its reach. This is not a mistake of the driver, so it is not counted.
#[test]
fn fault_05_a_call_that_finds_no_room_in_reach_is_not_counted() {
    let (near, far) = (START, START + 16 * MIB);
    // The device reaches the first half of the near pool.
    let window = bus_range(near, 0x10_0000, MIB);
    let owner_of = |start| {
        let regions = vec![Ok(named_region(start, 2 * MIB))];
        DeviceInfo { regions, ..DeviceInfo::with_dma_ranges(&[window]) }
    };
    let devices = [
        DeviceInfo::with_pci_windows(&[window]),
        DeviceInfo::with_dma_ranges(&[window]),
        owner_of(near),
        owner_of(far),
    ];
    let orders = [[near, far], [far, near]];
    for (info, order) in pairs(devices, &orders) {
        let machine = Machine::new();
        let device = machine.device(info);
        machine.ops_of(device).unwrap();
        for start in order {
            // One of them may be the device's own region.
            if machine.dma.pools().all(|pool| pool.start() != start) {
                machine.install(c"pool", start, 2 * MIB);
            }
        }
        let held = machine.alloc(device, MIB, CACHED).unwrap();
        assert_eq!(held.handle, 0x10_0000);
        assert_eq!(machine.alloc(device, PAGE, CACHED), None);
        assert_eq!(machine.alloc(device, 2 * MIB + 1, CACHED), None, "larger than each pool");
        assert_eq!(machine.dma.refused_calls(), 0);
        assert!(machine.take_errors().is_empty());
        machine.free(held).unwrap();
        assert_eq!(machine.alloc(device, MIB + 1, CACHED), None, "out of reach even while nothing is in use");
        assert_eq!((machine.dma.refused_calls(), machine.take_errors().len()), (1, 1));
    }
}
