//! The C ABI, with RT-Thread's names and types (`drivers/dma.h`).
//!
//! Here pointers are checked and converted, and nothing is decided. No panic can cross: none can arise.
//!
//! # Safety
//!
//! What every caller of every function here owes, beyond what the function itself says: a `dev` that is not null points
//! to a `struct rt_device` that stays; every other pointer that is not null points to what its type says, for the
//! time of the call. Addresses of buffers are not read, and may be anything.

#![allow(unsafe_code)]
// The section above holds for each of them.
#![allow(clippy::missing_safety_doc)]

pub mod additions;
pub mod dropin;
#[cfg(target_os = "none")]
mod panic;
mod status;

pub use additions::*;
pub use dropin::*;

use core::ffi::c_void;

use crate::abi::rt_device;
use crate::additions::device::record::DeviceRecords;
use crate::dropin::registry::Dma;
use crate::kernel::Device;
use crate::kernel::rtthread::RtThread;
use crate::mem::shared::OnceRef;

/// The system's DMA memory.
static DMA: Dma<RtThread> = Dma::new(RtThread);

/// What is remembered of the system's devices.
static DEVICES: DeviceRecords<RtThread> = DeviceRecords::new(RtThread);

/// What an addition does when operations are chosen for a device that had none: it is a new one, and may lie at the address
/// of an earlier one. Empty in an image in which no addition remembers anything by a device's address, so that the drop-in
/// core does not link the additions.
static NEW_DEVICE: OnceRef<fn(Device)> = OnceRef::new();

/// The device behind a pointer, unless it is null.
#[inline(always)]
fn device(dev: *mut rt_device) -> Option<Device> {
    (!dev.is_null()).then(|| Device(dev.expose_provenance()))
}

fn pointer(address: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(address)
}

/// Writes through a pointer that may be null.
///
/// # Safety
/// If it is not null, it is the caller's.
#[inline(always)]
unsafe fn write_if<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not null, and so the caller's.
        unsafe { place.write(value) }
    }
}
