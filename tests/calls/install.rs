//! Tests `rt_dma_pool_install`.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::pool::{Region, WholePages};
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, NamedRegion};
use rt_dma_pool::log::{Level, Name};
use std::sync::atomic::Ordering::Relaxed;

const FOUR_GIB: usize = 1 << 32;

#[test]
fn the_start_rounds_up_and_the_end_rounds_down_to_a_page() {
    for (from, to, first, pages) in [
        (START, START + PAGE, START, 1),
        (START + 1, START + 3 * PAGE, START + PAGE, 2),
        (START, START + 2 * PAGE - 1, START, 1),
        (START + PAGE - 1, START + 2 * PAGE + 1, START + PAGE, 1),
    ] {
        let machine = Machine::new();
        let pool = machine.dma.install(&Region { start: from, end: to, name: Name::of(c"pool") }).unwrap();
        let public = &pool.public;
        assert_eq!((public.start.load(Relaxed), public.bits.load(Relaxed)), (first, pages));
        assert_eq!((public.region_start.load(Relaxed), public.region_end.load(Relaxed)), (from, to), "as it was given");
        assert_eq!(machine.bitmap(pool), vec![false; pages]);
    }
}

#[test]
fn a_region_without_a_whole_page_is_refused_with_one_line() {
    let machine = Machine::new();
    for (start, end) in [
        (0, 0),
        (START, START),
        (START + PAGE, START),
        (usize::MAX, 0),
        (START, START + PAGE - 1),
        (START + 1, START + 2 * PAGE - 1),
        (usize::MAX - 1, usize::MAX),
    ] {
        let region = Region { start, end, name: Name::of(c"tiny") };
        assert_eq!(machine.dma.install(&region).err(), Some(Error::BadSize));
        let [line] = &machine.take_errors()[..] else { panic!("one line for each") };
        assert!(line.starts_with("tiny") && line.contains(&format!("{start:#x}")), "{line}");
    }
    assert_eq!(machine.dma.pools().count(), 0);
    assert_eq!(machine.balance(), Machine::new().balance(), "nothing remains");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_pool_has_at_most_as_many_pages_as_31_bits_count() {
    let machine = Machine::new();
    let region_of = |pages: usize| region(c"large", START, pages * PAGE);
    let most = i32::MAX as usize;
    assert_eq!(region_of(most).pages(), Some(WholePages { start: START, count: most }));
    assert_eq!(region_of(most + 1).pages(), None);
    assert_eq!(machine.dma.install(&region_of(most + 1)).err(), Some(Error::BadSize));
    assert_eq!(machine.take_errors().len(), 1);
}

#[test]
fn an_overlap_is_refused_and_a_neighbour_is_not() {
    let (machine, _) = Machine::with_pool(c"pool", START + MIB, MIB);
    let before = machine.balance();
    for (start, size) in [(START + MIB, MIB), (START, 3 * MIB), (START, MIB + PAGE), (START + 2 * MIB - PAGE, MIB)] {
        assert_eq!(machine.try_install(c"second", start, size).err(), Some(Error::Overlap));
        assert_eq!(machine.take_errors().len(), 1);
    }
    assert_eq!(machine.balance(), before);
    machine.install(c"below", START, MIB);
    machine.install(c"above", START + 2 * MIB, MIB);
    let order: Vec<_> = machine.dma.pools().map(|pool| pool.start()).collect();
    assert_eq!(order, [START + MIB, START, START + 2 * MIB], "in the order of install");
}

#[test]
fn a_pool_is_mapped_linearly_unless_it_cannot_be() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    assert!(pool.flags().contains(Flags::LINEAR));
    assert_eq!(machine.translate(machine.linear_va(START + MIB - 1)), Some((START + MIB - 1, MemoryType::Cached)));

    machine.fail_always(Service::MapLinear);
    let without = machine.install(c"without", START + MIB, MIB);
    assert!(!without.flags().contains(Flags::LINEAR));
    let device = machine.plain_device();
    for _ in 0..2 {
        let held = machine.alloc(device, MIB, Flags::empty()).expect("it serves without");
        assert_eq!(machine.translate(held.va), Some((held.handle, MemoryType::Cached)));
    }
}

#[test]
fn only_a_pool_below_4_gib_has_32_bit_addresses() {
    let machine = Machine::new();
    for (start, size, low) in [
        (FOUR_GIB - 2 * MIB, MIB, true),
        (FOUR_GIB - MIB, MIB, true),
        (FOUR_GIB, MIB, false),
        (FOUR_GIB - 4 * MIB, 2 * MIB, true),
    ] {
        assert_eq!(machine.install(c"pool", start, size).flags().contains(Flags::ADDRESS_32BITS), low, "{start:#x}");
    }
    let (_machine, across) = Machine::with_pool(c"across", FOUR_GIB - MIB, 2 * MIB);
    assert!(!across.flags().contains(Flags::ADDRESS_32BITS));
}

#[test]
fn only_a_thread_installs() {
    let machine = Machine::new();
    let error_of_install = || machine.try_install(c"pool", START, MIB).err();
    assert_eq!(machine.in_interrupt(error_of_install), Some(Error::Context));
    assert_eq!(machine.with_interrupts_off(error_of_install), Some(Error::Context));
    assert_eq!(error_of_install(), None);
}

#[test]
fn without_heap_there_is_no_pool_and_nothing_is_mapped() {
    let machine = Machine::new();
    machine.fail(Service::HeapAlloc, 0, 1);
    assert_eq!(machine.try_install(c"pool", START, MIB).err(), Some(Error::NoMemory));
    assert!(!machine.is_linear(START));
    machine.install(c"pool", START, MIB);
}

#[test]
fn memory_that_no_kernel_could_map_becomes_a_pool_that_serves_no_request() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    machine.fail_always(Service::Map);
    let top = Region { start: usize::MAX - 16 * PAGE, end: usize::MAX, name: Name::of(c"top") };
    machine.dma.install(&top).unwrap();
    let device = machine.plain_device();
    assert_eq!(machine.alloc(device, PAGE, Flags::empty()), None);
}

#[test]
fn the_public_links_are_a_ring_through_the_head() {
    let machine = Machine::new();
    let pools = [0, 1, 2].map(|index| machine.install(c"pool", START + index * MIB, MIB));
    let links = pools.map(|pool| &pool.public.list);
    assert_eq!(links[0].next.load(Relaxed).cast_const(), std::ptr::from_ref(links[1]));
    assert_eq!(links[1].next.load(Relaxed).cast_const(), std::ptr::from_ref(links[2]));
    assert_eq!(links[2].prev.load(Relaxed).cast_const(), std::ptr::from_ref(links[1]));
    assert_eq!(links[1].prev.load(Relaxed).cast_const(), std::ptr::from_ref(links[0]));
    assert_eq!(links[2].next.load(Relaxed), links[0].prev.load(Relaxed), "the head");
}

#[test]
fn the_boot_line_states_what_was_reserved() {
    let machine = Machine::new();
    machine.install(c"pool", START, 2 * MIB + MIB / 2);
    assert_eq!(machine.take_log(Level::Info), [format!("pool: Reserved 2.5 MiB at {START:#x}")]);
}

#[test]
fn a_pool_needs_at_most_640_bytes_and_4_bits_a_page() {
    // Two cache lines of 64 bytes: one keeps what users write out of the line that other cores read, one aligns the
    // pool.
    let fixed = size_of::<rt_dma_pool::dropin::pool::Pool<FakeKernel>>();
    assert!(fixed <= 576, "{fixed} bytes");
    for pages in [1, 512, 2_048, 16_384] {
        let (machine, _) = Machine::with_pool(c"pool", START, pages * PAGE);
        let bytes = machine.balance().heap_bytes;
        assert!(bytes <= 640 + (pages * 4).div_ceil(8), "{bytes} bytes for {pages} pages");
    }
}

#[test]
fn physical_page_0_is_left_out() {
    assert_eq!(region(c"low", 0, 4 * PAGE).pages(), Some(WholePages { start: PAGE, count: 3 }));
    assert_eq!(region(c"null", 0, PAGE).pages(), None);
}

#[test]
fn fault_05_every_pool_of_revision_1_has_the_flag_linear() {
    let machine = Machine::new();
    machine.set_revision_1();
    // Boot code mapped the first pool's memory and not the second's.
    machine.premap_linear(START, MIB);
    let mapped = machine.install(c"mapped", START, MIB);
    let unmapped = machine.install(c"unmapped", START + MIB, MIB);
    let flags = Flags::LINEAR | Flags::ADDRESS_32BITS;
    assert_eq!((mapped.flags(), unmapped.flags()), (flags, flags));
    let device = machine.plain_device();
    for size in [MIB, PAGE] {
        let held = machine.alloc(device, size, Flags::empty()).unwrap();
        assert_eq!(machine.translate(held.va), Some((held.handle, MemoryType::Cached)));
    }
}

/// Otherwise each cached buffer of a large pool that boot code did not map would look up every page of the pool.
#[test]
fn a_large_pool_of_revision_1_is_not_searched_for_its_linear_map_again() {
    for (is_revision_1, is_searched) in [(true, false), (false, true)] {
        let machine = Machine::new();
        if is_revision_1 {
            machine.set_revision_1();
        }
        machine.fail_always(Service::MapLinear);
        machine.set_view_limit(0);
        machine.install(c"large", START, MIB);
        let before = machine.look_up_count();
        machine.alloc(machine.plain_device(), PAGE, Flags::empty()).expect("it gets a mapping of its own");
        assert_eq!(machine.look_up_count() - before >= MIB / PAGE, is_searched);
    }
}

#[test]
fn fault_28_a_kernel_without_page_tables_serves_cached_memory_at_its_linear_address() {
    let machine = Machine::new();
    machine.leave_mmu_off();
    let pool = machine.install(c"pool", START, 2 * MIB);
    assert_eq!(pool.flags(), Flags::LINEAR | Flags::ADDRESS_32BITS);
    let device = machine.plain_device();
    let held = machine.in_interrupt(|| machine.alloc(device, MIB, Flags::empty())).expect("the linear map is there");
    assert_eq!((held.va, held.handle), (machine.linear_va(START), START));
    machine.poke(held.va, b"hello");
    assert_eq!(machine.device_read(held.handle, 5), b"hello");
    machine.in_interrupt(|| machine.free(held)).unwrap();

    // Memory that must not be mapped linearly has no other virtual address either.
    let region = NamedRegion { is_no_map: true, ..named_region(START + 4 * MIB, MIB) };
    let owner = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    for limit in [64 * MIB, 0] {
        machine.set_view_limit(limit);
        let physical = machine.alloc(owner, PAGE, Flags::NOMAP).unwrap();
        let mapped = machine.alloc(owner, PAGE, Flags::empty()).unwrap();
        assert_eq!(physical.va, physical.handle);
        assert_eq!(mapped.va, machine.linear_va(mapped.handle));
        machine.free(mapped).unwrap();
        machine.free(physical).unwrap();
    }
    assert_eq!((machine.balance().used_bytes, machine.dma.refused_calls()), (0, 0));
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn fault_28_a_kernel_without_page_tables_serves_cached_memory_of_a_devices_own_region() {
    // A region of one device, one that is `no-map`, and one that other devices use too.
    let region = named_region(START + 4 * MIB, MIB);
    let shared = NamedRegion { is_reusable: true, serves_every_device: true, ..region };
    for region in [region, NamedRegion { is_no_map: true, ..region }, shared] {
        let machine = Machine::new();
        machine.leave_mmu_off();
        machine.install(c"general", START, MIB);
        // Neither device snoops the cache.
        let owners = [(); 2].map(|()| machine.device(DeviceInfo::with_regions(&[region])));
        for owner in owners {
            let held = machine.alloc(owner, PAGE, Flags::empty()).unwrap();
            assert_eq!((held.va, held.handle), (machine.linear_va(region.start), region.start), "{region:?}");
            machine.free(held).unwrap();
        }
        // With the flag the driver relies on uncached memory, and gets none.
        assert_eq!(machine.alloc(owners[0], PAGE, Flags::NOCACHE | Flags::DEVICE), None);
        let [line] = &machine.take_errors()[..] else { panic!("one line") };
        assert!(line.starts_with("device: no page tables"), "{line}");
    }
}

#[test]
fn fault_28_a_kernel_without_page_tables_refuses_uncached_memory_with_one_line() {
    let machine = Machine::new();
    machine.leave_mmu_off();
    machine.install(c"first", START, MIB);
    machine.install(c"second", START + MIB, MIB);
    let device = machine.plain_device();
    for flags in [Flags::NOCACHE, Flags::NOCACHE | Flags::LINEAR, Flags::WRITE_THROUGH] {
        for _ in 0..2 {
            assert_eq!(machine.alloc(device, PAGE, flags), None);
            let [line] = &machine.take_errors()[..] else { panic!("one line for each call") };
            assert!(line.starts_with("device: no page tables"), "{line}");
        }
    }
    assert_eq!((machine.balance().used_bytes, machine.dma.refused_calls()), (0, 6));
    machine.in_interrupt(|| assert_eq!(machine.alloc(device, PAGE, Flags::NOCACHE), None));
    assert_eq!((machine.balance().used_bytes, machine.dma.refused_calls()), (0, 7));
}

/// With the option, an interrupt's first uncached buffer needs no mapping.
#[test]
fn a_pool_may_be_mapped_for_uncached_buffers_when_it_is_installed() {
    for is_mapped in [false, true] {
        let machine = Machine::new();
        if is_mapped {
            machine.set_maps_at_install();
        }
        let device = machine.plain_device();
        machine.install(c"dma", START, MIB);
        machine.ops_of(device).unwrap();
        assert_eq!(machine.map_count(), usize::from(is_mapped));
        let held = machine.in_interrupt(|| machine.alloc(device, PAGE, Flags::NOCACHE));
        assert_eq!(held.is_some(), is_mapped);
    }
}

#[test]
fn a_pool_that_cannot_be_mapped_for_uncached_buffers_is_installed_without_a_view() {
    let machine = Machine::new();
    machine.set_maps_at_install();
    machine.set_view_limit(MIB);
    machine.install(c"large", START, 2 * MIB);
    assert_eq!(machine.map_count(), 0, "larger than a view may be");
    machine.fail(Service::Map, 0, 1);
    let pool = machine.install(c"dma", START + 4 * MIB, MIB);
    assert!(pool.flags().contains(Flags::LINEAR), "a pool without a view serves all the same");
    let no_map = NamedRegion { is_no_map: true, ..named_region(START + 8 * MIB, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[no_map]));
    machine.ops_of(device).unwrap();
    assert_eq!(machine.map_count(), 0, "firmware forbids to map the region");
}
