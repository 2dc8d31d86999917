//! Random masks, buses, pools and calls against a model of what the device reaches.

use crate::fake_kernel::*;
use crate::{CACHED, START, alloc_within};
use proptest::prelude::*;
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{BusWindow, Device, Pa};
use std::sync::atomic::Ordering::Relaxed;

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

/// The owner of a pool.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// The pool has no owner, and serves all devices.
    None,
    Device,
    Stranger,
}

const OWNERS: [Owner; 4] = [Owner::None, Owner::None, Owner::Device, Owner::Stranger];

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
        Sight::Pci | Sight::PciSwapped | Sight::Ragged => DeviceInfo::with_pci_windows(&windows),
        Sight::Ranges | Sight::Partial | Sight::RaggedRanges => DeviceInfo::with_dma_ranges(&windows),
    })
}

/// Returns the handle of one byte: the first window that contains it translates it.
fn handle_of(sight: Sight, pa: Pa) -> Option<usize> {
    let windows = windows_of(sight);
    let first = windows.iter().find(|window| (pa as u64).wrapping_sub(window.cpu) < window.size);
    match first {
        Some(window) => usize::try_from((pa as u64 - window.cpu).wrapping_add(window.bus)).ok(),
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

/// Returns any mask, or one near the pools.
fn mask_of(sight: Sight, bits: u32, offset: usize) -> u64 {
    match sight {
        Sight::Plain if offset != 0 => (START + offset * 0x5000) as u64,
        _ if offset % 2 == 1 => (offset * 0x5000) as u64,
        _ => (1 << bits) - 1,
    }
}

/// Returns whether the pool serves such requests of the device.
fn serves(pool: &Pool<FakeKernel>, device: Device, wanted: Flags) -> bool {
    if pool.flags().contains(Flags::DEVICE) {
        wanted.contains(Flags::DEVICE) && pool.public.dev.load(Relaxed) as usize == device.address()
    } else {
        !wanted.contains(Flags::DEVICE)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn fault_09_what_a_device_reaches_of_each_pool_is_served_by_first_fit_and_nothing_else(
        sight in prop::sample::select(&SIGHTS[..]),
        pools in prop::collection::vec((0usize..12, 1usize..100, prop::sample::select(&OWNERS[..])), 1..5),
        mask_bits in 12u32..34,
        mask_offset in 0usize..300,
        calls in prop::collection::vec((any::<bool>(), 1usize..20, 0usize..3, any::<prop::sample::Index>()), 120),
    ) {
        let machine = Machine::new();
        let device = device_with(&machine, sight);
        let stranger = machine.plain_device();
        for (place, pages, owner) in pools {
            // If two pools have the same place, the second is left out. Some pools contain `MIDDLE`.
            let Ok(pool) = machine.try_install(c"pool", START + place * 112 * PAGE, pages * PAGE) else { continue };
            let owner = match owner {
                Owner::None => continue,
                Owner::Device => device,
                Owner::Stranger => stranger,
            };
            pool.add_flags(Flags::DEVICE);
            machine.set_pool_owner(pool, owner);
        }
        let left_out = machine.take_errors().len();
        let ops = machine.ops_of(device).unwrap();
        let mask = mask_of(sight, mask_bits, mask_offset);
        let page_within = machine.dma.pools().any(|pool| {
            (serves(pool, device, CACHED) || serves(pool, device, Flags::DEVICE))
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
            let mut pools = machine.dma.pools().filter(|pool| serves(pool, device, flags));
            let expected = pools.find_map(|pool| lowest_within(&machine, pool, sight, size, mask));
            let used = machine.balance().used_bytes;
            let buffer = alloc_within(&machine, device, size, flags, mask);
            if let Some(buffer) = buffer {
                prop_assert!((buffer.handle + size - 1) as u64 <= mask, "{:#x} of {size} bytes", buffer.handle);
                let last = machine.pa_of(buffer.va) + size - 1;
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
        prop_assert_eq!(machine.dma.refused_calls(), left_out);
    }
}
