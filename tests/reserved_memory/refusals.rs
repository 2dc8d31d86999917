//! Nodes that are refused, each with a line, and calls that find nothing to do.

use crate::fake_kernel::*;
use crate::{CACHED, START, device_of, machine};
use rt_dma_pool::additions::reserved_memory::ReservedError::{self, BadNode, DefaultNotReusable, Install, NoRoom};
use rt_dma_pool::error::Error;

#[test]
fn nodes_that_make_no_sense_are_refused_with_a_line_each() {
    let wrong = "a property is wrong";
    let not_reusable = "linux,cma-default without reusable";
    let no_room = "memblock has no such memory left: write a reg (docs/moving-a-bsp.md)";
    let large = SharedPoolNode { size: 1 << 32, ..SharedPoolNode::without_reg(MIB) };
    let unreadable = SharedPoolNode { is_readable: false, ..SharedPoolNode::without_reg(MIB) };
    let both = Install(Error::NoMapAndReusable);
    let nodes = [
        (SharedPoolNode::fixed(START, MIB).no_map().reusable(), both, "no-map and reusable"),
        (SharedPoolNode::fixed(START, MIB).default_pool(), DefaultNotReusable, not_reusable),
        (SharedPoolNode::fixed(START, MIB).default_pool().no_map(), DefaultNotReusable, not_reusable),
        (
            SharedPoolNode::fixed(START, PAGE - 1).default_pool().reusable(),
            Install(Error::BadSize),
            "holds no whole page",
        ),
        (SharedPoolNode::without_reg(0), BadNode, wrong),
        (SharedPoolNode::without_reg(usize::MAX), BadNode, wrong),
        (SharedPoolNode::without_reg(MIB).aligned(3 * MIB as u64), BadNode, wrong),
        (SharedPoolNode::without_reg(MIB).aligned(1 << (usize::BITS - 1)), NoRoom, no_room),
        // A processor of 32 bits has no such size.
        if usize::BITS == 32 { (large, BadNode, wrong) } else { (large, NoRoom, no_room) },
        (unreadable, BadNode, "cannot be read"),
    ];
    for (node, error, reason) in &nodes {
        let machine = machine(std::slice::from_ref(node), &[]);
        assert_eq!(machine.dma.install_reserved(), Err(*error), "{reason}");
        assert_eq!(machine.take_errors().len(), 1, "{reason}");
    }
    // Each of several nodes gets its line, and the first one decides the result.
    let machine = machine(&nodes.each_ref().map(|(node, ..)| node.clone()), &[]);
    let balance = machine.balance();
    let reserved = machine.with_boot(|boot| boot.reserved.clone());
    assert_eq!(machine.dma.install_reserved(), Err(both));
    let errors = machine.take_errors();
    assert_eq!(errors.len(), nodes.len(), "{errors:#?}");
    for (index, (node, _, reason)) in nodes.iter().enumerate() {
        let line = match node.range {
            _ if !node.is_readable => format!("reserved-memory: shared-dma-pool {index} {reason}"),
            Some((start, end)) => format!("shared: shared-dma-pool [{start:#x}, {end:#x}): {reason}"),
            None => format!("shared: {} bytes: {reason}", usize::try_from(node.size).unwrap_or(usize::MAX)),
        };
        assert_eq!(errors[index], line);
    }
    assert_eq!(machine.balance(), balance);
    assert_eq!(machine.dma.pools().count(), 0);
    assert_eq!(machine.with_boot(|boot| boot.reserved.clone()), reserved);
}

#[test]
fn fault_16_no_map_with_reusable_is_refused_for_every_device_and_for_its_own() {
    let both = |node: SharedPoolNode| node.no_map().reusable();
    let fixed = both(SharedPoolNode::fixed(START, MIB));
    for node in [
        fixed.clone(),
        fixed.default_pool(),
        both(SharedPoolNode::without_reg(MIB)),
        both(SharedPoolNode::without_reg(MIB)).default_pool(),
    ] {
        let machine = machine(&[node], &[]);
        let balance = machine.balance();
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::NoMapAndReusable)));
        assert_eq!(machine.take_errors().len(), 1, "one line");
        assert_eq!((machine.balance(), machine.dma.pools().count()), (balance, 0));
        if machine.places()[0].is_some() {
            assert_eq!(machine.alloc(device_of(&machine, 0), PAGE, CACHED), None, "the device is not served either");
            assert_eq!(machine.take_errors().len(), 1, "one line");
            assert_eq!(machine.dma.pools().count(), 0);
        }
    }
}

/// The device has made its own pool of the memory before, which does not serve others. Their node is then refused.
#[test]
fn fault_16_the_memory_of_a_devices_own_node_does_not_serve_every_device() {
    for own in [SharedPoolNode::fixed(START, MIB), SharedPoolNode::fixed(START, MIB).no_map()] {
        let machine = machine(&[own, SharedPoolNode::fixed(START, MIB).reusable().default_pool()], &[]);
        machine.ops_of(device_of(&machine, 0));
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::Overlap)));
        assert_eq!(machine.take_errors().len(), 1);
        assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED), None);
    }
}

/// The pool that serves every device has been installed before. The device then does not get its own node.
#[test]
fn fault_16_the_memory_that_serves_every_device_is_not_a_devices_own() {
    for own in [SharedPoolNode::fixed(START, MIB), SharedPoolNode::fixed(START, MIB).reusable()] {
        let machine = machine(&[own, SharedPoolNode::fixed(START, MIB).reusable().default_pool()], &[]);
        assert_eq!(machine.dma.install_reserved(), Ok(()));
        let [device, sharing] = [0, 1].map(|node| device_of(&machine, node));
        assert_eq!(machine.dma.claim_own_region(device, 0), Err(Error::NoRegion));
        assert_eq!(machine.take_errors().len(), 1, "it overlaps a pool");
        assert_eq!(machine.dma.claim_own_region(sharing, 0), Ok(()));
    }
}

#[test]
fn fault_15_a_fixed_place_that_the_page_allocator_owns_is_refused() {
    for paged in [START..START + PAGE, START + MIB - PAGE..START + 2 * MIB, LOW] {
        let machine = machine(&[SharedPoolNode::fixed(START, MIB).reusable().default_pool()], &[]);
        machine.with_boot(|boot| boot.paged = vec![paged]);
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::NotReserved)));
        let lines = machine.take_errors();
        assert!(matches!(&lines[..], [line] if line.contains("the kernel has not reserved this memory")), "{lines:?}");
        assert_eq!(machine.dma.pools().count(), 0);
    }
    let machine = machine(&[SharedPoolNode::fixed(START, MIB).reusable().default_pool()], &[]);
    machine.with_boot(|boot| boot.paged.push(START + MIB..LOW.end));
    assert_eq!(machine.dma.install_reserved(), Ok(()), "the page allocator owns only memory after the node's");
}

/// RT-Thread reserves nothing for a node whose `reg` or parent it cannot read, or whose memory overlaps other reserved
/// memory. Then the page allocator gets the memory after this call.
#[test]
fn fault_15_a_fixed_place_that_the_page_allocator_will_own_is_refused() {
    let node = SharedPoolNode::fixed(START, MIB).reusable().default_pool();
    for reserved in [START..START, START..START + MIB - PAGE, START + PAGE..START + 2 * MIB] {
        let machine = machine(std::slice::from_ref(&node), &[]);
        machine.with_boot(|boot| boot.reserved[0] = reserved);
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::NotReserved)));
        assert_eq!((machine.dma.pools().count(), machine.take_errors().len()), (0, 1));
    }
    // Two reserved ranges may cover the memory, and memblock may not know all of it.
    let machine = machine(std::slice::from_ref(&node), &[]);
    machine.with_boot(|boot| {
        boot.memory = vec![Some(START..START + MIB / 2)];
        boot.reserved = vec![START + MIB / 4..START + MIB / 2, START..START + MIB / 4];
    });
    assert_eq!(machine.dma.install_reserved(), Ok(()));
}

#[test]
fn fault_03_a_node_that_comes_too_late_gets_a_line_that_says_what_to_do() {
    let machine = machine(&[SharedPoolNode::without_reg(MIB)], &[]);
    machine.with_boot(|boot| boot.paged = vec![LOW]);
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
    let lines = machine.take_errors();
    assert!(matches!(&lines[..], [line] if line.contains("write a reg (docs/moving-a-bsp.md)")), "{lines:?}");
}

#[test]
fn the_first_error_is_the_answer() {
    let overlapping = SharedPoolNode::fixed(START + PAGE, MIB).default_pool().reusable();
    let machine = machine(&[SharedPoolNode::without_reg(MIB), overlapping, SharedPoolNode::without_reg(0)], &[]);
    machine.install(c"fixed", START, MIB);
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::Overlap)));
    assert_eq!(machine.take_errors().len(), 2);
}

#[test]
fn without_a_tree_or_a_thread_nothing_happens() {
    let machine = Machine::new();
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoTree));
    machine.set_boot(BootMemory { nodes: Some(Vec::new()), ..BootMemory::default() });
    assert_eq!(machine.dma.install_reserved(), Ok(()), "nothing to do");
    assert_eq!(machine.in_interrupt(|| machine.dma.install_reserved()), Err(ReservedError::Install(Error::Context)));
    assert_eq!((machine.dma.refused_calls(), machine.take_errors()), (1, vec![]), "it is counted");
}
