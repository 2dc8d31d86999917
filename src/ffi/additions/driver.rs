//! The system's DMA memory for drivers in Rust: see [`crate::additions::driver`]. They share it with those in C.

use crate::abi::rt_device;
use crate::additions::driver::{self, Platform, System};
use crate::ffi::additions::block_pool::{DevicePages, POOLS};
use crate::ffi::additions::streaming::{STREAMING, master_of};
use crate::ffi::{DMA, device};
use crate::kernel::rtthread::RtThread;

/// RT-Thread.
#[derive(Clone, Copy, Debug)]
pub enum RtThreadPlatform {}

impl Platform for RtThreadPlatform {
    type Kernel = RtThread;
    type Pages = DevicePages;
}

/// Only what is below refers to it: a system without drivers in Rust does not link it.
// SAFETY: the port tells the truth; `rt_dma_alloc` gives pages as it promises. C could give back what a driver in Rust
// has, as it could write to it.
static SYSTEM: System<RtThreadPlatform> =
    unsafe { System::new(&DMA, &STREAMING, &POOLS, DevicePages::new(), &master_of) };

/// The system's DMA memory.
pub fn system() -> &'static System<RtThreadPlatform> {
    &SYSTEM
}

impl driver::Device<RtThreadPlatform> {
    /// The device behind a pointer, unless it is null.
    ///
    /// # Safety
    /// A pointer that is not null points to a `struct rt_device` that stays as long as this, any copy of it, or
    /// anything made by one is used or not dropped yet.
    pub unsafe fn from_ptr(dev: *mut rt_device) -> Option<Self> {
        // SAFETY: the caller's promise: RT-Thread knows a device by this pointer.
        device(dev).map(|device| unsafe { driver::Device::new(&SYSTEM, device) })
    }
}

/// A device of RT-Thread's.
pub type Device = driver::Device<RtThreadPlatform>;
/// Values in coherent memory.
pub type CoherentBuffer<T> = driver::CoherentBuffer<T, RtThreadPlatform>;
/// A ring of descriptors.
pub type Ring<T> = driver::Ring<T, RtThreadPlatform>;
/// A pool of blocks for one value each.
pub type BlockPool<T> = driver::BlockPool<T, RtThreadPlatform>;
/// A block with a value.
pub type BlockBox<'pool, T> = driver::BlockBox<'pool, T, RtThreadPlatform>;
/// Bytes in RT-Thread's heap.
pub type HeapBytes = driver::HeapBytes<RtThread>;
/// Bytes that a device has while a closure runs.
pub type Mapping<'a, W> = driver::Mapping<'a, W, RtThreadPlatform>;
/// Bytes that a device has, with their owner.
pub type Mapped<W, B> = driver::Mapped<W, B, RtThreadPlatform>;
