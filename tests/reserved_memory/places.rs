//! The memory that the library chooses for nodes without a `reg`.

use crate::fake_kernel::*;
use crate::{CACHED, START, device_of, machine, place};
use proptest::prelude::*;
use rt_dma_pool::additions::reserved_memory::ReservedError;
use rt_dma_pool::kernel::Pa;
use std::ops::Range;
use std::sync::Barrier;
use std::thread;

#[test]
fn a_node_without_reg_gets_the_lowest_free_memory() {
    let kernel = START..START + MIB + 100;
    let initrd = START + 2 * MIB - 1..START + 3 * MIB;
    let nodes = [
        SharedPoolNode::without_reg(MIB).no_map(),
        SharedPoolNode::without_reg(PAGE + 1).reusable().default_pool(),
        SharedPoolNode::without_reg(16 * PAGE).aligned(4 * MIB as u64).reusable(),
    ];
    let machine = machine(&nodes, &[initrd, kernel]);
    machine.dma.install_reserved().unwrap();
    let places = [
        // Less than its size is free between the two reserved ranges.
        place(START + 3 * MIB, MIB),
        // Between the two reserved ranges, rounded to whole pages.
        place(START + MIB + PAGE, 2 * PAGE),
        place(START + 4 * MIB, 16 * PAGE),
    ];
    assert_eq!(machine.places(), places);
    machine.with_boot(|boot| assert_eq!(boot.reserved.len(), 5, "memblock has a reserved range for each node"));
    assert_eq!(machine.dma.pools().count(), 1, "only the default pool is installed");
    assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap().handle, START + MIB + PAGE);

    // `memory-region` leads to the memory that was chosen.
    assert_eq!(machine.alloc(device_of(&machine, 0), PAGE, CACHED).unwrap().handle, START + 3 * MIB);
    assert!(!machine.is_linear(START + 3 * MIB), "no-map");

    // A second call changes nothing.
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), places);
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn a_place_lies_within_one_of_the_allocation_ranges() {
    let mib = MIB as u64;
    let start = START as u64;
    let nodes = [
        SharedPoolNode::without_reg(MIB).within(&[(start + 8 * mib, 4 * mib), (start + 4 * mib + 1, 2 * mib)]),
        // The first range is a byte too small.
        SharedPoolNode::without_reg(2 * MIB).within(&[(start + 12 * mib, 2 * mib - 1), (start + 16 * mib, 2 * mib)]),
        // The first range overflows 64 bits, the second lies after all memory, and the third extends to the end of the
        // address space.
        SharedPoolNode::without_reg(MIB).within(&[
            (u64::MAX - mib, u64::MAX),
            (1 << 40, mib),
            (start + 32 * mib, u64::MAX),
        ]),
    ];
    let machine = machine(&nodes, &[]);
    machine.dma.install_reserved().unwrap();
    let places = [place(START + 4 * MIB + PAGE, MIB), place(START + 16 * MIB, 2 * MIB), place(START + 32 * MIB, MIB)];
    assert_eq!(machine.places(), places);
}

#[test]
fn nothing_is_taken_that_a_pool_or_the_page_allocator_has() {
    let machine = machine(&[SharedPoolNode::without_reg(MIB), SharedPoolNode::without_reg(8 * PAGE)], &[]);
    machine.install(c"fixed", START, MIB);
    machine.with_boot(|boot| boot.paged = vec![START + MIB..START + MIB + 4 * PAGE, START + 2 * MIB..LOW.end]);
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
    assert_eq!(machine.places(), [None, place(START + MIB + 4 * PAGE, 8 * PAGE)], "the other node is served");
    let errors = machine.take_errors();
    assert!(errors.len() == 1 && errors[0].starts_with("shared"), "{errors:?}");
}

/// No pool contains physical page 0: see `first_page` in `dropin/pool/region.rs`.
#[test]
fn no_node_is_given_page_zero() {
    let machine = machine(&[SharedPoolNode::without_reg(2 * PAGE)], &[]);
    machine.with_boot(|boot| boot.memory = vec![Some(0..MIB)]);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), [place(PAGE, 2 * PAGE)]);
}

#[test]
fn memory_with_a_flag_is_passed_over() {
    let machine = machine(&[SharedPoolNode::without_reg(MIB)], &[]);
    machine.with_boot(|boot| boot.memory = vec![None, Some(START + 8 * MIB..START + 9 * MIB)]);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), [place(START + 8 * MIB, MIB)]);
}

#[test]
fn without_a_boot_allocator_there_is_no_room() {
    let machine = machine(&[SharedPoolNode::without_reg(PAGE)], &[]);
    machine.with_boot(|boot| boot.memory.clear());
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
}

#[test]
fn two_concurrent_installs_give_each_node_one_place() {
    for _ in 0..20 {
        let nodes =
            [SharedPoolNode::without_reg(MIB).default_pool().reusable(), SharedPoolNode::without_reg(MIB).no_map()];
        let machine = machine(&nodes, &[]);
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    machine.dma.install_reserved().unwrap();
                });
            }
        });
        assert_eq!(machine.places(), [place(START, MIB), place(START + MIB, MIB)]);
        assert_eq!(machine.dma.pools().count(), 1);
    }
}

/// Returns `count` pages, from the page with this index of [`LOW`] on.
fn pages((index, count): (usize, usize)) -> Range<Pa> {
    START + index * PAGE..START + (index + count) * PAGE
}

/// Generates nodes without `reg`, and the state of a boot allocator.
fn boot_states() -> impl Strategy<Value = BootMemory> {
    let banks = prop::collection::vec((0usize..80, 1usize..40), 1..4);
    let reserved = prop::collection::vec((0usize..100 * PAGE, 1usize..10 * PAGE), 0..6);
    let paged = prop::collection::vec((0usize..100, 1usize..10), 0..3);
    let alloc_ranges = prop::collection::vec((0u64..100 * PAGE as u64, 1u64..60 * PAGE as u64), 0..3);
    let node = (1usize..20 * PAGE, 0u32..18, alloc_ranges).prop_map(|(size, shift, mut ranges)| {
        ranges.iter_mut().for_each(|(start, _)| *start += START as u64);
        SharedPoolNode::without_reg(size).aligned(1 << shift).within(&ranges)
    });
    (banks, reserved, paged, prop::collection::vec(node, 1..5)).prop_map(|(banks, reserved, paged, nodes)| BootMemory {
        nodes: Some(nodes),
        memory: banks.into_iter().map(|bank| Some(pages(bank))).collect(),
        reserved: reserved.into_iter().map(|(start, size)| START + start..START + start + size).collect(),
        paged: paged.into_iter().map(pages).collect(),
    })
}

/// Returns the lowest place for each node, one node after the other. It tries every page.
fn lowest_places(boot: &BootMemory) -> Vec<Option<(Pa, Pa)>> {
    let mut taken: Vec<Range<Pa>> = boot.reserved.iter().chain(&boot.paged).cloned().collect();
    let mut places = Vec::new();
    for node in boot.nodes.iter().flatten() {
        let size = (node.size as usize).next_multiple_of(PAGE);
        let is_in_memory = |range: &Range<Pa>| {
            boot.memory.iter().flatten().any(|bank| bank.start <= range.start && range.end <= bank.end)
        };
        let is_allowed = |range: &Range<Pa>| {
            let is_within =
                |&(start, bytes): &(u64, u64)| start <= range.start as u64 && range.end as u64 <= start + bytes;
            node.alloc_ranges.is_empty() || node.alloc_ranges.iter().any(is_within)
        };
        let is_free =
            |range: &Range<Pa>| taken.iter().all(|taken| range.end <= taken.start || taken.end <= range.start);
        let found = (START..START + 200 * PAGE).step_by(PAGE).map(|start| start..start + size).find(|range| {
            range.start.is_multiple_of(node.alignment as usize)
                && is_in_memory(range)
                && is_allowed(range)
                && is_free(range)
        });
        taken.extend(found.clone());
        places.push(found.map(|range| (range.start, range.end)));
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_place_is_the_lowest_free_one(boot in boot_states()) {
        let expected = lowest_places(&boot);
        let machine = Machine::new();
        machine.set_boot(boot);
        let result = machine.dma.install_reserved();
        prop_assert_eq!(result.is_ok(), expected.iter().all(Option::is_some));
        prop_assert_eq!(machine.places(), expected);
    }
}
