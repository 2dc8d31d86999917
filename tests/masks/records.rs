//! The records of the masks that were set.

use crate::fake_kernel::*;
use rt_dma_pool::abi::rt_dma_map_ops;
use rt_dma_pool::additions::device::{DeviceRecords, masks::Masks};
use rt_dma_pool::error::Error;
use rt_dma_pool::kernel::Device;
use std::sync::Arc;

/// The table of operations that a masked table replaces and calls.
static TABLE: rt_dma_map_ops = rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };

/// Returns the masks of the device; all ones if none are recorded.
fn masks_of(records: &DeviceRecords<FakeKernel>, device: Device) -> Masks {
    records.masked_ops(device).map_or(Masks::UNLIMITED, |ops| ops.masks)
}

/// The masks that are recorded for the device, whose original table is always [`TABLE`].
fn recorded(records: &DeviceRecords<FakeKernel>, device: Device) -> Option<Masks> {
    let ops = records.masked_ops(device)?;
    assert!(std::ptr::eq(ops.original, &TABLE));
    Some(ops.masks)
}

/// Sets masks without giving the device the table for them. Returns the masks for which it must get the table.
/// `inherited` are its masks before, if it has no record.
fn begin_set(
    records: &DeviceRecords<FakeKernel>,
    device: Device,
    inherited: Masks,
    streaming: Option<u64>,
    coherent: Option<u64>,
) -> Result<Masks, Error> {
    let change = |masks: &mut Masks| {
        masks.streaming = streaming.unwrap_or(masks.streaming);
        masks.coherent = coherent.unwrap_or(masks.coherent);
    };
    records.set_masks(device, &TABLE, || inherited, change)
}

/// Sets masks, and confirms that the device has the table for them.
fn set(records: &DeviceRecords<FakeKernel>, device: Device, streaming: Option<u64>, coherent: Option<u64>) {
    let mut masks = begin_set(records, device, Masks::UNLIMITED, streaming, coherent).unwrap();
    while let Err(now) = records.confirm_masks(device, masks) {
        masks = now;
    }
}

#[test]
fn masks_are_all_ones_until_they_are_set_and_cost_nothing_when_they_are_again() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let [first, second] = [(); 2].map(|()| machine.plain_device());
    assert_eq!(masks_of(&records, first), Masks::UNLIMITED);
    set(&records, first, Some(0xff), None);
    set(&records, first, None, Some(0xffff));
    assert_eq!(masks_of(&records, first), Masks { streaming: 0xff, coherent: 0xffff });
    assert_eq!(masks_of(&records, second), Masks::UNLIMITED, "another device");
    set(&records, first, Some(!0), Some(!0));
    assert_eq!(masks_of(&records, first), Masks::UNLIMITED);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn the_original_operations_are_remembered_as_long_as_there_is_a_mask() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    assert_eq!(recorded(&records, device), None);
    let inherited = Masks { streaming: 0xffff, coherent: 0xfff };
    let masks = begin_set(&records, device, inherited, None, Some(0xff)).unwrap();
    assert_eq!(masks, Masks { streaming: 0xffff, coherent: 0xff });
    records.confirm_masks(device, masks).unwrap();
    assert_eq!(recorded(&records, device), Some(masks));
    let masks = begin_set(&records, device, inherited, None, Some(!0)).unwrap();
    assert_eq!(masks, Masks { streaming: 0xffff, coherent: !0 }, "its own, not what it inherited");
    records.confirm_masks(device, masks).unwrap();
    begin_set(&records, device, inherited, Some(!0), None).unwrap();
    assert_eq!(recorded(&records, device), Some(Masks::UNLIMITED), "the device has its masked table still");
    let masks = begin_set(&records, device, inherited, None, Some(0xf)).unwrap();
    assert_eq!(masks, Masks { streaming: !0, coherent: 0xf }, "its own, not those of the masked table");
    // The first of these calls gives the device the table for the masks of the second.
    assert_eq!(records.confirm_masks(device, Masks::UNLIMITED), Err(masks));
    records.forget_old_masks(device, || true);
    records.confirm_masks(device, masks).unwrap();
    records.forget_old_masks(device, || true);
    records.confirm_masks(device, masks).unwrap();
    assert_eq!(recorded(&records, device), Some(masks), "neither call has ended before");
    begin_set(&records, device, inherited, None, Some(!0)).unwrap();
    records.confirm_masks(device, Masks::UNLIMITED).unwrap();
    assert_eq!(recorded(&records, device), None, "nothing stands before it any more");
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_mask_that_was_taken_back_stays_away_while_another_call_ends() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    let first = begin_set(&records, device, Masks::UNLIMITED, None, Some(0xff)).unwrap();
    // Before the first call gives the device the table for its mask, an interrupt takes the mask back. After that, but
    // before the first call has confirmed the mask, another interrupt finds the masked table, and sets the other mask.
    set(&records, device, None, Some(!0));
    let masks = begin_set(&records, device, first, Some(0xffff), None).unwrap();
    assert_eq!(masks, Masks { streaming: 0xffff, coherent: !0 }, "not those of the masked table");
    records.confirm_masks(device, masks).unwrap();
    assert_eq!(records.confirm_masks(device, first), Err(masks));
    records.confirm_masks(device, masks).unwrap();
    set(&records, device, Some(!0), None);
    assert_eq!(recorded(&records, device), None);
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn fault_17_release_leaves_no_block_for_a_device_that_ever_set_a_mask() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    for number in 1..100 {
        let device = Device::at(0x4000_0000 + number * 0x140);
        begin_set(&records, device, Masks::UNLIMITED, Some(0xff), Some(0xff)).unwrap();
        records.release(device);
        records.forget_masks_and_limits(device);
        assert_eq!(recorded(&records, device), None);
        assert_eq!(machine.balance().heap_bytes, 0);
    }
}

#[test]
fn fault_17_a_device_without_operations_has_no_masks_of_an_earlier_one() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    // This device's record is in the same list. It keeps its own masks.
    let other = Device::at(device.address() + (16 << 12));
    begin_set(&records, other, Masks::UNLIMITED, Some(7), None).unwrap();
    let balance = machine.balance();
    let set = || begin_set(&records, device, Masks::UNLIMITED, Some(0xff), Some(0xff)).unwrap();

    set();
    assert_eq!(records.forget_earlier_device(device, || false), 0, "it has operations: its masks are its own");
    assert_eq!(masks_of(&records, device), Masks { streaming: 0xff, coherent: 0xff });
    assert_eq!(records.forget_earlier_device(device, || true), 0);
    assert_eq!(recorded(&records, device), None);
    assert_eq!(machine.balance(), balance);

    // In an interrupt the record stays in the list until the next call from a thread, but no lookup finds it.
    set();
    assert_eq!(machine.in_interrupt(|| records.forget_earlier_device(device, || true)), 0);
    assert_eq!(recorded(&records, device), None);
    begin_set(&records, device, Masks::UNLIMITED, Some(0xf), None).unwrap();
    assert_eq!(masks_of(&records, device), Masks { streaming: 0xf, coherent: !0 });
    records.forget_masks_and_limits(device);
    assert_eq!(machine.balance(), balance);
    assert_eq!(masks_of(&records, other).streaming, 7);
}

#[test]
fn many_devices_are_told_apart() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let devices: Vec<_> = (1..200).map(|number| Device::at(0x4000_0000 + number * 0x140)).collect();
    for device in &devices {
        set(&records, *device, Some(device.address() as u64), Some(!device.address() as u64));
    }
    for device in devices.iter().rev() {
        assert_eq!(
            masks_of(&records, *device),
            Masks { streaming: device.address() as u64, coherent: !device.address() as u64 }
        );
    }
    for device in devices.iter().step_by(2).chain(devices.iter().skip(1).step_by(2)) {
        set(&records, *device, Some(!0), Some(!0));
        assert_eq!(masks_of(&records, *device), Masks::UNLIMITED);
    }
    assert_eq!(machine.balance().heap_bytes, 0);
}

#[test]
fn a_mask_that_cannot_be_remembered_changes_nothing() {
    let machine = Machine::new();
    let records = DeviceRecords::new(machine.kernel);
    let device = machine.plain_device();
    machine.fail_always(Service::HeapAlloc);
    assert_eq!(begin_set(&records, device, Masks::UNLIMITED, Some(1), Some(1)), Err(Error::NoMemory));
    machine.repair(Service::HeapAlloc);
    assert_eq!(
        machine.in_interrupt(|| begin_set(&records, device, Masks::UNLIMITED, Some(1), Some(1))),
        Err(Error::Context)
    );
    assert_eq!(masks_of(&records, device), Masks::UNLIMITED);
    begin_set(&records, device, Masks::UNLIMITED, Some(1), Some(1)).unwrap();
    machine.in_interrupt(|| begin_set(&records, device, Masks::UNLIMITED, None, Some(3))).unwrap();
    assert_eq!(
        masks_of(&records, device),
        Masks { streaming: 1, coherent: 3 },
        "once there is a record, in an interrupt too"
    );
}

#[test]
fn two_masks_set_at_once_are_never_seen_half_set() {
    let machine = Machine::new();
    let records = Arc::new(DeviceRecords::new(machine.kernel));
    let device = machine.plain_device();
    let seen = records.clone();
    machine.set_interrupt(move || {
        let Masks { streaming, coherent } = masks_of(&seen, device);
        assert_eq!(streaming, coherent);
    });
    on_every_core(|core| {
        for round in 0..300u64 {
            // In every fourth round the record is freed, unless another core sets a mask, and the next makes a new one.
            let mask = if round % 4 == 0 { !0 } else { round << 8 | core as u64 };
            set(&records, device, Some(mask), Some(mask));
            let Masks { streaming, coherent } = masks_of(&records, device);
            assert_eq!(streaming, coherent);
        }
    });
    machine.clear_interrupt();
    set(&records, device, Some(!0), Some(!0));
    assert_eq!(machine.balance().heap_bytes, 0, "one record at a time");
}
