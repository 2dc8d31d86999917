//! Tests `rt_dma_pool_extract` over memblock's reserved list. `bsp-tests/host` tests it over the list that RT-Thread
//! 5.2 passes.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::pool::Region;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::log::{Level, Name};

const FOUR_GIB: usize = 1 << 32;

fn usable(start: usize, size: usize) -> ReservedRegion {
    ReservedRegion { start, end: start + size, usable: true }
}

fn machine_with(list: &[ReservedRegion]) -> Machine {
    let machine = Machine::new();
    machine.set_reserved(Some(list.to_vec()));
    machine
}

/// Returns each pool's name as it is listed, its start and its size.
fn pools(machine: &Machine) -> Vec<(String, usize, usize)> {
    let lines = machine.list();
    let names = lines.iter().filter(|line| line.contains("[0x")).map(|line| line.split_whitespace().next().unwrap());
    machine.dma.pools().zip(names).map(|(pool, name)| (name.to_owned(), pool.start(), pool.size())).collect()
}

#[test]
fn the_low_part_is_the_coherent_pool_and_the_rest_is_cma() {
    let machine = machine_with(&[usable(START, 8 * MIB)]);
    assert_eq!(machine.extract(8 * MIB, 2 * MIB), Ok((START, START + 8 * MIB)));
    let expected = [("coherent-pool".into(), START, 2 * MIB), ("cma".into(), START + 2 * MIB, 6 * MIB)];
    assert_eq!(pools(&machine), expected);
    assert!(machine.dma.pools().all(|pool| pool.flags().contains(Flags::LINEAR | Flags::ADDRESS_32BITS)));
    let (coherent, cma) = (START, START + 2 * MIB);
    let expected =
        [format!("coherent-pool: Reserved 2.0 MiB at {coherent:#x}"), format!("cma: Reserved 6.0 MiB at {cma:#x}")];
    assert_eq!(machine.take_log(Level::Info), expected, "a boot line for each");
}

#[test]
fn equal_sizes_give_the_coherent_pool_alone_and_a_coherent_size_of_0_gives_cma_alone() {
    for (coherent, name) in [(4 * MIB, "coherent-pool"), (0, "cma")] {
        let machine = machine_with(&[usable(START, 8 * MIB)]);
        machine.extract(4 * MIB, coherent).unwrap();
        assert_eq!(pools(&machine), [(name.into(), START, 4 * MIB)]);
    }
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let machine = machine_with(&[usable(START, 8 * MIB)]);
    for (total, coherent) in [(0, 0), (MIB, 2 * MIB), (0, MIB), (MIB, MIB + 1), (PAGE, 1), (1, 0)] {
        assert_eq!(machine.extract(total, coherent), Err(Error::BadSize), "{total} and {coherent}");
        assert_eq!(machine.take_errors().len(), 1);
    }
    assert_eq!(machine.balance(), Machine::new().balance());
    machine.extract(8 * MIB, MIB).expect("the region is unconsumed");
}

#[test]
fn an_extract_without_memblock_or_without_room_states_which_is_missing() {
    let machine = Machine::new();
    assert_eq!(machine.extract(MIB, 0), Err(Error::NoMemblock));
    machine.set_reserved(Some(Vec::new()));
    assert_eq!(machine.extract(MIB, 0), Err(Error::NoRegion));
    machine.set_reserved(Some(vec![usable(START, MIB - 1)]));
    assert_eq!(machine.extract(MIB, 0), Err(Error::NoRegion));
    assert_eq!(machine.extract(usize::MAX, 0), Err(Error::NoRegion));
    assert_eq!(machine.take_errors().len(), 4);
    assert_eq!(machine.dma.pools().count(), 0);
}

#[test]
fn the_first_region_with_room_is_taken() {
    let too_small = usable(START, MIB);
    let unusable = ReservedRegion { usable: false, ..usable(START + 8 * MIB, 8 * MIB) };
    let first = usable(START + 32 * MIB, 8 * MIB);
    let machine = machine_with(&[too_small, unusable, first, usable(START + 64 * MIB, 8 * MIB)]);
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((first.start, first.start + 4 * MIB)));
}

#[test]
fn a_region_that_is_used_up_is_not_found_again() {
    let machine = machine_with(&[usable(START, 8 * MIB)]);
    machine.extract(8 * MIB, 2 * MIB).unwrap();
    let before = machine.balance();
    assert_eq!(machine.extract(8 * MIB, 2 * MIB), Err(Error::NoRegion));
    assert_eq!(machine.extract(PAGE, 0), Err(Error::NoRegion));
    assert_eq!(machine.balance(), before);
}

#[test]
fn what_is_left_of_a_region_serves_the_next_extract() {
    // Sizes and bounds that are not multiples of a page lose at most a page each, and the pools do not overlap.
    for (start, total, coherent) in [(START, 3 * MIB, MIB), (START + 100, 3 * MIB + 10, MIB + 10)] {
        let machine = machine_with(&[usable(start, 10 * MIB)]);
        let ranges: Vec<_> = (0..3).map(|_| machine.extract(total, coherent).unwrap()).collect();
        for pair in ranges.windows(2) {
            let (end, next_start) = (pair[0].1, pair[1].0);
            assert!((end..end + PAGE).contains(&next_start), "{ranges:x?}");
        }
        assert_eq!(machine.extract(total, coherent), Err(Error::NoRegion));
        assert_eq!(machine.dma.pools().count(), 6);
    }
}

#[test]
fn the_bytes_lost_between_pools_are_bytes_of_the_region() {
    let total = 4 * PAGE + 10;
    let machine = machine_with(&[usable(START, 3 * total)]);
    for expected in [4, 4, 2] {
        let (start, _) = machine.extract(total, 0).unwrap();
        let pool = machine.dma.pools().find(|pool| pool.start() == start).unwrap();
        assert_eq!(pool.page_count(), expected);
    }
    assert_eq!(machine.extract(PAGE, 0), Err(Error::NoRegion));
}

#[test]
fn what_another_pool_covers_is_passed_over() {
    let machine = machine_with(&[usable(START, 8 * MIB), usable(START + 32 * MIB, 8 * MIB)]);
    machine.install(c"middle", START + 3 * MIB, MIB);
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((START + 4 * MIB, START + 8 * MIB)), "after it");
    assert_eq!(machine.extract(3 * MIB, MIB), Ok((START, START + 3 * MIB)), "before it");
    assert_eq!(machine.extract(MIB, MIB), Ok((START + 32 * MIB, START + 33 * MIB)));
}

#[test]
fn room_above_4_gib_is_taken_with_a_warning_and_only_where_there_is_none_below() {
    let (high, low) = (usable(FOUR_GIB, 16 * MIB), usable(START, 4 * MIB));
    let machine = machine_with(&[high, low]);
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((low.start, low.end)), "below goes first");
    assert_eq!(machine.take_log(Level::Warning), NO_LINES);
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((high.start, high.start + 4 * MIB)));
    assert_eq!(machine.take_log(Level::Warning).len(), 1);
    assert!(machine.dma.pools().skip(2).all(|pool| !pool.flags().contains(Flags::ADDRESS_32BITS)));

    // `dma_pool.c` stops at the first region that begins above 4 GiB and is large enough. Only if there is none, it
    // takes one that begins at 4 GiB, or before.
    let [small, first, second] = [(32, 1), (36, 4), (44, 4)].map(|(at, size)| usable(FOUR_GIB + at * MIB, size * MIB));
    let across = usable(FOUR_GIB - MIB, 4 * MIB);
    for regions in [
        [small, first, second, high],
        [small, first, high, second],
        [high, small, first, second],
        [across, small, first, second],
    ] {
        assert_eq!(machine_with(&regions).extract(4 * MIB, MIB), Ok((first.start, first.end)));
    }
    assert_eq!(machine_with(&[small, across]).extract(4 * MIB, MIB), Ok((across.start, across.end)));

    // A region that contains the 4 GiB border is not wholly below it.
    let machine = machine_with(&[usable(FOUR_GIB - MIB, 4 * MIB)]);
    machine.extract(2 * MIB, 0).unwrap();
    assert_eq!(machine.take_log(Level::Warning).len(), 1);
    let machine = machine_with(&[usable(FOUR_GIB - 2 * MIB, 4 * MIB)]);
    machine.extract(2 * MIB, 0).unwrap();
    assert_eq!(machine.take_log(Level::Warning).len(), 0, "the part below has room");
}

#[test]
fn an_extract_without_heap_makes_no_pool_and_consumes_nothing() {
    for call in 0..2 {
        let machine = machine_with(&[usable(START, 8 * MIB)]);
        let before = machine.balance();
        machine.fail(Service::HeapAlloc, call, 1);
        assert_eq!(machine.extract(8 * MIB, MIB), Err(Error::NoMemory));
        assert!(machine.repair(Service::HeapAlloc));
        assert_eq!(machine.balance(), before);
        assert_eq!(machine.dma.pools().count(), 0);
        assert!(!machine.is_linear(START), "nor was anything mapped");
        machine.extract(8 * MIB, MIB).expect("the region is unconsumed");
    }
}

#[test]
fn pools_serve_although_their_linear_mapping_cannot_be_had() {
    let machine = machine_with(&[usable(START, 8 * MIB)]);
    machine.fail(Service::MapLinear, 1, 1);
    machine.extract(8 * MIB, MIB).unwrap();
    let linear: Vec<_> = machine.dma.pools().map(|pool| pool.flags().contains(Flags::LINEAR)).collect();
    assert_eq!(linear, [true, false]);
    let device = machine.plain_device();
    assert!(machine.alloc(device, 7 * MIB, Flags::empty()).is_some());
}

#[test]
fn consumed_memory_cannot_be_installed_again() {
    let machine = machine_with(&[usable(START, 8 * MIB)]);
    machine.extract(4 * MIB, MIB).unwrap();
    assert_eq!(machine.try_install(c"again", START + MIB, MIB).err(), Some(Error::Overlap));
    machine.install(c"rest", START + 4 * MIB, 4 * MIB);
    assert_eq!(machine.extract(PAGE, 0), Err(Error::NoRegion));
}

/// The end of the address space, one past its last byte: it wraps around to 0.
const TOP: usize = 0;

/// Returns a machine with one reserved region, whose memory cannot be mapped.
fn machine_at(start: usize, end: usize) -> Machine {
    let machine = machine_with(&[ReservedRegion { start, end, usable: true }]);
    machine.fail_always(Service::MapLinear);
    machine
}

/// Checks that every page of every pool can be allocated by its physical address, and freed.
fn assert_every_page_serves(machine: &Machine) {
    let device = machine.plain_device();
    let mut expected = Vec::new();
    for pool in machine.dma.pools() {
        pool.add_flags(Flags::NOMAP);
        expected.extend((0..pool.size() / PAGE).map(|page| pool.start() + page * PAGE));
    }
    let all: Vec<_> = std::iter::from_fn(|| machine.alloc(device, PAGE, Flags::NOMAP)).collect();
    assert_eq!(all.iter().map(|held| held.handle).collect::<Vec<_>>(), expected);
    assert!(!expected.contains(&0));
    all.into_iter().for_each(|held| machine.free(held).unwrap());
}

#[test]
fn fault_10_a_region_at_address_0_serves_but_for_its_first_page_and_the_split_is_exact() {
    // If the region is large enough, both pools have the requested sizes.
    let (total, coherent) = (64 * PAGE, 16 * PAGE);
    for (end, cma) in [(2 * total, 48 * PAGE), (total + PAGE, 48 * PAGE), (total, 47 * PAGE)] {
        let machine = machine_at(0, end);
        machine.extract(total, coherent).unwrap();
        let expected = [("coherent-pool".into(), PAGE, coherent), ("cma".into(), PAGE + coherent, cma)];
        assert_eq!(pools(&machine), expected);
        assert_every_page_serves(&machine);
    }
    // Sizes of a page.
    for (total, coherent, expected) in [
        (8 * PAGE, PAGE, &[("coherent-pool", PAGE, PAGE), ("cma", 2 * PAGE, 6 * PAGE)][..]),
        (2 * PAGE, PAGE, &[("coherent-pool", PAGE, PAGE)]),
        (2 * PAGE, 2 * PAGE, &[("coherent-pool", PAGE, PAGE)]),
        (2 * PAGE, 0, &[("cma", PAGE, PAGE)]),
    ] {
        let machine = machine_at(0, total);
        machine.extract(total, coherent).unwrap();
        let found = pools(&machine);
        let found: Vec<_> = found.iter().map(|(name, start, size)| (name.as_str(), *start, *size)).collect();
        assert_eq!(found, expected, "{total:#x} {coherent:#x}");
        assert_every_page_serves(&machine);
    }
    // A region that has only the page at address 0 has no room for a pool.
    assert_eq!(machine_at(0, PAGE).extract(PAGE, 0), Err(Error::NoRegion));
    let machine = machine_with(&[usable(0, PAGE), usable(START, PAGE)]);
    assert_eq!(machine.extract(PAGE, 0), Ok((START, START + PAGE)), "the next region is looked at");
}

#[test]
fn fault_10_what_is_left_of_a_region_at_address_0_serves_the_next_extract() {
    let machine = machine_at(0, 64 * PAGE);
    for expected in [PAGE, 33 * PAGE] {
        assert_eq!(machine.extract(32 * PAGE, 8 * PAGE).unwrap().0, expected);
    }
    assert_eq!(machine.extract(PAGE, 0), Err(Error::NoRegion));
    assert_eq!(machine.dma.pools().map(|pool| pool.size()).sum::<usize>(), 63 * PAGE);
    assert_every_page_serves(&machine);
}

#[test]
fn fault_10_a_region_at_the_end_of_the_address_space_serves_but_for_its_last_page() {
    let start = TOP.wrapping_sub(64 * PAGE);
    for end in [TOP, usize::MAX] {
        let machine = machine_at(start, end);
        for (first, sizes) in [(start, [8, 24]), (start + 32 * PAGE, [8, 23])] {
            let before = machine.dma.pools().count();
            assert_eq!(machine.extract(32 * PAGE, 8 * PAGE).unwrap().0, first);
            let made: Vec<_> = machine.dma.pools().skip(before).collect();
            assert_eq!(made.iter().map(|pool| pool.size() / PAGE).collect::<Vec<_>>(), sizes);
            assert_eq!((made[0].start(), made[1].start()), (first, first + 8 * PAGE));
        }
        assert_eq!(machine.extract(PAGE, 0), Err(Error::NoRegion));
        assert_every_page_serves(&machine);

        let machine = machine_at(start, end);
        let pool = machine.dma.install(&Region { start, end, name: Name::of(c"top") }).unwrap();
        assert_eq!((pool.start(), pool.size()), (start, 63 * PAGE));
        assert_every_page_serves(&machine);
    }
}

#[test]
fn fault_10_the_split_loses_no_page_where_sizes_or_bounds_are_no_whole_pages() {
    for (start, total, coherent) in [(START + 100, 64 * PAGE, 16 * PAGE), (START, 64 * PAGE + 10, 16 * PAGE + 10)] {
        let machine = machine_with(&[usable(start, 128 * PAGE)]);
        machine.extract(total, coherent).unwrap();
        let first = start.next_multiple_of(PAGE);
        let expected = [("coherent-pool".into(), first, 16 * PAGE), ("cma".into(), first + 16 * PAGE, 48 * PAGE)];
        assert_eq!(pools(&machine), expected);
    }
}

/// The bytes that cannot be used are counted once: they are bytes of the region.
#[test]
fn a_region_that_holds_less_than_the_total_is_passed_over_wherever_it_begins() {
    let total = 64 * PAGE;
    for small in [usable(0, total - PAGE), usable(START + 0x800, total - 0x800), usable(START + 0x800, total - 1)] {
        let machine = machine_with(&[small]);
        machine.fail_always(Service::MapLinear);
        assert_eq!(machine.extract(total, 0), Err(Error::NoRegion), "{small:x?}");
        let large = usable(START + 64 * MIB, total);
        let machine = machine_with(&[small, large]);
        assert_eq!(machine.extract(total, 0), Ok((large.start, large.end)), "{small:x?}");
    }
}
