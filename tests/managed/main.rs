//! Tests managed resources: each is released exactly once, the newest first, whichever call releases it and whichever
//! service fails.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod at_once;
mod plain_calls;
mod release;

use fake_kernel::*;
use rt_dma_pool::additions::device::DeviceRecords;
use rt_dma_pool::additions::device::managed::Slot;
use rt_dma_pool::additions::device::resource::{Arguments, ResourceKind};
use rt_dma_pool::kernel::Device;
use std::cell::RefCell;

thread_local! {
    /// The resources that this thread released, in order.
    static RELEASED: RefCell<Vec<(Device, usize)>> = const { RefCell::new(Vec::new()) };
}

fn note(device: Device, [number, ..]: Arguments) {
    RELEASED.with_borrow_mut(|released| released.push((device, number)));
}

fn released() -> Vec<(Device, usize)> {
    RELEASED.take()
}

fn manage(records: &DeviceRecords<FakeKernel>, device: Device, kind: ResourceKind, number: usize) {
    add(records.reserve(device).expect("there is memory"), kind, note, number);
}

fn add(slot: Slot<FakeKernel>, kind: ResourceKind, release: fn(Device, Arguments), number: usize) {
    // SAFETY: `release` is a safe function.
    unsafe { slot.manage(kind, release, [number, 0, 0, 0]) }
}

fn unmanage(records: &DeviceRecords<FakeKernel>, device: Device, kind: ResourceKind, number: usize) -> bool {
    records.unmanage(device, kind, |arguments| arguments[0] == number).is_some()
}
