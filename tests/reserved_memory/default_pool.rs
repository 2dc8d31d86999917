//! The default pool (`linux,cma-default`), and the other pools of nodes with a `reg`.

use crate::fake_kernel::*;
use crate::{CACHED, START, device_of, machine};
use rt_dma_pool::flags::Flags;
use std::ffi::c_void;

#[test]
fn the_default_pool_serves_every_device() {
    let machine = machine(&[SharedPoolNode::fixed(START + MIB, MIB).reusable().default_pool()], &[]);
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED), None);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED).unwrap().handle, START + MIB);
    assert_eq!(machine.alloc(stranger, PAGE, Flags::DEVICE), None, "it is no device's own pool");
    assert!(machine.is_linear(START + MIB));
    assert_eq!(machine.list()[1].split_whitespace().next(), Some("shared"), "the pool has the node's name");
}

#[test]
fn a_device_that_names_the_default_pool_is_served_from_it_first() {
    let machine = machine(&[SharedPoolNode::fixed(START + MIB, MIB).reusable().default_pool()], &[]);
    machine.install(c"cma", START, MIB);
    machine.dma.install_reserved().unwrap();
    let [first, second] = [(); 2].map(|()| device_of(&machine, 0));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(first, PAGE, CACHED).unwrap().handle, START + MIB);
    assert_eq!(machine.alloc(second, PAGE, CACHED).unwrap().handle, START + MIB + PAGE);
    assert_eq!(
        machine.alloc(stranger, PAGE, CACHED).unwrap().handle,
        START,
        "a stranger is served from the older pool first"
    );
    assert_eq!(machine.alloc(stranger, MIB, CACHED), None);
    assert_eq!(machine.alloc(stranger, MIB / 2, CACHED).unwrap().handle, START + PAGE);
    assert_eq!(machine.alloc(stranger, MIB / 2, CACHED).unwrap().handle, START + MIB + 2 * PAGE);
    assert_eq!(machine.dma.pools().count(), 2);
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn the_default_pool_is_lent_once_a_device_names_it() {
    unsafe extern "C" fn keep(_: *mut c_void, _: usize, _: *mut c_void) {}
    let nodes = [SharedPoolNode::fixed(START + MIB, MIB).reusable().default_pool()];
    for device_comes_first in [false, true] {
        let machine = machine(&nodes, &[]);
        // SAFETY: `keep` does nothing.
        let borrow = || unsafe { machine.dma.borrow_memory(PAGE, keep, 0) };
        let owner = device_of(&machine, 0);
        if device_comes_first {
            machine.ops_of(owner);
        }
        machine.dma.install_reserved().unwrap();
        assert_eq!(borrow().is_some(), device_comes_first, "without an owner, no memory is lent");
        machine.ops_of(owner);
        let lent = borrow().expect("the region has an owner");
        assert_eq!(machine.translate(lent).map(|(pa, _)| pa & !(MIB - 1)), Some(START + MIB));
    }
}

#[test]
fn a_device_that_came_first_changes_nothing() {
    let machine = machine(&[SharedPoolNode::fixed(START, MIB).reusable().default_pool()], &[]);
    let early = device_of(&machine, 0);
    assert_eq!(machine.alloc(early, PAGE, CACHED).unwrap().handle, START);
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap().handle, START + PAGE);
}

#[test]
fn nodes_that_devices_ask_for_are_left_to_them() {
    let nodes = [SharedPoolNode::fixed(START, MIB).no_map(), SharedPoolNode::fixed(START + MIB, MIB).reusable()];
    let reserved = START..START + 2 * MIB;
    let machine = machine(&nodes, std::slice::from_ref(&reserved));
    machine.dma.install_reserved().unwrap();
    assert_eq!(machine.dma.pools().count(), 0);
    let [coherent, shared] = [0, 1].map(|index| device_of(&machine, index));
    assert_eq!(machine.alloc(coherent, PAGE, CACHED).unwrap().handle, START);
    assert_eq!(machine.alloc(shared, PAGE, CACHED).unwrap().handle, START + MIB);
    assert!(!machine.is_linear(START) && machine.is_linear(START + MIB));
    let stranger = machine.plain_device();
    assert_eq!(machine.alloc(stranger, PAGE, CACHED), None, "others may only borrow from the reusable region");
}

/// The default pool whose node begins and ends within a page has the whole pages between. A second call finds it.
#[test]
fn a_default_pool_that_begins_within_a_page_is_installed_once() {
    let machine = machine(&[SharedPoolNode::fixed(START + 100, MIB).reusable().default_pool()], &[]);
    for _ in 0..2 {
        machine.dma.install_reserved().unwrap();
        assert_eq!(machine.dma.pools().count(), 1);
    }
    assert_eq!(machine.alloc(device_of(&machine, 0), PAGE, CACHED).unwrap().handle, START + PAGE);
    assert_eq!(machine.take_errors(), NO_LINES);
}
