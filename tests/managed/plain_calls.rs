//! Resources that a plain call gives back.

use crate::fake_kernel::*;
use crate::{manage, take_released, unmanage};
use rt_dma_pool::additions::device::DeviceRecords;
use rt_dma_pool::additions::device::resource::ResourceKind;

#[test]
fn fault_19_what_a_plain_call_gave_back_is_not_released() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [device, other] = [(); 2].map(|()| machine.plain_device());
    for kind in [ResourceKind::Buffer, ResourceKind::Mapping, ResourceKind::BlockPool] {
        for in_interrupt in [false, true] {
            (1..4).for_each(|number| manage(&records, device, kind, number * PAGE));
            manage(&records, other, kind, 4 * PAGE);
            let plain = |key, is_gone| {
                let claim = records.claim(kind, key, |_, _| true).expect("it is managed");
                assert!(records.claim(kind, key, |_, _| true).is_none(), "by one call only");
                assert!(!unmanage(&records, device, kind, key), "and not by a managed call meanwhile");
                records.end_claim(claim, is_gone);
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
            assert_eq!(take_released(), [3, 1].map(|number| (device, number * PAGE)), "{kind:?} {in_interrupt}");
            records.release(other);
            assert_eq!(take_released(), [(other, 2 * PAGE)], "{kind:?} {in_interrupt}");
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
        manage(&records, device, ResourceKind::Buffer, number * PAGE);
        machine.in_interrupt(|| {
            let claim = records.claim(ResourceKind::Buffer, number * PAGE, |_, _| true).unwrap();
            records.end_claim(claim, true);
        });
        if number == 2 {
            most = machine.balance().heap_bytes;
        }
    }
    assert!(machine.balance().heap_bytes <= most);
    records.release(device);
    assert_eq!(take_released(), []);
    assert_eq!(machine.balance().heap_bytes, 0);
}

/// A release does not free a resource that a plain call has claimed, whether that call succeeds or is refused later.
#[test]
fn fault_19_a_claim_outlives_a_release() {
    for is_gone in [false, true] {
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        manage(&records, device, ResourceKind::Buffer, PAGE);
        let claim = records.claim(ResourceKind::Buffer, PAGE, |_, _| true).unwrap();
        records.release(device);
        records.end_claim(claim, is_gone);
        assert_eq!(take_released(), []);
        assert_eq!(machine.balance().heap_bytes, 0);
        manage(&records, device, ResourceKind::Buffer, PAGE);
        records.release(device);
        assert_eq!(take_released(), [(device, PAGE)], "the counters are as they were");
    }
}
