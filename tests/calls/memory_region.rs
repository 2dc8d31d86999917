//! Tests `memory-region`: memory that belongs to devices whose nodes name it.
//! `region_owners` has the devices that come and go.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, NamedRegion};
use rt_dma_pool::log::Level;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

pub const OWN: usize = START + 16 * MIB;

pub fn machine_with_cma() -> Machine {
    Machine::with_pool(c"cma", START, MIB).0
}

#[test]
fn a_device_is_served_from_its_own_region_first_and_from_the_others_when_that_is_full() {
    let machine = machine_with_cma();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, 4 * PAGE)]));
    assert_eq!(machine.ops_of(device), Some(MapOps::DeviceTree));
    assert_eq!(machine.alloc(device, 3 * PAGE, CACHED).unwrap().handle, OWN);
    assert_eq!(machine.alloc(device, 2 * PAGE, CACHED).unwrap().handle, START);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, OWN + 3 * PAGE);
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE), None, "asked for its own only, and that is full");
}

#[test]
fn several_regions_serve_in_the_nodes_order() {
    let machine = machine_with_cma();
    let regions = [named_region(OWN + 8 * MIB, PAGE), named_region(OWN, PAGE)];
    let device = machine.device(DeviceInfo::with_regions(&regions));
    let handles: Vec<_> = (0..3).map(|_| machine.alloc(device, PAGE, CACHED).unwrap().handle).collect();
    assert_eq!(handles, [OWN + 8 * MIB, OWN, START]);
}

#[test]
fn a_region_that_was_refused_because_it_overlaps_another_of_the_device_is_not_there() {
    let machine = Machine::new();
    // The third shares a page with the first, but has no whole page.
    let regions = [named_region(OWN, 4 * PAGE), named_region(OWN, 8 * PAGE), named_region(OWN + PAGE / 2, PAGE / 2)];
    let device = machine.device(DeviceInfo::with_regions(&regions));
    assert_eq!(machine.dma.claim_own_region(device, 0), Ok(()));
    for index in [1, 2] {
        assert_eq!(machine.dma.claim_own_region(device, index), Err(Error::NoRegion), "{index}");
    }
    // Two devices that name one region share it.
    let second = machine.device(DeviceInfo::with_regions(&regions[..1]));
    assert_eq!(machine.dma.claim_own_region(second, 0), Ok(()));
}

#[test]
fn a_device_that_claims_a_region_that_is_not_there_owns_its_others() {
    let machine = Machine::new();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, PAGE)]));
    assert_eq!(machine.dma.claim_own_region(device, 1), Err(Error::NoRegion));
    let owned: Vec<_> = machine.dma.pools().map(|pool| (pool.start(), pool.is_owned_by(device))).collect();
    assert_eq!(owned, [(OWN, true)]);
    machine.dma.release_own_regions(device);
    assert!(!machine.dma.pools().any(|pool| pool.is_owned_by(device)));
}

#[test]
fn two_devices_that_name_one_region_share_one_pool() {
    let machine = machine_with_cma();
    let info = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [first, second, third] = [(); 3].map(|()| machine.device(info.clone()));
    let stranger = machine.plain_device();
    let handles = [first, second, third, second].map(|device| machine.alloc(device, PAGE, CACHED).unwrap().handle);
    assert_eq!(handles, [OWN, OWN + PAGE, OWN + 2 * PAGE, OWN + 3 * PAGE]);
    assert_eq!(machine.alloc(third, PAGE, Flags::DEVICE).unwrap().handle, OWN + 4 * PAGE);
    assert_eq!(machine.dma.pools().count(), 2);
    assert_eq!(machine.alloc(stranger, PAGE, Flags::DEVICE), None);
    assert_eq!(machine.alloc(stranger, PAGE, CACHED).unwrap().handle, START);
}

/// The tree is wrong: two nodes have the same memory, and state different things about it. The devices of one would get
/// memory that is mapped, lent, or served to others, although the other node forbids it.
#[test]
fn fault_16_no_node_shares_the_memory_of_one_with_other_properties() {
    let own = named_region(OWN, MIB);
    let no_map = NamedRegion { is_no_map: true, ..own };
    let lent = NamedRegion { is_reusable: true, ..own };
    let shared = NamedRegion { serves_every_device: true, ..lent };
    let kinds = [own, no_map, lent, shared];
    for (one, other) in pairs(kinds, &kinds).into_iter().filter(|(one, other)| one != other) {
        let regions = [one, other];
        let machine = machine_with_cma();
        let [first, second] = regions.map(|region| machine.device(DeviceInfo::with_regions(&[region])));
        let stranger = machine.plain_device();
        assert_eq!(machine.ops_of(first), Some(MapOps::DeviceTree));
        let pool = machine.dma.pools().last().unwrap();
        assert_eq!(machine.ops_of(second), Some(MapOps::NonCoherent), "{regions:?}");
        assert_eq!(machine.take_errors().len(), 1, "it overlaps a pool");
        assert!(pool.is_owned_by(first) && !pool.is_owned_by(second));
        assert_eq!(machine.dma.claim_own_region(second, 0), Err(Error::NoRegion));
        assert_eq!(pool.is_reusable(), regions[0].is_reusable);
        assert_eq!(pool.serves(stranger, CACHED), regions[0].serves_every_device);
        assert_eq!(machine.is_linear(OWN), !regions[0].is_no_map);
    }
}

#[test]
fn a_device_that_cannot_share_a_region_does_not_change_it() {
    let machine = machine_with_cma();
    let info = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [first, second] = [info.clone().coherent(), info].map(|info| machine.device(info));
    assert_eq!(machine.ops_of(first), Some(MapOps::DeviceTree));
    let pool = machine.dma.pools().last().unwrap();
    assert!(!pool.flags().contains(Flags::NOCACHE));
    machine.fail(Service::HeapAlloc, 0, 1);
    assert_eq!(machine.dma.choose_ops(second), Err(Error::NoMemory));
    assert!(machine.repair(Service::HeapAlloc));
    assert!(!pool.flags().contains(Flags::NOCACHE));
    assert_eq!(machine.ops_of(second), Some(MapOps::DeviceTree));
    assert!(pool.flags().contains(Flags::NOCACHE));
}

#[test]
fn a_reusable_region_may_serve_strangers_too() {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, serves_every_device: true, ..named_region(OWN, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, OWN);
    assert_eq!(machine.alloc(stranger, PAGE, CACHED).unwrap().handle, OWN + PAGE);
    assert_eq!(machine.dma.pools().next().unwrap().flags() & Flags::DEVICE, Flags::empty());
}

#[test]
fn a_reusable_region_that_is_not_shared_serves_no_stranger() {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, ..named_region(OWN, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]));
    let stranger = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!((held.handle, machine.translate(held.va).unwrap().1), (OWN, MemoryType::Uncached));
    assert_eq!(machine.alloc(stranger, PAGE, CACHED), None);
    assert_eq!(machine.alloc(stranger, PAGE, Flags::DEVICE), None);
}

#[test]
fn the_region_is_uncached_unless_the_device_is_coherent() {
    for coherent in [false, true] {
        let machine = Machine::new();
        let info = DeviceInfo { coherent, ..DeviceInfo::with_regions(&[named_region(OWN, MIB)]) };
        let device = machine.device(info);
        let held = machine.alloc(device, PAGE, CACHED).unwrap();
        let memory = if coherent { MemoryType::Cached } else { MemoryType::Uncached };
        assert_eq!(machine.translate(held.va), Some((OWN, memory)));
    }
}

#[test]
fn a_region_that_strangers_use_too_stays_cached_for_them() {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, serves_every_device: true, ..named_region(OWN, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]));
    let stranger = machine.plain_device();
    let memory = |device| {
        let held = machine.alloc(device, PAGE, CACHED).unwrap();
        let memory = machine.translate(held.va).unwrap().1;
        machine.free(held).unwrap();
        memory
    };
    assert_eq!(memory(device), MemoryType::Uncached);
    assert_eq!(memory(stranger), MemoryType::Cached);
    let snoops = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    assert_eq!([device, snoops, stranger].map(memory), [MemoryType::Uncached, MemoryType::Cached, MemoryType::Cached]);
}

#[test]
fn no_map_is_never_mapped_linearly_and_any_other_region_is() {
    for no_map in [false, true] {
        let machine = Machine::new();
        let region = NamedRegion { is_no_map: no_map, ..named_region(OWN, MIB) };
        let device = machine.device(DeviceInfo::with_regions(&[region]));
        let held = machine.alloc(device, PAGE, CACHED).unwrap();
        assert_eq!(machine.is_linear(OWN), !no_map);
        assert_eq!(machine.pa_of(held.va), OWN);
        let physical = machine.alloc(device, PAGE, Flags::NOMAP);
        assert_eq!(physical.map(|held| held.va), no_map.then_some(OWN + PAGE));
    }
}

#[test]
fn a_region_above_4_gib_serves_its_own_device() {
    let machine = Machine::new();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(1 << 32, MIB)]));
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, 1 << 32);
    assert_eq!(machine.alloc(device, PAGE, Flags::ADDRESS_32BITS), None, "but not a request for 32 bits");
}

#[test]
fn regions_that_cannot_be_used_are_passed_over_with_a_line_each() {
    let machine = machine_with_cma();
    let good = named_region(OWN, MIB);
    let regions =
        [Err(Error::BadReg), Ok(named_region(START, MIB)), Ok(named_region(OWN + 4 * MIB, PAGE - 1)), Ok(good)];
    let device = machine.device(DeviceInfo { regions: regions.to_vec(), ..DeviceInfo::with_regions(&[]) });
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, OWN);
    let lines = machine.take_errors();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines.iter().all(|line| line.starts_with("device")), "{lines:#?}");
    assert_eq!(machine.dma.pools().count(), 2);
}

/// Asks for the operations of a device whose node names `region` and expects that the device gets no part of it.
fn expect_refused(region: Result<NamedRegion, Error>, reason: &str) {
    let machine = machine_with_cma();
    let balance = machine.balance();
    let regions = vec![region];
    let device = machine.device(DeviceInfo { regions, ..DeviceInfo::with_regions(&[]) }.named(c"decoder"));
    assert_eq!(machine.ops_of(device), Some(MapOps::NonCoherent));
    let lines = machine.take_errors();
    assert!(matches!(&lines[..], [line] if line.starts_with("decoder: ") && line.contains(reason)), "{lines:?}");
    assert_eq!(machine.balance(), balance);
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, START, "the boot pools serve it");
}

#[test]
fn fault_03_a_device_that_names_a_node_without_memory_gets_a_line_that_says_so() {
    expect_refused(Err(Error::NoReg), "not served");
    expect_refused(Err(Error::NoNode), "no such node");
    expect_refused(Err(Error::BadReg), "bad reg");
}

#[test]
fn fault_15_a_region_whose_node_is_not_there_serves_no_device() {
    expect_refused(Err(Error::Disabled), "node is disabled");
    expect_refused(Err(Error::NotReserved), "memory not reserved");
}

#[test]
fn fault_16_a_device_is_not_served_from_a_region_with_no_map_and_reusable() {
    let region = NamedRegion { is_no_map: true, is_reusable: true, ..named_region(OWN, MIB) };
    expect_refused(Ok(region), "no-map and reusable");
    // It is not served from a pool that another device's node made of the same memory either.
    let machine = machine_with_cma();
    let good = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
    let bad = machine.device(DeviceInfo::with_regions(&[region]));
    assert_eq!(machine.alloc(good, PAGE, CACHED).unwrap().handle, OWN);
    assert_eq!(machine.alloc(bad, PAGE, CACHED).unwrap().handle, START);
    assert_eq!(machine.alloc(bad, PAGE, Flags::DEVICE), None);
    assert_eq!(machine.take_errors().len(), 1);
}

#[test]
fn a_node_without_a_usable_region_leaves_the_default_operations() {
    let machine = machine_with_cma();
    let none = machine.device(DeviceInfo::with_regions(&[]));
    let bad = DeviceInfo { regions: vec![Err(Error::BadReg)], ..DeviceInfo::with_regions(&[]) };
    let bad = machine.device(bad.coherent());
    assert_eq!(machine.ops_of(none), Some(MapOps::NonCoherent));
    assert_eq!(machine.ops_of(bad), Some(MapOps::Coherent));
}

#[test]
fn operations_are_chosen_by_a_thread() {
    let machine = machine_with_cma();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
    assert_eq!(machine.in_interrupt(|| machine.dma.choose_ops(device)), Err(Error::Context));
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(machine.ops_of(device), Some(MapOps::DeviceTree));
    assert_eq!(machine.in_interrupt(|| machine.ops_of(device)), Some(MapOps::DeviceTree), "once chosen, anywhere");
}

#[test]
fn a_region_is_installed_once_however_often_it_is_asked_for() {
    let machine = Machine::new();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB), named_region(OWN, MIB)]));
    let mut settled = None;
    for _ in 0..10 {
        assert_eq!(machine.dma.choose_ops(device), Ok(MapOps::DeviceTree));
        let balance = machine.balance();
        assert_eq!(*settled.get_or_insert(balance.clone()), balance);
    }
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn regions_that_the_heap_has_no_room_for_are_claimed_by_the_next_call() {
    for call in 0..6 {
        let machine = Machine::new();
        let regions = [0, 1, 2].map(|n| named_region(START + n * MIB, MIB));
        let devices = [(); 2].map(|()| machine.device(DeviceInfo::with_regions(&regions)));
        machine.fail(Service::HeapAlloc, call, 1);
        // Three pools, and then a second owner for each of them.
        assert_eq!(devices.map(|device| machine.ops_of(device).is_some()), [call >= 3, call < 3]);
        assert!(machine.repair(Service::HeapAlloc));
        assert_eq!(machine.take_errors().len(), 1);
        assert_eq!(devices.map(|device| machine.ops_of(device)), [Some(MapOps::DeviceTree); 2]);
        assert_eq!(machine.dma.pools().count(), 3);
        for device in devices {
            let held = [(); 3].map(|()| machine.alloc(device, MIB, CACHED).unwrap());
            held.into_iter().for_each(|held| machine.free(held).unwrap());
        }
    }
}

/// A console may be a DMA device: its first DMA call may happen while a line about another device's region is printed.
#[test]
fn others_choose_their_operations_while_a_refused_region_is_logged() {
    let machine = Arc::new(machine_with_cma());
    let device = machine.device(DeviceInfo::with_regions(&[named_region(START, PAGE)]));
    let console = machine.device(DeviceInfo::with_regions(&[named_region(OWN, PAGE)]));
    let (chosen, choice) = mpsc::channel();
    let others = machine.clone();
    machine.set_console_driver(move || {
        let (others, (done, is_done)) = (others.clone(), mpsc::channel());
        thread::spawn(move || done.send(others.ops_of(console)));
        chosen.send(is_done.recv_timeout(Duration::from_secs(5))).unwrap();
    });
    assert_eq!(machine.ops_of(device), Some(MapOps::NonCoherent), "its region is another pool's");
    machine.clear_console_driver();
    assert_eq!(choice.try_recv().unwrap(), Ok(Some(MapOps::DeviceTree)));
}

#[test]
fn fault_16_a_node_is_no_own_region_if_another_node_has_its_memory_with_no_map() {
    let mapped = named_region(OWN, MIB);
    let no_map = NamedRegion { is_no_map: true, ..mapped };
    for (served, refused) in [(mapped, no_map), (no_map, mapped)] {
        let machine = machine_with_cma();
        let device = machine.device(DeviceInfo::with_regions(&[served, refused]));
        machine.ops_of(device);
        assert_eq!(machine.take_errors().len(), 1, "the second node is refused");
        assert_eq!(machine.dma.claim_own_region(device, 0), Ok(()));
        assert_eq!(machine.dma.claim_own_region(device, 1), Err(Error::NoRegion));
    }
}

/// The kernel reads each region twice: to claim it, and to compare it with the pools.
#[test]
fn a_region_that_cannot_be_read_for_want_of_memory_is_asked_for_again() {
    for failing_read in 0..2 {
        let machine = machine_with_cma();
        let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
        machine.fail(Service::MemoryRegion, failing_read, 1);
        let expected = Err(Error::NoMemory);
        assert_eq!(machine.dma.claim_own_region(device, 0), expected, "read {failing_read}");
        assert!(machine.repair(Service::MemoryRegion));
        assert_eq!(machine.dma.claim_own_region(device, 0), Ok(()));
        let logged = machine.take_errors().len();
        assert_eq!(logged, if failing_read == 0 { 1 } else { 0 }, "the call that claims logs a line");
    }
}

#[test]
fn ranges_of_the_bus_for_which_the_heap_has_no_room_are_logged() {
    let machine = machine_with_cma();
    let device = machine.device(DeviceInfo::with_dma_ranges(&[]));
    machine.fail(Service::BusRanges, 0, 1);
    assert_eq!(machine.dma.choose_ops(device), Err(Error::NoMemory));
    assert_eq!(machine.dma.choose_ops(device), Ok(MapOps::DeviceTree));
    assert_eq!(machine.take_log(Level::Error), ["device: no memory (0x0, 0x0, 0)"]);
    assert_eq!(machine.dma.refused_calls(), 1);
}
