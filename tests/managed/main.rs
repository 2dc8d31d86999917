//! Tests managed resources: each is released exactly once, the newest first, whichever call releases it and whichever
//! service fails.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod at_once;
mod plain_calls;
mod release;

use fake_kernel::*;
use rt_dma_pool::additions::device::record::DeviceRecords;
use rt_dma_pool::additions::device::resource::{Kind, Words};
use rt_dma_pool::kernel::Device;
use std::cell::RefCell;

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
