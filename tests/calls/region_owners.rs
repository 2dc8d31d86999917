//! Tests which devices own a region while devices are removed and others take their addresses.

use crate::fake_kernel::*;
use crate::memory_region::{OWN, machine_with_cma};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::UninstallError;
use rt_dma_pool::flags::Flags;
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::thread;

#[test]
fn fault_17_a_region_is_not_inherited_by_the_next_device_at_an_address() {
    let machine = machine_with_cma();
    let own = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [first, second, sharing] = [(); 3].map(|()| machine.device(own.clone()));
    // First the device that made the pool, then one that shares the pool.
    for device in [first, sharing] {
        assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE).unwrap().handle & !(MIB - 1), OWN);
        for (info, ops) in [
            (DeviceInfo::plain(), MapOps::NonCoherent),
            (DeviceInfo::with_regions(&[]), MapOps::NonCoherent),
            (DeviceInfo::with_regions(&[named_region(OWN + MIB, MIB)]), MapOps::DeviceTree),
        ] {
            machine.replace(device, info);
            assert_eq!(machine.ops_of(device), Some(ops));
            let pool = machine.dma.pools().find(|pool| pool.start() == OWN).unwrap();
            assert!(!pool.is_owned_by(device));
            let handle = machine.alloc(device, PAGE, CACHED).unwrap().handle;
            assert!(!(OWN..OWN + MIB).contains(&handle), "{handle:#x}");
            // A device that names the region again owns it again.
            machine.replace(device, own.clone());
            assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE).unwrap().handle & !(MIB - 1), OWN);
            assert_eq!(machine.alloc(second, PAGE, Flags::DEVICE).unwrap().handle & !(MIB - 1), OWN);
        }
    }
}

#[test]
fn fault_17_a_region_is_not_inherited_by_a_device_that_has_made_no_call_yet() {
    let machine = machine_with_cma();
    let own = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [first, second] = [own.clone(), own].map(|info| machine.device(info));
    let request = |device| machine.dma.allocate_general(device, PAGE, None, Flags::DEVICE, MapOps::NonCoherent);
    for device in [first, second] {
        let held = machine.alloc(device, PAGE, Flags::DEVICE).unwrap();
        assert_eq!(held.handle & !(MIB - 1), OWN);
        // The next device at this address has operations that the BSP set: it makes no first call that chooses them.
        for info in [DeviceInfo::plain(), DeviceInfo::with_regions(&[])] {
            machine.replace(device, info);
            assert_eq!(request(device), None);
        }
    }
}

#[test]
fn fault_17_devices_that_come_and_go_leave_no_heap_block_each() {
    let machine = machine_with_cma();
    let own = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [first, second] = [(); 2].map(|()| machine.device(own.clone()));
    let come_and_go = || {
        assert_eq!(machine.ops_of(second), Some(MapOps::DeviceTree));
        machine.replace(second, DeviceInfo::plain());
        machine.ops_of(second);
        machine.replace(second, own.clone());
    };
    machine.ops_of(first);
    come_and_go();
    let balance = machine.balance();
    (0..100).for_each(|_| come_and_go());
    assert_eq!(machine.balance(), balance);
}

#[test]
fn fault_17_an_interrupt_that_brings_a_new_device_ends_the_claims_of_the_old_one() {
    let machine = machine_with_cma();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE).unwrap().handle, OWN);
    machine.replace(device, DeviceInfo::plain());
    let held = machine.in_interrupt(|| machine.alloc(device, PAGE, Flags::DEVICE));
    assert_eq!(held, None);
}

#[test]
fn a_second_thread_that_chooses_operations_takes_no_region_away() {
    let machine = Arc::new(machine_with_cma());
    let regions = [named_region(OWN, MIB), named_region(OWN + MIB, MIB)];
    let device = machine.device(DeviceInfo::with_regions(&regions));
    machine.ops_of(device);
    let chooser = machine.clone();
    let other = thread::spawn(move || {
        (0..200).for_each(|_| assert_eq!(chooser.dma.choose_ops(device), Ok(MapOps::DeviceTree)));
    });
    // At least one allocation.
    loop {
        let held = machine.alloc(device, PAGE, Flags::DEVICE).expect("it owns them all the time");
        machine.free(held).unwrap();
        if other.is_finished() {
            break;
        }
    }
    other.join().unwrap();
}

#[test]
fn fault_17_a_region_has_a_copy_of_the_name_of_its_device() {
    let machine = Machine::new();
    // The name of the device, in memory that is overwritten when the device is removed.
    let name: &'static [AtomicU8] = Box::leak(Box::new(*b"decoder\0").map(AtomicU8::new).into());
    // SAFETY: the bytes stay valid, form a C string, and change only while the kernel does not read them.
    let borrowed = unsafe { CStr::from_ptr(name.as_ptr().cast()) };
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]).named(borrowed));
    let nameless = DeviceInfo { name: None, ..DeviceInfo::with_regions(&[named_region(OWN + MIB, MIB)]) };
    machine.ops_of(device);
    machine.ops_of(machine.device(nameless));
    name[..4].iter().for_each(|byte| byte.store(b'x', Relaxed));
    let listed: Vec<String> =
        machine.list()[1..3].iter().map(|line| line.split_whitespace().next().unwrap().into()).collect();
    assert_eq!(listed[0], "decoder");
    assert_ne!(listed[1], "decoder");
}

#[test]
fn fault_17_a_region_that_is_installed_again_has_the_name_of_its_present_device() {
    let machine = Machine::new();
    let own = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let mut heap = None;
    for round in 0..3 {
        for name in [c"decoder", c"decode", c"camera"] {
            let device = machine.device(own.clone().named(name));
            assert_eq!(machine.ops_of(device), Some(MapOps::DeviceTree));
            let pool = machine.dma.pools().next().unwrap();
            assert_eq!(machine.list()[1].split_whitespace().next(), name.to_str().ok());
            machine.remove_device(device);
            machine.dma.release_own_regions(device);
            assert_eq!(machine.dma.uninstall(&pool.public), Ok(()));
        }
        // The bookkeeping of each name is used again.
        let bytes = machine.balance().heap_bytes;
        assert!(round == 0 || heap == Some(bytes));
        heap = Some(bytes);
    }
}

#[test]
fn a_bsp_may_hand_the_pool_to_another_device() {
    let machine = Machine::new();
    let device = machine.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
    let heir = machine.plain_device();
    machine.ops_of(device);
    let pool = machine.dma.pools().next().unwrap();
    machine.set_pool_owner(pool, heir);
    assert_eq!(machine.alloc(heir, PAGE, Flags::DEVICE).unwrap().handle, OWN);
    assert_eq!(machine.alloc(device, PAGE, CACHED), None);
}

#[test]
fn a_device_that_the_bsp_wrote_to_the_pool_claims_it_too_if_its_node_names_the_region() {
    let machine = Machine::new();
    let own = DeviceInfo::with_regions(&[named_region(OWN, MIB)]);
    let [device, heir] = [own.clone(), own].map(|info| machine.device(info));
    let third = machine.plain_device();
    machine.ops_of(device);
    let pool = machine.dma.pools().next().unwrap();
    machine.set_pool_owner(pool, heir);
    assert_eq!(machine.ops_of(heir), Some(MapOps::DeviceTree));
    machine.set_pool_owner(pool, third);
    assert_eq!(machine.alloc(device, PAGE, Flags::DEVICE), None, "the BSP took it from this device");
    for owner in [heir, third] {
        let held = machine.alloc(owner, PAGE, Flags::DEVICE).expect("it is an owner");
        machine.free(held).unwrap();
    }
    // The pool cannot be removed as long as the heir has its claim.
    machine.dma.release_own_regions(device);
    assert_eq!(machine.dma.uninstall(&pool.public), Err(UninstallError::InUse));
    machine.dma.release_own_regions(heir);
    assert_eq!(machine.dma.uninstall(&pool.public), Ok(()));
}
