//! Tests managed resources: each is released exactly once, the newest first, whichever call releases it and whichever
//! service fails.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod at_once;
mod plain_calls;
mod release;

use fake_kernel::*;
use rt_dma_pool::additions::device::DeviceRecords;
use rt_dma_pool::additions::device::managed::{Reservation, Selection};
use rt_dma_pool::additions::device::resource::{Arguments, ResourceKind};
use rt_dma_pool::kernel::Device;
use std::cell::RefCell;

thread_local! {
    /// The device and the number of each resource that this thread released, in this order.
    static RELEASED: RefCell<Vec<(Device, usize)>> = const { RefCell::new(Vec::new()) };
}

/// The release function of the resources that [`manage`] makes.
fn record_release(device: Device, [number, ..]: Arguments) {
    RELEASED.with_borrow_mut(|released| released.push((device, number)));
}

/// Returns the resources that this thread released since the last call of this function.
fn take_released() -> Vec<(Device, usize)> {
    RELEASED.take()
}

/// Adds a resource to those that are released with the device. `number` is its key: the first argument of its release
/// function, by which a call finds a resource of its kind.
fn manage(records: &DeviceRecords<FakeKernel>, device: Device, kind: ResourceKind, number: usize) {
    fill_reservation(records.reserve(device).expect("there is memory"), kind, record_release, number);
}

/// Adds a resource as [`manage`] does, in a place that is reserved already.
fn fill_reservation(
    reservation: Reservation<FakeKernel>,
    kind: ResourceKind,
    release: fn(Device, Arguments),
    number: usize,
) {
    // SAFETY: `release` is a safe function, so it may be called with any device and arguments, in any thread.
    unsafe { reservation.manage(kind, release, [number, 0, 0, 0]) }
}

/// Takes a resource out of the device's list without releasing it. Returns whether it was there.
fn unmanage(records: &DeviceRecords<FakeKernel>, device: Device, kind: ResourceKind, number: usize) -> bool {
    records.unmanage(device, kind, Selection::Newest, |arguments| arguments[0] == number).is_some()
}
