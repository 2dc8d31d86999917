//! Tests resources that are added and released by the calls for managed resources alone.

use crate::fake_kernel::*;
use crate::{fill_reservation, manage, record_release, take_released, unmanage};
use proptest::prelude::*;
use rt_dma_pool::abi::rt_dma_map_ops;
use rt_dma_pool::additions::device::managed::Selection;
use rt_dma_pool::additions::device::resource::{Arguments, ResourceKind};
use rt_dma_pool::additions::device::{DeviceRecords, masks::Masks};
use rt_dma_pool::kernel::Device;
use std::sync::{Arc, Mutex};

#[test]
fn a_release_frees_all_resources_newest_first_and_once() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [(); 2].map(|()| machine.plain_device());
    for (number, kind) in [ResourceKind::Buffer, ResourceKind::BlockPool, ResourceKind::Mapping, ResourceKind::Buffer]
        .into_iter()
        .enumerate()
    {
        manage(&records, device, kind, number);
        manage(&records, other, kind, 100 + number);
    }
    records.release(device);
    assert_eq!(take_released(), [3, 2, 1, 0].map(|number| (device, number)));
    records.release(device);
    assert_eq!(take_released(), []);
    records.release(other);
    assert_eq!(take_released(), [103, 102, 101, 100].map(|number| (other, number)));
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_resource_that_was_taken_out_is_not_released() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [(); 2].map(|()| machine.plain_device());
    (0..5).for_each(|number| manage(&records, device, ResourceKind::Buffer, number));
    for number in [4, 0, 2] {
        assert!(!unmanage(&records, device, ResourceKind::Mapping, number), "another kind");
        assert!(!unmanage(&records, other, ResourceKind::Buffer, number), "another device's");
        assert!(unmanage(&records, device, ResourceKind::Buffer, number));
        assert!(!unmanage(&records, device, ResourceKind::Buffer, number), "a second time");
    }
    assert_eq!(take_released(), [], "the caller that takes a resource out releases it");
    records.release(device);
    assert_eq!(take_released(), [3, 1].map(|number| (device, number)));
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_reservation_may_be_dropped_or_outlive_a_release() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    drop(records.reserve(device));
    assert_eq!(machine.balance().heap_bytes, 0);

    // A release between `reserve` and `manage` does not free the record that the reservation points to.
    let reservation = records.reserve(device).unwrap();
    records.release(device);
    fill_reservation(reservation, ResourceKind::Buffer, record_release, 7);
    records.release(device);
    assert_eq!(take_released(), [(device, 7)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn masks_outlive_what_is_managed() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    static ORIGINAL: rt_dma_map_ops =
        rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };
    records.set_masks(device, &ORIGINAL, || Masks::UNLIMITED, |masks| masks.streaming = 0xff).unwrap();
    manage(&records, device, ResourceKind::Buffer, 1);
    records.release(device);
    assert_eq!(take_released(), [(device, 1)]);
    assert_eq!(records.masked_ops(device).unwrap().masks, Masks { streaming: 0xff, coherent: !0 });
}

#[test]
fn fault_17_what_a_device_did_not_release_is_not_released_by_the_next_one_at_its_address() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    take_released();
    for in_interrupt in [false, true] {
        (0..10_000).for_each(|number| manage(&records, device, ResourceKind::Buffer, number));
        let forget = || records.forget_earlier_device(device, || true);
        assert_eq!(if in_interrupt { machine.in_interrupt(forget) } else { forget() }, 10_000);
        manage(&records, device, ResourceKind::Buffer, 7);
        assert!(!unmanage(&records, device, ResourceKind::Buffer, 3));
        records.release(device);
        assert_eq!(take_released(), [(device, 7)]);
        assert_eq!(machine.balance().heap_bytes, 0);
    }
    // While a thread has a reservation, the device exists, and its resources are not forgotten.
    manage(&records, device, ResourceKind::Buffer, 1);
    let reservation = records.reserve(device).unwrap();
    assert_eq!(records.forget_earlier_device(device, || true), 0);
    fill_reservation(reservation, ResourceKind::Buffer, record_release, 2);
    records.release(device);
    assert_eq!(take_released(), [(device, 2), (device, 1)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn without_memory_nothing_is_reserved_and_nothing_is_lost() {
    for call in 0.. {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        machine.fail(Service::HeapAlloc, call, 1);
        let reservation = records.reserve(device);
        let is_reserved = reservation.is_some();
        drop(reservation);
        assert_eq!(machine.balance().heap_bytes, 0, "call {call}");
        if !machine.repair(Service::HeapAlloc) {
            assert!(is_reserved);
            break;
        }
        assert!(!is_reserved);
        manage(&records, device, ResourceKind::Buffer, 1);
        records.release(device);
        assert_eq!(take_released(), [(device, 1)]);
    }
}

#[test]
fn an_interrupt_neither_reserves_nor_takes_out_a_resource() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    manage(&records, device, ResourceKind::Buffer, 1);
    machine.in_interrupt(|| {
        assert!(records.reserve(device).is_none());
        assert!(!unmanage(&records, device, ResourceKind::Buffer, 1));
    });
    assert_eq!(take_released(), []);
    assert!(machine.with_interrupts_off(|| records.reserve(device).is_none()));
    records.release(device);
    assert_eq!(take_released(), [(device, 1)]);
}

#[test]
fn a_release_may_itself_manage_and_unmanage() {
    // Releasing a block pool frees buffers of the same device, so no lock may be held during a release.
    static RECORDS: Mutex<Option<Arc<DeviceRecords<FakeKernel>>>> = Mutex::new(None);
    fn nested(device: Device, arguments: Arguments) {
        let records = RECORDS.lock().unwrap().clone().unwrap();
        record_release(device, arguments);
        assert!(!unmanage(&records, device, ResourceKind::Buffer, 1), "the release has taken it out of the list");
        manage(&records, device, ResourceKind::Buffer, 50);
        assert!(unmanage(&records, device, ResourceKind::Buffer, 50));
    }
    let machine = Machine::new();
    let records = Arc::new(DeviceRecords::new(machine.kernel));
    *RECORDS.lock().unwrap() = Some(records.clone());
    let device = machine.plain_device();
    manage(&records, device, ResourceKind::Buffer, 1);
    fill_reservation(records.reserve(device).unwrap(), ResourceKind::BlockPool, nested, 2);
    records.release(device);
    assert_eq!(take_released(), [(device, 2), (device, 1)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn fault_12_of_two_resources_with_one_key_none_is_taken_out_as_the_only_one() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    [1, 2, 2].into_iter().for_each(|number| manage(&records, device, ResourceKind::Mapping, number));
    assert!(records.unmanage(device, ResourceKind::Mapping, Selection::Only, |arguments| arguments[0] == 2).is_none());
    assert!(records.unmanage(device, ResourceKind::Mapping, Selection::Only, |arguments| arguments[0] == 1).is_some());
    records.release(device);
    assert_eq!(take_released(), [(device, 2), (device, 2)]);
}

proptest! {
    #[test]
    fn the_managed_resources_are_those_of_the_model(
        calls in prop::collection::vec((0usize..6, 0usize..3, any::<prop::sample::Index>()), 200),
    ) {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let devices = [(); 3].map(|()| machine.plain_device());
        let mut model: [Vec<(ResourceKind, usize)>; 3] = Default::default();
        let kinds = [ResourceKind::Buffer, ResourceKind::Mapping, ResourceKind::BlockPool];
        let newest_first = |device: Device, list: Vec<(ResourceKind, usize)>| -> Vec<_> {
            list.into_iter().rev().map(|(_, number)| (device, number)).collect()
        };
        for (number, (call, at, which)) in calls.into_iter().enumerate() {
            let (device, list) = (devices[at], &mut model[at]);
            match call {
                0 => {
                    records.release(device);
                    prop_assert_eq!(take_released(), newest_first(device, std::mem::take(list)));
                }
                1 if !list.is_empty() => {
                    let (kind, number) = list.remove(which.index(list.len()));
                    prop_assert!(unmanage(&records, device, kind, number));
                }
                2 => prop_assert!(!unmanage(&records, device, kinds[which.index(3)], usize::MAX)),
                3 => drop(records.reserve(device)),
                _ => {
                    let kind = kinds[which.index(3)];
                    manage(&records, device, kind, number);
                    list.push((kind, number));
                }
            }
        }
        for (device, list) in devices.into_iter().zip(model) {
            records.release(device);
            prop_assert_eq!(take_released(), newest_first(device, list));
        }
        prop_assert_eq!(machine.balance().heap_bytes, 0);
    }
}
