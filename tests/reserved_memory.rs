//! Tests the shared pools of `/reserved-memory`: the default pool (`linux,cma-default`), and nodes without a `reg`, for
//! which the library chooses memory.

mod fake_kernel;

use fake_kernel::*;
use proptest::prelude::*;
use rt_dma_pool::additions::own_region::NoOwnRegion;
use rt_dma_pool::additions::reserved_memory::ReservedError;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, NamedRegion, Pa};
use std::ffi::c_void;
use std::ops::Range;
use std::sync::Barrier;
use std::thread;

const START: Pa = LOW.start;
const CACHED: Flags = Flags::empty();

/// Returns a machine whose memblock has all memory below 4 GiB, of which `reserved` is reserved, and the memory of each
/// node with a `reg` that overlaps no other.
fn machine(nodes: &[SharedNode], reserved: &[Range<Pa>]) -> Machine {
    let machine = Machine::new();
    let mut reserved = reserved.to_vec();
    for (start, end) in nodes.iter().filter_map(|node| node.range) {
        if reserved.iter().all(|known| end <= known.start || known.end <= start) {
            reserved.push(start..end);
        }
    }
    let boot = BootMemory { nodes: Some(nodes.to_vec()), memory: vec![Some(LOW)], reserved, paged: Vec::new() };
    machine.set_boot(boot);
    machine
}

fn at(start: Pa, size: usize) -> Option<(Pa, Pa)> {
    Some((start, start + size))
}

/// Returns a device whose `memory-region` is node `index`, as the tree describes that node now.
fn device_of(machine: &Machine, index: usize) -> Device {
    let region = machine.with_boot(|boot| {
        let pool = &boot.nodes.as_ref().unwrap()[index];
        let (start, end) = pool.range.expect("it has a place");
        NamedRegion { start, end, is_no_map: pool.is_no_map, is_reusable: pool.is_reusable, is_shared: pool.is_default }
    });
    machine.device(DeviceInfo::naming(&[region]).coherent())
}

#[test]
fn the_default_pool_is_everyones() {
    let machine = machine(&[SharedNode::fixed(START + MIB, MIB).reusable().everyones()], &[]);
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED), None);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED).unwrap().handle, START + MIB);
    assert_eq!(machine.alloc(stranger, PAGE, Flags::DEVICE), None, "but no device's own");
    assert!(machine.is_linear(START + MIB));
    assert_eq!(machine.list()[1].split_whitespace().next(), Some("shared"), "under the node's name");
}

#[test]
fn who_names_the_default_pool_is_served_from_it_first() {
    let machine = machine(&[SharedNode::fixed(START + MIB, MIB).reusable().everyones()], &[]);
    machine.install(c"cma", START, MIB);
    machine.dma.install_reserved().unwrap();
    let [first, second] = [0; 2].map(|_| device_of(&machine, 0));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(first, PAGE, CACHED).unwrap().handle, START + MIB);
    assert_eq!(machine.alloc(second, PAGE, CACHED).unwrap().handle, START + MIB + PAGE);
    assert_eq!(machine.alloc(stranger, PAGE, CACHED).unwrap().handle, START, "after what was there before");
    assert_eq!(machine.alloc(stranger, MIB, CACHED), None);
    assert_eq!(machine.alloc(stranger, MIB / 2, CACHED).unwrap().handle, START + PAGE);
    assert_eq!(machine.alloc(stranger, MIB / 2, CACHED).unwrap().handle, START + MIB + 2 * PAGE);
    assert_eq!(machine.dma.pools().count(), 2);
    assert_eq!(machine.take_errors(), [""; 0]);
}

#[test]
fn the_default_pool_is_lent_once_a_device_names_it() {
    unsafe extern "C" fn keep(_: *mut c_void, _: usize, _: *mut c_void) {}
    let nodes = [SharedNode::fixed(START + MIB, MIB).reusable().everyones()];
    for device_comes_first in [false, true] {
        let machine = machine(&nodes, &[]);
        // SAFETY: `keep` does nothing.
        let borrow = || unsafe { machine.dma.borrow_memory(PAGE, keep, 0) };
        let owner = device_of(&machine, 0);
        if device_comes_first {
            machine.first_call(owner);
        }
        machine.dma.install_reserved().unwrap();
        assert_eq!(borrow().is_some(), device_comes_first, "without an owner, no memory is lent");
        machine.first_call(owner);
        let lent = borrow().expect("the region has an owner");
        assert_eq!(machine.at(lent).map(|(pa, _)| pa & !(MIB - 1)), Some(START + MIB));
    }
}

#[test]
fn a_device_that_came_first_changes_nothing() {
    let machine = machine(&[SharedNode::fixed(START, MIB).reusable().everyones()], &[]);
    let early = device_of(&machine, 0);
    assert_eq!(machine.alloc(early, PAGE, CACHED).unwrap().handle, START);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap().handle, START + PAGE);
}

#[test]
fn nodes_that_devices_ask_for_are_left_to_them() {
    let nodes = [SharedNode::fixed(START, MIB).no_map(), SharedNode::fixed(START + MIB, MIB).reusable()];
    let reserved = START..START + 2 * MIB;
    let machine = machine(&nodes, std::slice::from_ref(&reserved));
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.dma.pools().count(), 0);
    let [coherent, shared] = [0, 1].map(|index| device_of(&machine, index));
    assert_eq!(machine.alloc(coherent, PAGE, CACHED).unwrap().handle, START);
    assert_eq!(machine.alloc(shared, PAGE, CACHED).unwrap().handle, START + MIB);
    assert!(!machine.is_linear(START) && machine.is_linear(START + MIB));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED), None, "others may borrow from the reusable one, and no more");
}

#[test]
fn an_open_node_is_given_the_lowest_memory_that_nobody_has() {
    let kernel = START..START + MIB + 100;
    let initrd = START + 2 * MIB - 1..START + 3 * MIB;
    let nodes = [
        SharedNode::open(MIB).no_map(),
        SharedNode::open(PAGE + 1).reusable().everyones(),
        SharedNode::open(16 * PAGE).aligned(4 * MIB as u64).reusable(),
    ];
    let machine = machine(&nodes, &[initrd, kernel]);
    machine.dma.install_reserved().unwrap();
    let places = [
        // Less than its size is free between the two reserved ranges.
        at(START + 3 * MIB, MIB),
        // Between the two reserved ranges, rounded to whole pages.
        at(START + MIB + PAGE, 2 * PAGE),
        at(START + 4 * MIB, 16 * PAGE),
    ];
    assert_eq!(machine.places(), places);
    machine.with_boot(|boot| assert_eq!(boot.reserved.len(), 5, "memblock knows"));
    assert_eq!(machine.dma.pools().count(), 1, "everyone's");
    assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap().handle, START + MIB + PAGE);

    // `memory-region` leads to the memory that was chosen.
    assert_eq!(machine.alloc(device_of(&machine, 0), PAGE, CACHED).unwrap().handle, START + 3 * MIB);
    assert!(!machine.is_linear(START + 3 * MIB), "no-map");

    // A second call changes nothing.
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), places);
    assert_eq!(machine.take_errors(), [""; 0]);
}

#[test]
fn a_place_lies_within_one_of_the_allocation_ranges() {
    let mib = MIB as u64;
    let start = START as u64;
    let nodes = [
        SharedNode::open(MIB).within(&[(start + 8 * mib, 4 * mib), (start + 4 * mib + 1, 2 * mib)]),
        // The first range is a byte too small.
        SharedNode::open(2 * MIB).within(&[(start + 12 * mib, 2 * mib - 1), (start + 16 * mib, 2 * mib)]),
        // The first range overflows 64 bits, the second lies after all memory, and the third extends to the end of the
        // address space.
        SharedNode::open(MIB).within(&[(u64::MAX - mib, u64::MAX), (1 << 40, mib), (start + 32 * mib, u64::MAX)]),
    ];
    let machine = machine(&nodes, &[]);
    machine.dma.install_reserved().unwrap();
    let places = [at(START + 4 * MIB + PAGE, MIB), at(START + 16 * MIB, 2 * MIB), at(START + 32 * MIB, MIB)];
    assert_eq!(machine.places(), places);
}

#[test]
fn nothing_is_taken_that_a_pool_or_the_page_allocator_has() {
    let machine = machine(&[SharedNode::open(MIB), SharedNode::open(8 * PAGE)], &[]);
    machine.install(c"fixed", START, MIB);
    machine.with_boot(|boot| boot.paged = vec![START + MIB..START + MIB + 4 * PAGE, START + 2 * MIB..LOW.end]);
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
    assert_eq!(machine.places(), [None, at(START + MIB + 4 * PAGE, 8 * PAGE)], "the others are served");
    let errors = machine.take_errors();
    assert!(errors.len() == 1 && errors[0].starts_with("shared"), "{errors:?}");
}

/// No pool contains physical page 0: see `first_page` in `dropin/pool/region.rs`.
#[test]
fn no_node_is_given_page_zero() {
    let machine = machine(&[SharedNode::open(2 * PAGE)], &[]);
    machine.with_boot(|boot| boot.memory = vec![Some(0..MIB)]);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), [at(PAGE, 2 * PAGE)]);
}

/// The default pool whose node begins and ends within a page has the whole pages between. A second call finds it.
#[test]
fn a_default_pool_that_begins_within_a_page_is_installed_once() {
    let machine = machine(&[SharedNode::fixed(START + 100, MIB).reusable().everyones()], &[]);
    for _ in 0..2 {
        machine.dma.install_reserved().unwrap();
        assert_eq!(machine.dma.pools().count(), 1);
    }
    assert_eq!(machine.alloc(device_of(&machine, 0), PAGE, CACHED).unwrap().handle, START + PAGE);
    assert_eq!(machine.take_errors(), [""; 0]);
}

#[test]
fn memory_with_a_flag_is_passed_over() {
    let machine = machine(&[SharedNode::open(MIB)], &[]);
    machine.with_boot(|boot| boot.memory = vec![None, Some(START + 8 * MIB..START + 9 * MIB)]);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.places(), [at(START + 8 * MIB, MIB)]);
}

#[test]
fn nodes_that_make_no_sense_are_refused_with_a_line_each() {
    let wrong = "a property is wrong, or two exclude each other";
    let unreadable = SharedNode { is_readable: false, ..SharedNode::open(MIB) };
    let (nodes, reasons): (Vec<_>, Vec<_>) = [
        (SharedNode::fixed(START, MIB).no_map().reusable(), wrong),
        (SharedNode::fixed(START, MIB).everyones(), wrong),
        (SharedNode::fixed(START, MIB).everyones().no_map(), wrong),
        (SharedNode::fixed(START, PAGE - 1).everyones().reusable(), "holds no whole page"),
        (SharedNode::open(0), wrong),
        (SharedNode::open(usize::MAX), wrong),
        (SharedNode::open(MIB).aligned(3 * MIB as u64), wrong),
        (SharedNode::open(MIB).aligned(1 << (usize::BITS - 1)), "memblock has no such memory left"),
        (unreadable, "cannot be read"),
    ]
    .into_iter()
    .unzip();
    let machine = machine(&nodes, &[]);
    let balance = machine.balance();
    let reserved = machine.with_boot(|boot| boot.reserved.clone());
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::BadNode));
    let errors = machine.take_errors();
    assert_eq!(errors.len(), nodes.len(), "{errors:#?}");
    for (line, reason) in errors.iter().zip(reasons) {
        assert!(line.contains(reason), "{line} does not state: {reason}");
    }
    assert_eq!(machine.balance(), balance);
    assert_eq!(machine.dma.pools().count(), 0);
    assert_eq!(machine.with_boot(|boot| boot.reserved.clone()), reserved);
}

#[test]
fn fault_16_no_map_with_reusable_is_refused_for_everyone_and_for_the_device() {
    let both = |node: SharedNode| node.no_map().reusable();
    let fixed = both(SharedNode::fixed(START, MIB));
    for node in [fixed.clone(), fixed.everyones(), both(SharedNode::open(MIB)), both(SharedNode::open(MIB)).everyones()]
    {
        let machine = machine(&[node], &[]);
        let balance = machine.balance();
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::BadNode));
        assert_eq!(machine.take_errors().len(), 1, "one line");
        assert_eq!((machine.balance(), machine.dma.pools().count()), (balance, 0));
        if machine.places()[0].is_some() {
            assert_eq!(
                machine.alloc(device_of(&machine, 0), PAGE, CACHED),
                None,
                "and the device is not served either"
            );
            assert_eq!(machine.take_errors().len(), 1, "one line");
            assert_eq!(machine.dma.pools().count(), 0);
        }
    }
}

#[test]
fn fault_15_a_fixed_place_that_the_page_allocator_owns_is_refused() {
    for paged in [START..START + PAGE, START + MIB - PAGE..START + 2 * MIB, LOW] {
        let machine = machine(&[SharedNode::fixed(START, MIB).reusable().everyones()], &[]);
        machine.with_boot(|boot| boot.paged = vec![paged]);
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::NotReserved)));
        let lines = machine.take_errors();
        assert!(matches!(&lines[..], [line] if line.contains("the kernel has not reserved this memory")), "{lines:?}");
        assert_eq!(machine.dma.pools().count(), 0);
    }
    let machine = machine(&[SharedNode::fixed(START, MIB).reusable().everyones()], &[]);
    machine.with_boot(|boot| boot.paged.push(START + MIB..LOW.end));
    assert_eq!(machine.dma.install_reserved(), Ok(()), "it owns what comes after");
}

/// RT-Thread reserves nothing for a node whose `reg` or parent it cannot read, or whose memory overlaps other reserved
/// memory. Then the page allocator gets the memory after this call.
#[test]
fn fault_15_a_fixed_place_that_the_page_allocator_will_own_is_refused() {
    let node = SharedNode::fixed(START, MIB).reusable().everyones();
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
    let machine = machine(&[SharedNode::open(MIB)], &[]);
    machine.with_boot(|boot| boot.paged = vec![LOW]);
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
    let lines = machine.take_errors();
    assert!(matches!(&lines[..], [line] if line.contains("write a reg (docs/moving-a-bsp.md)")), "{lines:?}");
}

#[test]
fn the_first_error_is_the_answer() {
    let overlapping = SharedNode::fixed(START + PAGE, MIB).everyones().reusable();
    let machine = machine(&[SharedNode::open(MIB), overlapping, SharedNode::open(0)], &[]);
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

#[test]
fn without_a_boot_allocator_there_is_no_room() {
    let machine = machine(&[SharedNode::open(PAGE)], &[]);
    machine.with_boot(|boot| boot.memory.clear());
    assert_eq!(machine.dma.install_reserved(), Err(ReservedError::NoRoom));
}

#[test]
fn what_fails_leaves_nothing_and_is_served_the_next_time() {
    let services = [Service::HeapAlloc, Service::Reserve, Service::MapLinear, Service::MapLinearWrong];
    for service in services {
        for call in 0.. {
            let nodes = [SharedNode::open(MIB).everyones().reusable(), SharedNode::open(MIB).no_map()];
            let machine = machine(&nodes, &[]);
            machine.fail(service, call, 1);
            let result = machine.dma.install_reserved();
            let failed = machine.repair(service);
            let places = machine.places();
            assert_eq!(machine.with_boot(|boot| boot.reserved.len()), places.iter().flatten().count());
            let pools = machine.dma.pools().count();
            match service {
                // The default pool's memory stays reserved for it.
                Service::HeapAlloc if failed => {
                    assert_eq!(
                        (result, pools, machine.balance().heap_bytes),
                        (Err(ReservedError::Install(Error::NoMemory)), 0, 0)
                    );
                    assert_eq!(places.iter().flatten().count(), 2, "call {call}");
                }
                Service::Reserve if failed => {
                    assert_eq!(
                        (result, pools),
                        (Err(ReservedError::Install(Error::NoMemory)), places[0].iter().count())
                    );
                    assert_eq!(places.iter().flatten().count(), 1, "the other is served");
                }
                _ => assert_eq!((result, pools), (Ok(()), 1), "a pool serves without a linear map"),
            }
            machine.dma.install_reserved().unwrap();
            assert_eq!((machine.places().iter().flatten().count(), machine.dma.pools().count()), (2, 1));
            let held = machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap();
            machine.free(held).unwrap();
            if !failed {
                break;
            }
        }
    }
}

#[test]
fn two_that_install_at_once_give_each_node_one_place() {
    for _ in 0..20 {
        let nodes = [SharedNode::open(MIB).everyones().reusable(), SharedNode::open(MIB).no_map()];
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
        assert_eq!(machine.places(), [at(START, MIB), at(START + MIB, MIB)]);
        assert_eq!(machine.dma.pools().count(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_place_is_the_lowest_free_one(
        banks in prop::collection::vec((0usize..80, 1usize..40), 1..4),
        reserved in prop::collection::vec((0usize..100 * PAGE, 1usize..10 * PAGE), 0..6),
        paged in prop::collection::vec((0usize..100, 1usize..10), 0..3),
        nodes in prop::collection::vec((1usize..20 * PAGE, 0u32..18, prop::collection::vec((0u64..100 * PAGE as u64, 1u64..60 * PAGE as u64), 0..3)), 1..5),
    ) {
        let pages = |(first, count): (usize, usize)| START + first * PAGE..START + (first + count) * PAGE;
        let boot = BootMemory {
            nodes: Some(nodes.iter().map(|(size, shift, ranges)| {
                let ranges: Vec<_> = ranges.iter().map(|(start, size)| (START as u64 + start, *size)).collect();
                SharedNode::open(*size).aligned(1 << shift).within(&ranges)
            }).collect()),
            memory: banks.into_iter().map(|bank| Some(pages(bank))).collect(),
            reserved: reserved.into_iter().map(|(start, size)| START + start..START + start + size).collect(),
            paged: paged.into_iter().map(pages).collect(),
        };
        // The model tries every place.
        let mut taken: Vec<Range<Pa>> = boot.reserved.iter().chain(&boot.paged).cloned().collect();
        let mut expected = Vec::new();
        for node in boot.nodes.iter().flatten() {
            let size = (node.size as usize).next_multiple_of(PAGE);
            let is_good = |place: &Pa| {
                let range = *place..*place + size;
                place.is_multiple_of(node.alignment as usize)
                    && boot.memory.iter().flatten().any(|bank| bank.start <= range.start && range.end <= bank.end)
                    && (node.alloc_ranges.is_empty() || node.alloc_ranges.iter().any(|(start, bytes)| {
                        *start <= range.start as u64 && range.end as u64 <= start + bytes
                    }))
                    && taken.iter().all(|taken| range.end <= taken.start || taken.end <= range.start)
            };
            let place = (START..START + 200 * PAGE).step_by(PAGE).find(is_good);
            taken.extend(place.map(|place| place..place + size));
            expected.push(place.map(|place| (place, place + size)));
        }
        let machine = Machine::new();
        machine.set_boot(boot);
        let result = machine.dma.install_reserved();
        prop_assert_eq!(result.is_ok(), expected.iter().all(Option::is_some));
        prop_assert_eq!(machine.places(), expected);
    }
}

/// The device has made its own pool of the memory before, which does not serve others. Their node is then refused.
#[test]
fn fault_16_the_memory_of_a_devices_own_node_does_not_serve_every_device() {
    for own in [SharedNode::fixed(START, MIB), SharedNode::fixed(START, MIB).no_map()] {
        let machine = machine(&[own, SharedNode::fixed(START, MIB).reusable().everyones()], &[]);
        machine.first_call(device_of(&machine, 0));
        assert_eq!(machine.dma.install_reserved(), Err(ReservedError::Install(Error::Overlap)));
        assert_eq!(machine.take_errors().len(), 1);
        assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED), None);
    }
}

/// The pool that serves every device has been installed before. The device then does not get its own node.
#[test]
fn fault_16_the_memory_that_serves_every_device_is_not_a_devices_own() {
    for own in [SharedNode::fixed(START, MIB), SharedNode::fixed(START, MIB).reusable()] {
        let machine = machine(&[own, SharedNode::fixed(START, MIB).reusable().everyones()], &[]);
        assert_eq!(machine.dma.install_reserved(), Ok(()));
        let [device, sharing] = [0, 1].map(|node| device_of(&machine, node));
        assert_eq!(machine.dma.claim_own_region(device, 0), Err(NoOwnRegion::Unavailable));
        assert_eq!(machine.take_errors().len(), 1, "it overlaps a pool");
        assert_eq!(machine.dma.claim_own_region(sharing, 0), Ok(()));
    }
}
