//! Allocation within a mask.

use crate::fake_kernel::*;
use crate::{CACHED, START, alloc_within};
use rt_dma_pool::additions::device::masks::is_within;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, Device};

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
    assert_eq!(pool.usage().used, 6 * PAGE, "what lies beyond was given back");
    assert_eq!(machine.dma.refused_calls(), 0);
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
    assert_eq!(machine.map_count(), 0);
}

#[test]
#[cfg(target_pointer_width = "64")]
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
    let own = named_region(START, MIB);
    let device = machine.device(DeviceInfo::with_regions(&[own]));
    let stranger = machine.plain_device();
    let ops = machine.ops_of(device).unwrap();
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

#[test]
fn a_mask_is_accepted_for_a_page_of_a_pool_or_for_kernel_memory_that_no_bus_translates() {
    let machine = Machine::new();
    machine.premap_linear(START, PAGE);
    // The device's structure lies in kernel memory.
    let device = Device::at(machine.kernel.linear(START));
    let accepted = |ops, device, last: usize| {
        let mask = last as u64;
        (machine.dma.accepts_coherent_mask(ops, device, mask), machine.dma.accepts_streaming_mask(ops, device, mask))
    };
    for ops in MapOps::ALL {
        assert_eq!(accepted(ops, device, 1), (true, true), "{ops:?}: no pool is installed");
    }

    let strangers = machine.install(c"strangers", START + MIB, MIB);
    strangers.add_flags(Flags::DEVICE);
    machine.set_pool_owner(strangers, machine.plain_device());
    let kernel_memory = START + PAGE - 1;
    for ops in MapOps::ALL {
        assert_eq!(accepted(ops, device, kernel_memory), (false, !ops.are_translated()), "{ops:?}");
        assert_eq!(accepted(ops, device, kernel_memory - 1), (false, false), "{ops:?}: not all of the sample");
    }

    const BUS_OFFSET: usize = 0x2000_0000;
    let pool_page = machine.install(c"pool", START + 2 * MIB, MIB).start() + PAGE - 1;
    assert_eq!(accepted(MapOps::NonCoherent, device, pool_page), (true, true));
    assert_eq!(accepted(MapOps::NonCoherent, device, pool_page - 1), (false, true), "kernel memory is below it");
    let translated = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(START, START + BUS_OFFSET, 64 * MIB)]));
    let ops = machine.ops_of(translated).unwrap();
    assert_eq!(accepted(ops, translated, pool_page + BUS_OFFSET), (true, true));
    assert_eq!(accepted(ops, translated, pool_page + BUS_OFFSET - 1), (false, false));
}
