//! Tests which map operations a device gets, and how its handles are translated.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::BusWindow;

fn machine() -> Machine {
    Machine::with_pool(c"pool", START, MIB).0
}

#[test]
fn operations_are_by_device_tree_then_pci_then_dma_coherent() {
    let machine = machine();
    let window = BusWindow { cpu: START as u64, bus: 0, size: MIB as u64 };
    let regions = DeviceInfo::with_regions(&[named_region(START + 8 * MIB, MIB)]);
    let ranges = DeviceInfo::with_dma_ranges(&[bus_range(0, 0, usize::MAX)]);
    let node_only = DeviceInfo { node: 1, ..DeviceInfo::plain() };
    for (info, expected) in [
        (DeviceInfo { windows: vec![window], ..regions }, MapOps::DeviceTree),
        (DeviceInfo { windows: vec![window], ..ranges.coherent() }, MapOps::DeviceTree),
        // This bus leads to no memory at all.
        (DeviceInfo::with_dma_ranges(&[]), MapOps::DeviceTree),
        (DeviceInfo { windows: vec![window], ..node_only.clone() }, MapOps::Pci),
        (DeviceInfo::with_pci_windows(&[window]).coherent(), MapOps::Pci),
        (DeviceInfo::with_pci_windows(&[]), MapOps::NonCoherent),
        (node_only.clone().coherent(), MapOps::Coherent),
        (node_only, MapOps::NonCoherent),
        (DeviceInfo::plain().coherent(), MapOps::Coherent),
    ] {
        assert_eq!(machine.ops_of(machine.device(info)), Some(expected));
    }
}

#[test]
fn untranslated_handles_are_physical_addresses() {
    let machine = machine();
    for info in [DeviceInfo::plain(), DeviceInfo::plain().coherent()] {
        let device = machine.device(info);
        let held = machine.alloc(device, PAGE, CACHED).unwrap();
        let ops = machine.ops_of(device).unwrap();
        assert_eq!(machine.pa_of(held.va), held.handle);
        assert_eq!(machine.sync_out(ops, device, held.va + 5, 10, CACHED), Ok(held.handle + 5));
    }
}

#[test]
fn dma_ranges_translate_handles_and_ask_for_32_bit_memory() {
    let machine = Machine::new();
    machine.install(c"high", 1 << 32, MIB);
    machine.install(c"low", START, MIB);
    let device = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(START, 0x8000_0000, 0x4000_0000)]));
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!((machine.pa_of(held.va), held.handle), (START, 0x8000_0000));
    let sync = machine.sync_out(MapOps::DeviceTree, device, held.va + 64, 64, CACHED);
    assert_eq!(sync, Ok(0x8000_0040));
    machine.free(held).unwrap();
}

#[test]
fn memory_that_no_dma_range_covers_is_given_back() {
    let machine = machine();
    let device = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(0, 0, START)]));
    let settled = machine.balance();
    for flags in [CACHED, Flags::NOCACHE] {
        assert_eq!(machine.alloc(device, PAGE, flags), None);
        let lines = machine.take_errors();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("0x40000000"), "{lines:?}");
    }
    assert_eq!(machine.balance().used_bytes, settled.used_bytes);
    let linear = machine.linear_va(START);
    let sync = machine.sync_out(MapOps::DeviceTree, device, linear, PAGE, CACHED);
    assert_eq!(sync, Err(Error::NotReachable));
}

#[test]
fn memory_that_a_range_covers_in_part_is_given_back() {
    let machine = machine();
    let ranged = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(START, 0x8000_0000, PAGE + 100)]));
    let window = BusWindow { cpu: START as u64, bus: 0x8000_0000, size: (PAGE + 100) as u64 };
    for device in [ranged, machine.device(DeviceInfo::with_pci_windows(&[window]))] {
        let used = machine.balance().used_bytes;
        assert_eq!(machine.alloc(device, PAGE + 101, CACHED), None);
        assert_eq!(machine.balance().used_bytes, used);
        let held = machine.alloc(device, PAGE + 100, CACHED).unwrap();
        assert_eq!(held.handle, 0x8000_0000);
        machine.free(held).unwrap();
    }
}

#[test]
fn pci_windows_translate_both_ways() {
    let machine = Machine::new();
    machine.install(c"first", START, MIB);
    machine.install(c"second", START + 4 * MIB, MIB);
    machine.install(c"outside", START + 16 * MIB, MIB);
    let windows = [
        BusWindow { cpu: START as u64, bus: 0x10_0000, size: MIB as u64 },
        BusWindow { cpu: (START + 4 * MIB) as u64, bus: 0x8000_0000, size: MIB as u64 },
    ];
    let device = machine.device(DeviceInfo::with_pci_windows(&windows));
    let held: Vec<_> = (0..2).map(|_| machine.alloc(device, MIB, CACHED).unwrap()).collect();
    let handles: Vec<_> = held.iter().map(|held| held.handle).collect();
    assert_eq!(handles, [0x10_0000, 0x8000_0000]);
    assert_eq!(machine.alloc(device, PAGE, CACHED), None, "no window covers the third pool");
    // The last byte of a window belongs to it.
    let last = machine.sync_out(MapOps::Pci, device, held[0].va + MIB - 1, 1, CACHED);
    assert_eq!(last, Ok(0x10_0000 + MIB - 1));
    held.into_iter().for_each(|held| machine.free(held).unwrap());
}

#[test]
fn pci_devices_ask_for_32_bit_memory() {
    let machine = Machine::new();
    machine.install(c"high", 1 << 32, MIB);
    let windows = [BusWindow { cpu: 0, bus: 0, size: u64::MAX }];
    let device = machine.device(DeviceInfo::with_pci_windows(&windows));
    assert_eq!(machine.alloc(device, PAGE, CACHED), None);
    machine.install(c"low", START, MIB);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, START);
}
