//! Resources that are released when the device's driver is removed.

mod block_pools;
pub(in crate::ffi) mod buffers;
mod mappings;
mod release;

pub use block_pools::*;
pub use buffers::*;
pub use mappings::*;
pub use release::*;

use crate::additions::device::managed::Reservation;
use crate::ffi::additions::device::set_new_device_hook;
use crate::ffi::dropin::ops::table_or_choose;
use crate::ffi::{DEVICES, DMA};
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Device, Threads};

/// Reserves a place for a managed resource of the device. First chooses the device's operations if it has none: this
/// removes the records that an earlier device at the same address left. Returns `None` if one of these is not possible
/// now. If the reason is that the caller may not sleep, counts the call as refused.
///
/// Context: thread.
fn reserve(device: Device) -> Option<Reservation<'static, RtThread>> {
    table_or_choose(device).ok()?;
    set_new_device_hook();
    let reservation = DEVICES.reserve(device);
    if reservation.is_none() && !DMA.kernel.can_sleep() {
        DMA.count_refused();
    }
    reservation
}
