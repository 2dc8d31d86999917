//! What each call does (contract, section 4), call by call.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::extract::ExtractError;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{BusWindow, Device, Kernel, Level, MemoryType, Name, Pa, ReservedRegion};
use rt_dma_pool::map_ops::MapOps;
use rt_dma_pool::pool::Region;
use rt_dma_pool::registry::InstallError;
use std::sync::atomic::Ordering::Relaxed;

const START: Pa = LOW.start;
const NONE: Flags = Flags::empty();

fn reserved(start: Pa, size: usize) -> ReservedRegion {
    ReservedRegion { start, end: start + size, usable: true }
}

fn extract(machine: &Machine, total: usize, coherent: usize) -> Result<(Pa, Pa), ExtractError> {
    machine.dma.extract(|index| machine.kernel.reserved(index), total, coherent)
}

fn with_reserved(list: &[ReservedRegion]) -> Machine {
    let machine = Machine::new();
    machine.set_reserved(Some(list.to_vec()));
    machine
}

fn names(machine: &Machine) -> Vec<String> {
    let list = machine.list();
    list[1..list.len() - 1].iter().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

// --- install -----------------------------------------------------------------------------------------------------------

#[test]
fn install_rounds_the_start_up_and_the_end_down() {
    let machine = Machine::new();
    let region = Region { start: START + 1, end: START + 4 * PAGE - 1, name: Name::of(c"odd") };
    let pool = machine.dma.install(&region).unwrap();
    assert_eq!((pool.start(), pool.size()), (START + PAGE, 2 * PAGE));
    assert_eq!(pool.public.start.load(Relaxed), START + PAGE);
    assert_eq!(pool.public.bits.load(Relaxed), 2);
    assert!(pool.flags().contains(Flags::LINEAR | Flags::ADDRESS_32BITS));
}

#[test]
fn install_refuses_what_is_no_pool() {
    let machine = Machine::new();
    for (start, end) in [(START, START), (START + PAGE, START), (START + 1, START + PAGE), (usize::MAX - 5, usize::MAX)]
    {
        let region = Region { start, end, name: Name::of(c"bad") };
        assert_eq!(machine.dma.install_logged(&region).err(), Some(InstallError::Empty));
        assert_eq!(machine.take_errors().len(), 1);
    }
    assert_eq!(machine.dma.pools().count(), 0);
    let region = range(c"pool", START, MIB);
    assert_eq!(machine.in_interrupt(|| machine.dma.install(&region).err()), Some(InstallError::Context));
}

#[test]
fn only_a_pool_that_ends_below_4_gib_serves_32_bit_requests() {
    let machine = Machine::new();
    let below = machine.install(c"below", 0xffff_0000, 0x1_0000);
    let above = machine.install(c"above", 0x1_0000_0000, 0x1_0000);
    assert!(below.flags().contains(Flags::ADDRESS_32BITS));
    assert!(!above.flags().contains(Flags::ADDRESS_32BITS));
    let device = machine.plain_device();
    let handles: Vec<_> =
        (0..17).map(|_| machine.alloc(device, PAGE, Flags::ADDRESS_32BITS).map(|held| held.handle)).collect();
    assert!(handles[..16].iter().all(|handle| handle.unwrap() < 0x1_0000_0000));
    assert_eq!(handles[16], None);
    assert_eq!(machine.alloc(device, PAGE, NONE).unwrap().handle, 0x1_0000_0000);
}

// --- extract -----------------------------------------------------------------------------------------------------------

#[test]
fn extract_splits_a_region_into_coherent_pool_and_cma() {
    let machine = with_reserved(&[reserved(START, 8 * MIB)]);
    assert_eq!(extract(&machine, 8 * MIB, 2 * MIB), Ok((START, START + 8 * MIB)));
    let pools: Vec<_> = machine.dma.pools().map(|pool| (pool.start(), pool.size())).collect();
    assert_eq!(pools, [(START, 2 * MIB), (START + 2 * MIB, 6 * MIB)]);
    assert_eq!(names(&machine), ["coherent-pool", "cma"]);
    assert_eq!(machine.take_log(Level::Info).len(), 2, "a boot line for each");
}

#[test]
fn extract_makes_one_pool_where_the_other_would_be_empty() {
    let machine = with_reserved(&[reserved(START, 8 * MIB)]);
    extract(&machine, 4 * MIB, 4 * MIB).unwrap();
    extract(&machine, 4 * MIB, 0).unwrap();
    assert_eq!(names(&machine), ["coherent-pool", "cma"]);
}

#[test]
fn extract_refuses_what_it_cannot_do() {
    let machine = with_reserved(&[ReservedRegion { usable: false, ..reserved(START, 8 * MIB) }]);
    assert_eq!(extract(&machine, MIB, 2 * MIB), Err(ExtractError::BadSize));
    assert_eq!(extract(&machine, 0, 0), Err(ExtractError::BadSize));
    assert_eq!(extract(&machine, MIB, 0), Err(ExtractError::NoRegion), "passed over");
    machine.set_reserved(None);
    assert_eq!(extract(&machine, MIB, 0), Err(ExtractError::NoList));
    assert_eq!(machine.dma.pools().count(), 0);
}

#[test]
fn extract_takes_memory_above_4_gib_only_if_there_is_none_below() {
    let high = reserved(0x1_0000_0000, 8 * MIB);
    let machine = with_reserved(&[high, reserved(START, MIB), reserved(START + 8 * MIB, 8 * MIB)]);
    assert_eq!(extract(&machine, 8 * MIB, 0).unwrap().0, START + 8 * MIB);
    assert_eq!(machine.take_log(Level::Warning), [] as [&str; 0]);
    assert_eq!(extract(&machine, 8 * MIB, 0).unwrap().0, high.start);
    assert_eq!(machine.take_log(Level::Warning).len(), 1);
}

// --- alloc and free ----------------------------------------------------------------------------------------------------

#[test]
fn the_flags_of_pool_and_request_say_how_a_buffer_is_mapped() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let memory = |flags| {
        let held = machine.alloc(device, PAGE, flags).unwrap();
        let (pa, memory) = machine.at(held.va).unwrap();
        assert_eq!(pa, held.handle);
        machine.free(held).unwrap();
        memory
    };
    assert_eq!(memory(NONE), MemoryType::Cached);
    assert_eq!(memory(Flags::LINEAR), MemoryType::Cached);
    assert_eq!(memory(Flags::NOCACHE | Flags::LINEAR), MemoryType::Uncached);
    assert_eq!(memory(Flags::WRITE_THROUGH), MemoryType::WriteThrough);
    // The BSP writes the flags: the next call obeys.
    pool.public.flags.fetch_or(Flags::NOCACHE.bits(), Relaxed);
    assert_eq!(memory(NONE), MemoryType::Uncached);
    assert_eq!(memory(Flags::WRITE_THROUGH), MemoryType::Uncached);
    assert_eq!(machine.alloc(device, PAGE, Flags::NOMAP), None, "it is not a NOMAP pool");
    pool.public.flags.fetch_or(Flags::NOMAP.bits(), Relaxed);
    let held = machine.alloc(device, PAGE, Flags::NOMAP).unwrap();
    assert_eq!((held.va, held.handle), (START, START));
    machine.free(held).unwrap();
}

#[test]
fn a_device_pool_serves_its_device_and_such_requests_only() {
    let (machine, pool) = Machine::with_pool(c"device", START, MIB);
    machine.install(c"general", START + MIB, MIB);
    let (owner, other) = (machine.plain_device(), machine.plain_device());
    pool.public.flags.fetch_or(Flags::DEVICE.bits(), Relaxed);
    pool.public.dev.store(owner.0 as *mut _, Relaxed);
    let handle = |device: Device, flags| machine.alloc(device, PAGE, flags).map(|held| held.handle);
    assert_eq!(handle(owner, Flags::DEVICE), Some(START));
    assert_eq!(handle(other, Flags::DEVICE), None);
    assert_eq!(handle(owner, NONE), Some(START + MIB));
    pool.public.dev.store(other.0 as *mut _, Relaxed);
    assert_eq!(handle(other, Flags::DEVICE), Some(START + PAGE), "from the next call on");
}

#[test]
fn a_buffer_is_freed_by_its_address_whatever_else_is_mapped_there() {
    for view_limit in [64 * MIB, 0] {
        let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
        machine.set_view_limit(view_limit);
        let device = machine.plain_device();
        let uncached = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
        let alias = machine.kernel.map(uncached.handle, PAGE, MemoryType::Uncached).unwrap();
        for va in [machine.kernel.linear(uncached.handle), alias, uncached.handle] {
            machine.free(Held { va, ..uncached }).unwrap_err();
        }
        assert_eq!(pool.usage().0, PAGE);
        machine.kernel.unmap(alias);
        machine.free(uncached).unwrap();
    }
}

#[test]
fn the_map_shows_which_pages_are_in_use() {
    let (machine, pool) = Machine::with_pool(c"pool", START, 64 * PAGE);
    let device = machine.plain_device();
    let first = machine.alloc(device, 3 * PAGE, NONE).unwrap();
    let second = machine.alloc(device, 1, NONE).unwrap();
    let map = pool.public.map.load(Relaxed) as usize;
    let bits = || usize::from_ne_bytes(machine.peek_host(map));
    assert_eq!(bits(), 0b1111);
    machine.free(first).unwrap();
    assert_eq!(bits(), 0b1000);
    machine.free(second).unwrap();
    assert_eq!(bits(), 0);
}

// --- map operations ----------------------------------------------------------------------------------------------------

#[test]
fn operations_are_chosen_by_tree_then_bus_then_coherence() {
    let machine = Machine::new();
    let window = BusWindow { cpu: START as u64, bus: 0, size: MIB as u64 };
    let choose = |info| machine.dma.choose_ops(machine.device(info)).unwrap();
    assert_eq!(choose(DeviceInfo::plain()), MapOps::NonCoherent);
    assert_eq!(choose(DeviceInfo::plain().coherent()), MapOps::Coherent);
    assert_eq!(choose(DeviceInfo::pci(&[window])), MapOps::Pci);
    assert_eq!(choose(DeviceInfo::behind_ranges(Some, Some)), MapOps::DeviceTree);
    assert_eq!(choose(DeviceInfo { has_node: true, ..DeviceInfo::plain() }), MapOps::NonCoherent);
}

#[test]
fn pci_handles_go_through_the_host_bridge() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let window = BusWindow { cpu: START as u64, bus: 0x1000_0000, size: MIB as u64 };
    let device = machine.device(DeviceInfo::pci(&[window]));
    let held = machine.alloc(device, 2 * PAGE, NONE).unwrap();
    assert_eq!(held.handle, 0x1000_0000);
    let synced = machine.dma.sync_out(MapOps::Pci, device, held.va + 16, 100, NONE);
    assert_eq!(synced, Ok(0x1000_0010));
    machine.free(held).unwrap();
    let elsewhere = machine.device(DeviceInfo::pci(&[BusWindow { cpu: 0, ..window }]));
    assert_eq!(machine.alloc(elsewhere, PAGE, NONE).unwrap().handle, START, "no window: as it is");
}

#[test]
fn memory_that_dma_ranges_cannot_express_is_not_handed_out() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.device(DeviceInfo::behind_ranges(|_| None, |_| None));
    assert_eq!(machine.alloc(device, PAGE, NONE), None);
    assert_eq!(pool.usage().0, 0);
    assert_eq!(machine.take_errors().len(), 1);
}

#[test]
fn sync_maintains_the_cache_where_the_operations_say_so() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, NONE).unwrap();
    let calls = |ops, flags| {
        machine.take_cache_calls();
        machine.dma.sync_out(ops, device, held.va, PAGE, flags).unwrap();
        machine.dma.sync_in(ops, device, held.va, PAGE, flags).unwrap();
        machine.take_cache_calls().into_iter().map(|call| call.what).collect::<Vec<_>>()
    };
    let both = [Maintenance::Flush, Maintenance::Invalidate];
    assert_eq!(calls(MapOps::Coherent, NONE), both);
    assert_eq!(calls(MapOps::NonCoherent, NONE), []);
    assert_eq!(calls(MapOps::DeviceTree, NONE), both);
    assert_eq!(calls(MapOps::DeviceTree, Flags::NOCACHE), []);
    assert_eq!(calls(MapOps::Pci, NONE), both);
    assert_eq!(calls(MapOps::Pci, Flags::NOCACHE), []);
}

#[test]
fn sync_in_loses_no_bytes_of_neighbours() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, NONE).unwrap();
    for (offset, size) in [(0, 64), (5, 20), (60, 8), (1, 128), (64, 63), (63, 66), (100, 1)] {
        machine.cpu_write(held.va, &[0xee; 512]);
        machine.dma.sync_out(MapOps::Coherent, device, held.va + offset, size, NONE).unwrap();
        // The driver goes on with what lies around its buffer; then the device writes into the buffer.
        machine.cpu_write(held.va, &vec![0x33; offset]);
        machine.cpu_write(held.va + offset + size, &vec![0x44; 512 - offset - size]);
        machine.dma.sync_in(MapOps::Coherent, device, held.va + offset, size, NONE).unwrap();
        let seen = machine.cpu_read(held.va, 512);
        assert!(seen[..offset].iter().all(|byte| *byte == 0x33), "before {offset}+{size}");
        assert!(seen[offset + size..].iter().all(|byte| *byte == 0x44), "behind {offset}+{size}");
    }
    // Whole lines come from memory.
    machine.cpu_write(held.va, &[0xee; 256]);
    machine.dma.sync_out(MapOps::Coherent, device, held.va, 256, NONE).unwrap();
    machine.cpu_read(held.va, 256);
    machine.device_write(held.handle, &[0x99; 256]);
    machine.dma.sync_in(MapOps::Coherent, device, held.va, 256, NONE).unwrap();
    assert_eq!(machine.cpu_read(held.va, 256), [0x99; 256]);
}

// --- memory-region -----------------------------------------------------------------------------------------------------

#[test]
fn a_reusable_region_serves_strangers_too() {
    let machine = Machine::new();
    let region = rt_dma_pool::kernel::NamedRegion { reusable: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::naming(&[region]).named(c"video"));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(device, PAGE, NONE).unwrap().handle, START);
    assert_eq!(machine.alloc(stranger, PAGE, NONE).unwrap().handle, START + PAGE);
    assert_eq!(names(&machine), ["video"]);
}

#[test]
fn a_full_region_lets_its_device_use_the_general_pools() {
    let (machine, _) = Machine::with_pool(c"general", START + MIB, MIB);
    let device = machine.device(DeviceInfo::naming(&[named_region(START, PAGE)]));
    assert_eq!(machine.alloc(device, PAGE, NONE).unwrap().handle, START);
    assert_eq!(machine.alloc(device, PAGE, NONE).unwrap().handle, START + MIB);
}

#[test]
fn a_region_of_a_device_that_is_not_coherent_is_uncached() {
    for coherent in [false, true] {
        let machine = Machine::new();
        let device = machine.device(DeviceInfo { coherent, ..DeviceInfo::naming(&[named_region(START, MIB)]) });
        let held = machine.alloc(device, PAGE, NONE).unwrap();
        let expected = if coherent { MemoryType::Cached } else { MemoryType::Uncached };
        assert_eq!(machine.at(held.va).unwrap().1, expected);
    }
}

// --- list_dma_pool -----------------------------------------------------------------------------------------------------

#[test]
fn the_list_shows_use_and_flags() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    pool.public.flags.fetch_or(Flags::DEVICE.bits(), Relaxed);
    let owner = machine.plain_device();
    pool.public.dev.store(owner.0 as *mut _, Relaxed);
    let low = machine.alloc(owner, 64 * KIB, Flags::DEVICE).unwrap();
    machine.alloc(owner, 64 * KIB, Flags::DEVICE).unwrap();
    machine.free(low).unwrap();
    let lines = machine.list();
    let fields: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(fields, ["pool", "[0x40000000,", "0x40100000]", "1024", "64", "896", "linear,32bits,device"]);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], "1 DMA memory found");
}

#[test]
fn a_pool_needs_at_most_512_bytes_and_4_bits_a_page() {
    let fixed = size_of::<rt_dma_pool::pool::Pool<FakeKernel>>();
    assert!(fixed <= 512, "{fixed} bytes");
    for pages in [1, 512, 2_048, 16_384] {
        let (machine, _) = Machine::with_pool(c"pool", START, pages * PAGE);
        let bytes = machine.balance().heap_bytes;
        assert!(bytes <= 512 + (pages * 4).div_ceil(8), "{bytes} bytes for {pages} pages");
    }
}
