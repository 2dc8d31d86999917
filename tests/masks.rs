//! Tests a device's masks: no handle exceeds its mask, and memory within the mask is found.

mod fake_kernel;

use fake_kernel::*;
use proptest::prelude::*;
use rt_dma_pool::additions::device::masks::is_within;
use rt_dma_pool::additions::device::record::Masks;
use rt_dma_pool::additions::device::record::{DeviceRecords, NoRecord};
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::dropin::translate::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{BusWindow, Device, NamedRegion, Pa};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Barrier};
use std::thread;

const START: Pa = LOW.start;
const CACHED: Flags = Flags::empty();
/// The address of the table of operations that a masked table replaces and calls.
const TABLE: usize = 0x1230;

/// Allocates a buffer whose handles lie within `mask`, by the device's own operations.
fn alloc_within(machine: &Machine, device: Device, size: usize, flags: Flags, mask: u64) -> Option<Held> {
    let ops = machine.ops(device)?;
    let (va, handle) = machine.dma.allocate_within(ops, device, size, flags, mask)?;
    Some(Held { device, size, flags, va, handle })
}

#[test]
fn a_range_is_within_a_mask_to_its_last_byte() {
    assert!(is_within(0xff00, 0x100, 0xffff));
    assert!(!is_within(0xff00, 0x101, 0xffff));
    assert!(!is_within(0x1_0000, 1, 0xffff));
    assert!(is_within(usize::MAX, 1, !0));
    assert!(!is_within(usize::MAX, 2, !0), "it ends past the end of memory");
    assert!(!is_within(0, 0, !0), "nothing is nowhere");
}

#[test]
fn a_pool_that_straddles_the_mask_serves_its_reachable_part_and_no_more() {
    let (machine, pool) = Machine::with_pool(c"pool", START, 16 * PAGE);
    let device = machine.plain_device();
    let mask = (START + 6 * PAGE - 1) as u64;
    let held: Vec<_> = (0..3).map(|_| alloc_within(&machine, device, 2 * PAGE, CACHED, mask).unwrap()).collect();
    assert_eq!(held.iter().map(|held| held.handle - START).collect::<Vec<_>>(), [0, 2 * PAGE, 4 * PAGE]);
    for size in [1, PAGE, 2 * PAGE] {
        assert_eq!(alloc_within(&machine, device, size, CACHED, mask), None);
    }
    assert_eq!(pool.usage().0, 6 * PAGE, "what lies beyond was given back");
    assert_eq!(machine.dma.bad_calls(), 0);
    machine.free(held[1]).unwrap();
    assert_eq!(alloc_within(&machine, device, 2 * PAGE + 1, CACHED, mask), None, "three pages do not fit there");
    assert_eq!(alloc_within(&machine, device, PAGE, CACHED, mask).unwrap().handle, START + 2 * PAGE);
    assert_eq!(alloc_within(&machine, device, PAGE + 1, CACHED, !0).unwrap().handle, START + 6 * PAGE);
}

#[test]
fn the_last_page_may_end_past_the_mask_but_not_the_buffer() {
    let (machine, _) = Machine::with_pool(c"pool", START, 16 * PAGE);
    let device = machine.plain_device();
    let mask = (START + PAGE + 99) as u64;
    assert_eq!(alloc_within(&machine, device, PAGE + 101, CACHED, mask), None);
    assert_eq!(alloc_within(&machine, device, PAGE + 100, CACHED, mask).unwrap().handle, START);
}

#[test]
fn a_pool_out_of_reach_is_not_mapped_for_it() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    assert_eq!(alloc_within(&machine, device, PAGE, Flags::NOCACHE, 0xffff), None);
    assert_eq!(machine.maps_made(), 0);
}

#[test]
fn later_pools_serve_what_an_earlier_one_cannot_reach() {
    let machine = Machine::new();
    machine.install(c"high", 0x1_0000_0000, MIB);
    let low = machine.install(c"low", START, MIB);
    let device = machine.plain_device();
    assert_eq!(alloc_within(&machine, device, PAGE, CACHED, 0xffff_ffff).unwrap().handle, low.start());
}

#[test]
fn a_devices_own_region_is_masked_too_and_strangers_pools_do_not_count() {
    let machine = Machine::new();
    let own = NamedRegion { start: START, end: START + MIB, no_map: false, reusable: false, is_shared: false };
    let device = machine.device(DeviceInfo::naming(&[own]));
    let stranger = machine.plain_device();
    let ops = machine.ops(device).unwrap();
    let mask = (START + 4 * PAGE - 1) as u64;
    assert_eq!(alloc_within(&machine, device, 4 * PAGE, CACHED, mask).unwrap().handle, START);
    assert_eq!(alloc_within(&machine, device, PAGE, CACHED, mask), None);
    assert!(machine.dma.can_reach(ops, device, mask));
    assert!(!machine.dma.can_reach(ops, device, (START + PAGE - 2) as u64), "not one page");
    assert!(!machine.dma.can_reach(MapOps::NonCoherent, stranger, !0), "a device's own region is not theirs");
}

#[test]
fn without_pools_no_mask_can_be_served() {
    let machine = Machine::new();
    assert!(!machine.dma.can_reach(MapOps::Coherent, machine.plain_device(), !0));
}

// --- the records -------------------------------------------------------------------------------------------------------

#[test]
fn masks_are_all_ones_until_they_are_set_and_cost_nothing_when_they_are_again() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [first, second] = [0; 2].map(|_| machine.plain_device());
    assert_eq!(records.masks(first), Masks::NONE);
    records.set_masks(first, Masks::NONE, Some(0xff), None, TABLE).unwrap();
    records.set_masks(first, Masks::NONE, None, Some(0xffff), TABLE).unwrap();
    assert_eq!(records.masks(first), Masks { streaming: 0xff, coherent: 0xffff });
    assert_eq!(records.masks(second), Masks::NONE, "another device");
    records.set_masks(first, Masks::NONE, Some(!0), Some(!0), TABLE).unwrap();
    assert_eq!(records.masks(first), Masks::NONE);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn the_operations_behind_a_mask_are_remembered_as_long_as_there_is_one() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    assert_eq!(records.masks_and_operations(device), (Masks::NONE, 0));
    let inherited = Masks { streaming: 0xffff, coherent: 0xfff };
    let masks = records.set_masks(device, inherited, None, Some(0xff), TABLE).unwrap();
    assert_eq!(masks, Masks { streaming: 0xffff, coherent: 0xff });
    assert_eq!(records.masks_and_operations(device), (masks, TABLE));
    let masks = records.set_masks(device, inherited, None, Some(!0), TABLE).unwrap();
    assert_eq!(masks, Masks { streaming: 0xffff, coherent: !0 }, "its own, not what it inherited");
    records.set_masks(device, inherited, Some(!0), None, TABLE).unwrap();
    assert_eq!(records.masks_and_operations(device), (Masks::NONE, 0), "nothing stands before it any more");
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn fault_17_release_leaves_no_block_for_a_device_that_ever_set_a_mask() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    for number in 1..100 {
        let device = Device(0x4000_0000 + number * 0x140);
        records.set_masks(device, Masks::NONE, Some(0xff), Some(0xff), TABLE).unwrap();
        assert!(records.release(device));
        records.forget_masks(device);
        assert_eq!(records.masks_and_operations(device), (Masks::NONE, 0));
        assert_eq!(machine.balance().heap_bytes, 0);
    }
}

#[test]
fn fault_17_a_device_without_operations_has_no_masks_of_an_earlier_one() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    // This device's record is in the same list. It keeps its own masks.
    let other = Device(device.0 + (16 << 12));
    records.set_masks(other, Masks::NONE, Some(7), None, TABLE).unwrap();
    let balance = machine.balance();
    let set = || records.set_masks(device, Masks::NONE, Some(0xff), Some(0xff), TABLE).unwrap();

    set();
    assert_eq!(records.forget(device, || false), 0, "it has operations: its masks are its own");
    assert_eq!(records.masks(device), Masks { streaming: 0xff, coherent: 0xff });
    assert_eq!(records.forget(device, || true), 0);
    assert_eq!(records.masks_and_operations(device), (Masks::NONE, 0));
    assert_eq!(machine.balance(), balance);

    // In an interrupt the record stays in the list until the next call from a thread, but no lookup finds it.
    set();
    assert_eq!(machine.in_interrupt(|| records.forget(device, || true)), 0);
    assert_eq!(records.masks_and_operations(device), (Masks::NONE, 0));
    records.set_masks(device, Masks::NONE, Some(0xf), None, TABLE).unwrap();
    assert_eq!(records.masks(device), Masks { streaming: 0xf, coherent: !0 });
    records.forget_masks(device);
    assert_eq!(machine.balance(), balance);
    assert_eq!(records.masks(other).streaming, 7);
}

#[test]
fn many_devices_are_told_apart() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let devices: Vec<_> = (1..200).map(|number| Device(0x4000_0000 + number * 0x140)).collect();
    for device in &devices {
        records.set_masks(*device, Masks::NONE, Some(device.0 as u64), Some(!device.0 as u64), TABLE).unwrap();
    }
    for device in devices.iter().rev() {
        assert_eq!(records.masks(*device), Masks { streaming: device.0 as u64, coherent: !device.0 as u64 });
    }
    for device in devices.iter().step_by(2).chain(devices.iter().skip(1).step_by(2)) {
        records.set_masks(*device, Masks::NONE, Some(!0), Some(!0), TABLE).unwrap();
        assert_eq!(records.masks(*device), Masks::NONE);
    }
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_mask_that_cannot_be_remembered_changes_nothing() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    machine.fail_always(Service::HeapAlloc);
    assert_eq!(records.set_masks(device, Masks::NONE, Some(1), Some(1), TABLE), Err(NoRecord::NoMemory));
    machine.repair(Service::HeapAlloc);
    assert_eq!(
        machine.in_interrupt(|| records.set_masks(device, Masks::NONE, Some(1), Some(1), TABLE)),
        Err(NoRecord::Context)
    );
    assert_eq!(records.masks(device), Masks::NONE);
    records.set_masks(device, Masks::NONE, Some(1), Some(1), TABLE).unwrap();
    machine.in_interrupt(|| records.set_masks(device, Masks::NONE, None, Some(3), TABLE)).unwrap();
    assert_eq!(
        records.masks(device),
        Masks { streaming: 1, coherent: 3 },
        "once there is a record, in an interrupt too"
    );
}

#[test]
fn two_masks_set_at_once_are_never_seen_half_set() {
    let machine = Machine::new();
    let records = Arc::new(DeviceRecords::new(machine.kernel));
    let device = machine.plain_device();
    let seen = records.clone();
    machine.set_interrupt(Some(Arc::new(move || {
        let Masks { streaming, coherent } = seen.masks(device);
        assert_eq!(streaming, coherent);
    })));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for core in 1..=4 {
            let (records, start) = (&records, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..300u64 {
                    // In every fourth round the record is freed, and the next round makes a new one.
                    let mask = if round % 4 == 0 { !0 } else { round << 8 | core };
                    records.set_masks(device, Masks::NONE, Some(mask), Some(mask), TABLE).unwrap();
                    let Masks { streaming, coherent } = records.masks(device);
                    assert_eq!(streaming, coherent);
                }
            });
        }
    });
    machine.set_interrupt(None);
    records.set_masks(device, Masks::NONE, Some(!0), Some(!0), TABLE).unwrap();
    assert_eq!(machine.balance().heap_bytes, 0, "one record at a time");
}

// --- properties --------------------------------------------------------------------------------------------------------

/// How the device of a property test sees memory.
#[derive(Clone, Copy, Debug)]
enum Sight {
    Plain,
    /// A PCI device that sees memory through one window.
    Pci,
    /// A PCI device with two windows: the lower memory has the higher handles.
    PciSwapped,
    /// A device below a bus whose `dma-ranges` cover all memory.
    Ranges,
    /// A device below a bus whose `dma-ranges` cover a part of memory.
    Partial,
    /// A PCI device whose windows leave holes, begin and end within pages, and overlap. Some of them show memory at its
    /// physical addresses.
    Ragged,
    /// A device below a bus whose `dma-ranges` are the windows of `Ragged`.
    RaggedRanges,
}

const SIGHTS: [Sight; 7] =
    [Sight::Plain, Sight::Pci, Sight::PciSwapped, Sight::Ranges, Sight::Partial, Sight::Ragged, Sight::RaggedRanges];
const MIDDLE: Pa = START + 2 * MIB;

/// Returns the windows or ranges through which a device sees memory. The list is empty if it sees all memory.
fn windows_of(sight: Sight) -> Vec<BusWindow> {
    match sight {
        Sight::Plain => vec![],
        Sight::Pci => vec![bus_range(START, 0x1000, 8 * MIB)],
        Sight::PciSwapped => vec![bus_range(START, 4 * MIB, 2 * MIB), bus_range(MIDDLE, 2 * MIB, 2 * MIB)],
        Sight::Ranges => vec![bus_range(START, 0x8000, 1 << 30)],
        Sight::Partial => vec![bus_range(MIDDLE, 0, 1 << 30)],
        Sight::Ragged | Sight::RaggedRanges => vec![
            bus_range(START, 0, 0),
            bus_range(START + 20 * PAGE, START + 20 * PAGE, 10 * PAGE),
            bus_range(START + 8 * PAGE + 100, 0x20_0064, 40 * PAGE + 1),
            // This window begins where the one before it ends.
            bus_range(START + 48 * PAGE + 101, 0x20_0065 + 40 * PAGE, 20 * PAGE),
            bus_range(START + 112 * PAGE - 3 * PAGE / 2, 0x10_0800, 50 * PAGE),
            bus_range(MIDDLE, MIDDLE, 3 * PAGE),
            bus_range(MIDDLE - 30 * PAGE, 0x800, 60 * PAGE),
            bus_range(START + 900 * PAGE, usize::MAX - 20 * PAGE + 1, 100 * PAGE),
        ],
    }
}

fn device_with(machine: &Machine, sight: Sight) -> Device {
    let windows = windows_of(sight);
    machine.device(match sight {
        Sight::Plain => DeviceInfo::plain(),
        Sight::Pci | Sight::PciSwapped | Sight::Ragged => DeviceInfo::pci(&windows),
        Sight::Ranges | Sight::Partial | Sight::RaggedRanges => DeviceInfo::behind_ranges(&windows),
    })
}

/// Returns the handle of one byte: the first window that contains it translates it.
fn handle_of(sight: Sight, pa: Pa) -> Option<usize> {
    let windows = windows_of(sight);
    let first = windows.iter().find(|window| (pa as u64).wrapping_sub(window.cpu) < window.size);
    match first {
        Some(window) => Some((pa as u64 - window.cpu).wrapping_add(window.bus) as usize),
        None => windows.is_empty().then_some(pa),
    }
}

/// Returns the handle of `size` bytes at `pa`, if the device reaches all of them at consecutive handles.
fn handle_of_all(sight: Sight, pa: Pa, size: usize, mask: u64) -> Option<usize> {
    let handle = handle_of(sight, pa)?;
    let edges = windows_of(sight).into_iter().flat_map(|window| [window.cpu, window.cpu + window.size]);
    let edges = edges.flat_map(|edge| [edge as usize, edge as usize - 1]).filter(|at| (pa..pa + size).contains(at));
    let is_reached = |at: Pa| {
        let expected = handle.checked_add(at - pa);
        expected.is_some_and(|expected| expected as u64 <= mask) && handle_of(sight, at) == expected
    };
    edges.chain([pa, pa + size - 1]).all(is_reached).then_some(handle)
}

/// Returns the handle of the lowest free pages of a pool that hold `size` bytes within the device's reach. `pool->map`
/// shows which pages are free.
fn lowest_within(
    machine: &Machine,
    pool: &'static Pool<FakeKernel>,
    sight: Sight,
    size: usize,
    mask: u64,
) -> Option<usize> {
    let (used, pages) = (machine.bitmap(pool), size.div_ceil(PAGE));
    let starts = 0..(used.len() + 1).saturating_sub(pages);
    let mut free = starts.filter(|page| used[*page..page + pages].iter().all(|used| !used));
    free.find_map(|page| handle_of_all(sight, pool.start() + page * PAGE, size, mask))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn fault_09_what_a_device_reaches_of_each_pool_is_served_by_first_fit_and_nothing_else(
        sight in prop::sample::select(&SIGHTS[..]),
        pools in prop::collection::vec((0usize..12, 1usize..100, 0usize..4), 1..5),
        mask_bits in 12u32..34,
        mask_offset in 0usize..300,
        calls in prop::collection::vec((any::<bool>(), 1usize..20, 0usize..3, any::<prop::sample::Index>()), 120),
    ) {
        let machine = Machine::new();
        let device = device_with(&machine, sight);
        let stranger = machine.plain_device();
        for (place, pages, kind) in pools {
            // If two pools have the same place, the second is left out. Some pools contain `MIDDLE`.
            let Ok(pool) = machine.dma.install(&range(c"pool", START + place * 112 * PAGE, pages * PAGE)) else { continue };
            if kind >= 2 {
                pool.public.flags.fetch_or(Flags::DEVICE.bits(), Relaxed);
                pool.public.dev.store(if kind == 2 { device.0 } else { stranger.0 } as *mut _, Relaxed);
            }
        }
        let left_out = machine.take_errors().len();
        let ops = machine.ops(device).unwrap();
        // Any mask, and masks near the pools.
        let mask = match sight {
            Sight::Plain if mask_offset != 0 => (START + mask_offset * 0x5000) as u64,
            _ if mask_offset % 2 == 1 => (mask_offset * 0x5000) as u64,
            _ => (1u64 << mask_bits) - 1,
        };
        let serves = |pool: &Pool<FakeKernel>, wanted: Flags| match pool.flags().contains(Flags::DEVICE) {
            true => wanted.contains(Flags::DEVICE) && pool.public.dev.load(Relaxed) as usize == device.0,
            false => !wanted.contains(Flags::DEVICE),
        };
        let page_within = machine.dma.pools().any(|pool| {
            (serves(pool, CACHED) || serves(pool, Flags::DEVICE))
                && (pool.start()..pool.end()).step_by(PAGE).any(|pa| handle_of_all(sight, pa, PAGE, mask).is_some())
        });
        prop_assert_eq!(machine.dma.can_reach(ops, device, mask), page_within);

        let mut held: Vec<Held> = Vec::new();
        for (frees, pages, request, which) in calls {
            if frees && !held.is_empty() {
                machine.free(held.swap_remove(which.index(held.len()))).unwrap();
                continue;
            }
            let flags = [CACHED, Flags::NOCACHE, Flags::DEVICE][request];
            let size = pages * PAGE - which.index(PAGE);
            // The lowest run within the device's reach, in the first pool that has such a run.
            let mut pools = machine.dma.pools().filter(|pool| serves(pool, flags));
            let expected = pools.find_map(|pool| lowest_within(&machine, pool, sight, size, mask));
            let used = machine.balance().used_bytes;
            let buffer = alloc_within(&machine, device, size, flags, mask);
            if let Some(buffer) = buffer {
                prop_assert!((buffer.handle + size - 1) as u64 <= mask, "{:#x} of {size} bytes", buffer.handle);
                let last = machine.at(buffer.va).unwrap().0 + size - 1;
                prop_assert_eq!(handle_of(sight, last), Some(buffer.handle + size - 1), "its end is elsewhere");
                prop_assert_eq!(machine.balance().used_bytes, used + pages * PAGE);
            } else {
                prop_assert_eq!(machine.balance().used_bytes, used, "a page is lost");
            }
            prop_assert_eq!(buffer.map(|buffer| buffer.handle), expected);
            held.extend(buffer);
        }
        for held in held {
            machine.free(held).unwrap();
        }
        prop_assert_eq!(machine.balance().used_bytes, 0);
        prop_assert_eq!(machine.dma.bad_calls(), left_out);
    }
}
