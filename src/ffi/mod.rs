//! The C ABI, with RT-Thread's names and types (`drivers/dma.h`).
//!
//! The functions check and convert pointers, call one function of the library, and convert its result. No function
//! panics.
//!
//! # Safety
//!
//! These hold for every function, in addition to what the function itself requires:
//!
//! * A `dev` that is not null points to a `struct rt_device` that exists as long as the library uses it.
//! * Every other pointer that is not null points to a value of its type during the call. A pointer to a list points to
//!   as many values as the count states that is passed with it. No other code changes them during the call; none reads
//!   them either if the call writes to the list.
//! * The address of a buffer may have any value: a function checks it before it uses it.

#![allow(unsafe_code)]
// The section above applies to each function.
#![allow(clippy::missing_safety_doc)]
// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

pub mod additions;
pub mod dropin;
#[cfg(target_os = "none")]
mod panic;
mod status;

pub use additions::*;
pub use dropin::*;

use core::mem::MaybeUninit;

use crate::abi::rt_device;
use crate::additions::device::DeviceRecords;
use crate::dropin::registry::Dma;
use crate::kernel::Device;
use crate::kernel::rtthread::{RtThread, pointer};
use crate::mem::hook::Hook;

/// The system's DMA memory.
static DMA: Dma<RtThread> = Dma::new(RtThread);

/// The records of the system's devices.
static DEVICES: DeviceRecords<RtThread> = DeviceRecords::new(RtThread);

/// The function that ends what the additions keep about an earlier device at the same address. It is called when
/// operations are chosen for a device that had none, because such a device is new. Not set in an image whose additions
/// keep nothing about devices, so that the drop-in core does not link them.
static NEW_DEVICE: Hook<fn(Device)> = Hook::new();

/// Converts a pointer to a device; `None` if it is null. ([`pointer`] explains `expose_provenance`.)
fn device_at(dev: *mut rt_device) -> Option<Device> {
    (!dev.is_null()).then(|| Device::at(dev.expose_provenance()))
}

/// Converts a device to a pointer for C.
fn c_device(device: Device) -> *mut rt_device {
    pointer(device.address()).cast()
}

/// Returns the variable in which a caller in C wants the handle; `None` if it passes a null pointer. C need not have
/// initialised the variable, so it is not a `usize` before the handle is written.
///
/// # Safety
/// `dma_handle` is null, or may be written as long as the result is used.
unsafe fn handle_out<'a>(dma_handle: *mut usize) -> Option<&'a mut MaybeUninit<usize>> {
    // SAFETY: the caller guarantees that it is null or may be written.
    unsafe { dma_handle.cast::<MaybeUninit<_>>().as_mut() }
}

/// Writes `value` to `to`, unless `to` is null.
///
/// # Safety
/// If `to` is not null, it may be written.
unsafe fn write_if(to: *mut usize, value: usize) {
    if !to.is_null() {
        // SAFETY: it is not null, and the caller guarantees that it may be written.
        unsafe { to.write(value) }
    }
}
