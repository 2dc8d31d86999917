//! Tests managed resources: each is released exactly once, the newest first, whichever call releases it and whichever
//! service fails.

mod fake_kernel;

use fake_kernel::*;
use proptest::prelude::*;
use rt_dma_pool::additions::device::record::DeviceRecords;
use rt_dma_pool::additions::device::record::Masks;
use rt_dma_pool::additions::device::resource::{Kind, Words};
use rt_dma_pool::kernel::Device;
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

thread_local! {
    /// The resources that this thread released, in order.
    static RELEASED: RefCell<Vec<(Device, usize)>> = const { RefCell::new(Vec::new()) };
}

fn note(device: Device, [number, ..]: Words) {
    RELEASED.with_borrow_mut(|released| released.push((device, number)));
}

fn released() -> Vec<(Device, usize)> {
    RELEASED.take()
}

fn manage(records: &DeviceRecords<FakeKernel>, device: Device, kind: Kind, number: usize) {
    records.reserve(device).expect("there is memory").manage(kind, note, [number, 0, 0, 0]);
}

fn unmanage(records: &DeviceRecords<FakeKernel>, device: Device, kind: Kind, number: usize) -> bool {
    records.unmanage(device, kind, |words| words[0] == number).is_some()
}

#[test]
fn all_go_the_newest_first_and_once() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [0; 2].map(|_| machine.plain_device());
    for (number, kind) in [Kind::Buffer, Kind::BlockPool, Kind::Mapping, Kind::Buffer].into_iter().enumerate() {
        manage(&records, device, kind, number);
        manage(&records, other, kind, 100 + number);
    }
    assert!(records.release(device));
    assert_eq!(released(), [3, 2, 1, 0].map(|number| (device, number)));
    assert!(records.release(device), "nothing is left to do");
    assert_eq!(released(), []);
    records.release(other);
    assert_eq!(released(), [103, 102, 101, 100].map(|number| (other, number)));
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_resource_that_went_early_does_not_go_again() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [0; 2].map(|_| machine.plain_device());
    (0..5).for_each(|number| manage(&records, device, Kind::Buffer, number));
    for number in [4, 0, 2] {
        assert!(!unmanage(&records, device, Kind::Mapping, number), "another kind");
        assert!(!unmanage(&records, other, Kind::Buffer, number), "another device's");
        assert!(unmanage(&records, device, Kind::Buffer, number));
        assert!(!unmanage(&records, device, Kind::Buffer, number), "a second time");
    }
    assert_eq!(released(), [], "the caller that takes a resource out releases it");
    records.release(device);
    assert_eq!(released(), [3, 1].map(|number| (device, number)));
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_place_that_is_not_filled_leaves_nothing() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    drop(records.reserve(device));
    assert_eq!(machine.balance().heap_bytes, 0);

    // A release between `reserve` and `manage` does not free the record that the slot points to.
    let slot = records.reserve(device).unwrap();
    records.release(device);
    slot.manage(Kind::Buffer, note, [7, 0, 0, 0]);
    records.release(device);
    assert_eq!(released(), [(device, 7)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn masks_outlive_what_is_managed() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    records.set_masks(device, Masks::NONE, Some(0xff), None, 0x1230).unwrap();
    manage(&records, device, Kind::Buffer, 1);
    records.release(device);
    assert_eq!(records.masks(device), Masks { streaming: 0xff, coherent: !0 });
    released();
}

#[test]
fn fault_17_what_a_device_did_not_release_is_not_released_by_the_next_one_at_its_address() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    released();
    for in_interrupt in [false, true] {
        (0..10_000).for_each(|number| manage(&records, device, Kind::Buffer, number));
        let forget = || records.forget(device, || true);
        assert_eq!(if in_interrupt { machine.in_interrupt(forget) } else { forget() }, 10_000);
        manage(&records, device, Kind::Buffer, 7);
        assert!(!unmanage(&records, device, Kind::Buffer, 3));
        assert!(records.release(device));
        assert_eq!(released(), [(device, 7)]);
        assert_eq!(machine.balance().heap_bytes, 0);
    }
    // While a thread holds a slot, the device exists, and its resources are not forgotten.
    manage(&records, device, Kind::Buffer, 1);
    let slot = records.reserve(device).unwrap();
    assert_eq!(records.forget(device, || true), 0);
    slot.manage(Kind::Buffer, note, [2, 0, 0, 0]);
    assert!(records.release(device));
    assert_eq!(released(), [(device, 2), (device, 1)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn without_memory_nothing_is_reserved_and_nothing_is_lost() {
    for call in 0.. {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        machine.fail(Service::HeapAlloc, call, 1);
        let slot = records.reserve(device);
        let got = slot.is_some();
        drop(slot);
        assert_eq!(machine.balance().heap_bytes, 0, "call {call}");
        if !machine.repair(Service::HeapAlloc) {
            assert!(got);
            break;
        }
        assert!(!got);
        manage(&records, device, Kind::Buffer, 1);
        records.release(device);
        assert_eq!(released(), [(device, 1)]);
    }
}

#[test]
fn in_an_interrupt_nothing_happens() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    manage(&records, device, Kind::Buffer, 1);
    machine.in_interrupt(|| {
        assert!(records.reserve(device).is_none());
        assert!(!unmanage(&records, device, Kind::Buffer, 1));
        assert!(!records.release(device));
    });
    assert_eq!(released(), []);
    assert!(machine.with_interrupts_off(|| records.reserve(device).is_none()));
    records.release(device);
    assert_eq!(released(), [(device, 1)]);
}

#[test]
fn a_release_may_itself_manage_and_unmanage() {
    // Releasing a block pool frees buffers of the same device, so no lock may be held during a release.
    static RECORDS: Mutex<Option<Arc<DeviceRecords<FakeKernel>>>> = Mutex::new(None);
    fn nested(device: Device, words: Words) {
        let records = RECORDS.lock().unwrap().clone().unwrap();
        note(device, words);
        assert!(!unmanage(&records, device, Kind::Buffer, 1), "it is in release's hands");
        manage(&records, device, Kind::Buffer, 50);
        assert!(unmanage(&records, device, Kind::Buffer, 50));
    }
    let machine = Machine::new();
    let records = Arc::new(DeviceRecords::new(machine.kernel));
    *RECORDS.lock().unwrap() = Some(records.clone());
    let device = machine.plain_device();
    manage(&records, device, Kind::Buffer, 1);
    records.reserve(device).unwrap().manage(Kind::BlockPool, nested, [2, 0, 0, 0]);
    records.release(device);
    assert_eq!(released(), [(device, 2), (device, 1)]);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn fault_19_what_a_plain_call_gave_back_is_not_released() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [0; 2].map(|_| machine.plain_device());
    for kind in [Kind::Buffer, Kind::Mapping, Kind::BlockPool] {
        for in_interrupt in [false, true] {
            (1..4).for_each(|number| manage(&records, device, kind, number * PAGE));
            manage(&records, other, kind, 4 * PAGE);
            let plain = |key, is_gone| {
                let claim = records.claim(kind, key, |_, _| true).expect("it is managed");
                assert!(records.claim(kind, key, |_, _| true).is_none(), "by one call only");
                assert!(!unmanage(&records, device, kind, key), "and not by a managed call meanwhile");
                records.settle(claim, is_gone);
            };
            let calls = || {
                plain(2 * PAGE, true);
                assert!(records.claim(kind, 2 * PAGE, |_, _| true).is_none(), "it is gone");
                assert!(!unmanage(&records, device, kind, 2 * PAGE));
                // The plain call is refused, and the resource is managed as before.
                plain(3 * PAGE, false);
                // A plain call may free another device's resource.
                plain(4 * PAGE, true);
                assert!(records.claim(kind, 5 * PAGE, |_, _| true).is_none(), "nothing of the kind has the key");
                assert!(records.claim(kind, 3 * PAGE, |owner, _| owner == other).is_none(), "not wanted");
            };
            if in_interrupt {
                machine.in_interrupt(calls)
            } else {
                calls()
            }
            // Another device's resource may have the key now.
            manage(&records, other, kind, 2 * PAGE);
            records.release(device);
            assert_eq!(released(), [3, 1].map(|number| (device, number * PAGE)), "{kind:?} {in_interrupt}");
            records.release(other);
            assert_eq!(released(), [(other, 2 * PAGE)], "{kind:?} {in_interrupt}");
            assert_eq!(machine.balance().heap_bytes, 0);
        }
    }
}

/// A driver may free its resources by plain calls in interrupts and never call release.
#[test]
fn fault_19_what_is_gone_does_not_pile_up() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    let mut most = 0;
    for number in 0..1000 {
        manage(&records, device, Kind::Buffer, number * PAGE);
        machine.in_interrupt(|| {
            let claim = records.claim(Kind::Buffer, number * PAGE, |_, _| true).unwrap();
            records.settle(claim, true);
        });
        if number == 2 {
            most = machine.balance().heap_bytes;
        }
    }
    assert!(machine.balance().heap_bytes <= most);
    records.release(device);
    assert_eq!(released(), []);
    assert_eq!(machine.balance().heap_bytes, 0);
}

/// A release does not free a resource that a plain call has claimed, whether that call succeeds or is refused later.
#[test]
fn fault_19_a_claim_outlives_a_release() {
    for is_gone in [false, true] {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        manage(&records, device, Kind::Buffer, PAGE);
        let claim = records.claim(Kind::Buffer, PAGE, |_, _| true).unwrap();
        records.release(device);
        records.settle(claim, is_gone);
        assert_eq!(released(), []);
        assert_eq!(machine.balance().heap_bytes, 0);
        manage(&records, device, Kind::Buffer, PAGE);
        records.release(device);
        assert_eq!(released(), [(device, PAGE)], "the counters are as they were");
    }
}

#[test]
fn fault_12_the_only_one_of_a_key_is_taken_out() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    [1, 2, 2].into_iter().for_each(|number| manage(&records, device, Kind::Mapping, number));
    assert!(records.unmanage_only(device, Kind::Mapping, |words| words[0] == 2).is_none());
    assert!(records.unmanage_only(device, Kind::Mapping, |words| words[0] == 1).is_some());
    records.release(device);
    assert_eq!(released(), [(device, 2), (device, 2)]);
}

const CORES: usize = 4;
const EACH: usize = 50;

#[test]
fn of_all_that_release_at_once_each_resource_is_released_by_one() {
    static COUNTS: [AtomicUsize; CORES * EACH] = [const { AtomicUsize::new(0) }; CORES * EACH];
    for _ in 0..20 {
        COUNTS.iter().for_each(|count| count.store(0, Relaxed));
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        let start = Barrier::new(CORES);
        thread::scope(|scope| {
            for core in 0..CORES {
                let (records, start) = (&records, &start);
                scope.spawn(move || {
                    let count = |_, [number, ..]: Words| {
                        COUNTS[number].fetch_add(1, Relaxed);
                    };
                    start.wait();
                    for number in (core..CORES * EACH).step_by(CORES) {
                        records.reserve(device).unwrap().manage(Kind::Buffer, count, [number, 0, 0, 0]);
                        match number % 7 {
                            0 => {
                                records.release(device);
                            }
                            // This core's resource or its neighbour's; another core may have released it already.
                            1 | 2 if unmanage(records, device, Kind::Buffer, number - 1) => {
                                COUNTS[number - 1].fetch_add(1, Relaxed);
                            }
                            _ => {}
                        }
                    }
                    records.release(device);
                });
            }
        });
        assert!(COUNTS.iter().all(|count| count.load(Relaxed) == 1), "{COUNTS:?}");
        assert_eq!(machine.balance().heap_bytes, 0);
    }
}

proptest! {
    #[test]
    fn the_list_is_the_models(calls in prop::collection::vec((0usize..6, 0usize..3, any::<prop::sample::Index>()), 200)) {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let devices = [0; 3].map(|_| machine.plain_device());
        let mut model: [Vec<(Kind, usize)>; 3] = Default::default();
        let kinds = [Kind::Buffer, Kind::Mapping, Kind::BlockPool];
        for (number, (call, at, which)) in calls.into_iter().enumerate() {
            let (device, list) = (devices[at], &mut model[at]);
            match call {
                0 => {
                    records.release(device);
                    let expected: Vec<_> = list.drain(..).rev().map(|(_, number)| (device, number)).collect();
                    prop_assert_eq!(released(), expected);
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
        devices.into_iter().for_each(|device| { records.release(device); });
        released();
        prop_assert_eq!(machine.balance().heap_bytes, 0);
    }
}
