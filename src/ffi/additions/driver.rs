//! The system's DMA memory for drivers in Rust ([`crate::additions::driver`]). They share it with drivers in C.

use crate::abi::rt_device;
use crate::additions::driver::{self, Platform, System};
use crate::ffi::additions::block_pool::{DevicePages, POOLS};
use crate::ffi::additions::streaming::arguments::bus_master_of;
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::device_at;
use crate::kernel::rtthread::RtThread;

/// The platform RT-Thread.
#[derive(Clone, Copy, Debug)]
pub enum RtThreadPlatform {}

impl Platform for RtThreadPlatform {
    type Kernel = RtThread;
    type Pages = DevicePages;
}

/// Only the functions of this file refer to it, so that an image without drivers in Rust does not link it.
// SAFETY: `rt_dma_alloc` returns pages as `System::new` requires. C code that frees the memory of a driver in Rust
// breaks its own contract, as if it wrote to that memory.
static SYSTEM: System<RtThreadPlatform> =
    unsafe { System::new(RtThread, STREAMING, &POOLS, DevicePages::Coherent, &bus_master_of) };

/// Returns the system's DMA memory.
pub fn system() -> &'static System<RtThreadPlatform> {
    &SYSTEM
}

impl driver::Device<RtThreadPlatform> {
    /// Makes a value for the device at `dev`; `None` if `dev` is null.
    ///
    /// # Safety
    /// If `dev` is not null, it points to a `struct rt_device` that exists as long as [`driver::Device::new`] demands,
    /// and that accesses memory as that function demands.
    pub unsafe fn from_ptr(dev: *mut rt_device) -> Option<Self> {
        // SAFETY: the caller guarantees that the pointer is a device's.
        device_at(dev).map(|device| unsafe { driver::Device::new(&SYSTEM, device) })
    }
}

/// A device of RT-Thread.
pub type Device = driver::Device<RtThreadPlatform>;
/// Values in coherent memory of RT-Thread.
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
pub type ScopedMapping<'a, W> = driver::ScopedMapping<'a, W, RtThreadPlatform>;
/// A buffer whose bytes a device has.
pub type Mapping<W, B> = driver::Mapping<W, B, RtThreadPlatform>;
