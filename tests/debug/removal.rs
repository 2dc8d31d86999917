//! Devices that are removed, and new ones at their addresses.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{AfterFree, Call, DebugEntry, FreedBy, FreedMemory, Kind};
use rt_dma_pool::additions::streaming::{Direction, MAPPING_ERROR};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::log::Name;

#[test]
fn what_a_removed_device_holds_is_reported_but_not_what_is_managed() {
    let rig = Rig::new();
    let [kept, managed] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
    rig.record(rig.device, &kept);
    rig.debug.record_allocation(
        &rig.call(ALLOC_SITE),
        DebugEntry { handle: managed.handle, is_managed: true, ..allocated(managed.va) },
    );
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", kept.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    assert_eq!(rig.lines(), NO_LINES, "it is reported once");
    assert!(rig.free(freed(&kept)), "a free after that is no mistake");
    assert_eq!(rig.lines(), NO_LINES);
}

/// A driver that reports its removal itself need not have released what is managed.
#[test]
fn what_is_managed_and_was_not_released_is_reported_too() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), DebugEntry { is_managed: true, ..allocated(0x9000) });
    rig.debug.note_driver_removal(&rig.call(OTHER_SITE));
    assert_eq!(rig.lines(), ["eth0: still held after removal: 0x9000, 64 bytes, a buffer; caller 0x1111"]);
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(!rig.free(freed), "the release has ended it");
}

/// A block pool of which blocks are in use stays when its device is released. It is not managed any more.
#[test]
fn a_managed_pool_in_use_outlives_a_second_release() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), DebugEntry { is_managed: true, ..block_pool(0x1000) });
    let block = DebugEntry { kind: Kind::Block { pool: 0x1000 }, ..allocated(0x8040) };
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), block);
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    assert_eq!(rig.lines().len(), 2);
    assert!(rig.free(FreedMemory { by: FreedBy::BlockFree { pool: 0x1000 }, va: 0x8040, size: 64, handle: 0 }));
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    assert!(rig.debug.block_pool(0x1000).is_some());
}

#[test]
fn a_new_device_at_the_address_of_an_earlier_one_inherits_nothing() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| true), ..rig.call(OTHER_SITE) }, 64);
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", held.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    assert_eq!(rig.lines(), NO_LINES, "the new device holds nothing");
    rig.machine.replace(rig.device, DeviceInfo::plain().named(c"usb0"));
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| true), ..rig.call(OTHER_SITE) }, 64);
    rig.unmap(part(MAPPING_ERROR, 64, Direction::ToDevice));
    assert!(rig.lines()[0].starts_with("usb0: unmap of a map that failed"));
    assert_eq!(rig.debug.find(Name::of(c"usb0")), Some(rig.device));
    assert_eq!(rig.debug.find(Name::of(c"eth0")), None);
    // The device is removed, and found again at another address.
    let again = rig.other_device(c"usb0");
    rig.debug.count_and_check_failure(&rig.call_for(again, OTHER_SITE), 64);
    assert_eq!(rig.debug.find(Name::of(c"usb0")), Some(again));
}

/// The first calls of a new device come from two threads. One of them has a buffer when the other is checked.
#[test]
fn a_call_that_another_one_of_a_new_device_overtakes_ends_nothing() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| false), ..rig.call(OTHER_SITE) }, 64);
    assert_eq!(rig.lines(), NO_LINES);
    rig.debug.note_driver_removal(&rig.call(OTHER_SITE));
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", held.va);
    assert_eq!(rig.lines(), [line]);
}

#[test]
fn memory_that_was_given_back_without_a_call_is_forgotten_when_it_is_allocated_again() {
    let rig = Rig::new();
    let held = rig.alloc(8192, Flags::empty());
    rig.machine.free(held).unwrap();
    let again = rig.alloc(64, Flags::empty());
    assert_eq!(again.va, held.va);
    assert!(rig.free(freed(&again)));
    rig.assert_silent();
}

/// An operation of a BSP may allocate for another device, a bus for example, and free for that one.
#[test]
fn each_device_for_which_one_call_allocates_holds_the_memory() {
    let rig = Rig::new();
    let bus = rig.other_device(c"bus");
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    let check = |device| rig.debug.check_free(rig.machine.dma, &rig.call_for(device, OTHER_SITE), &freed(&held));
    let free = |device| check(device) == AfterFree::Nothing;
    for _ in 0..2 {
        rig.record(bus, &held);
        rig.record(rig.device, &held);
        assert!(free(rig.device) && free(bus));
        rig.assert_silent();
    }
    // What the bus had before the call was given back.
    rig.debug.record_allocation(&Call { made_at_ms: 4, ..rig.call_for(bus, ALLOC_SITE) }, allocated(held.va));
    rig.record(rig.device, &held);
    assert!(free(rig.device));
    for device in [bus, rig.device] {
        rig.debug.note_managed_release(&rig.call_for(device, OTHER_SITE));
    }
    rig.assert_silent();
}
