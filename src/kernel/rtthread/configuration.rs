//! The configuration of the BSP, as the port measured it.

use core::sync::atomic::{AtomicPtr, Ordering::Acquire};

use super::port::rt_dma_port_configuration;
use crate::abi::rt_dma_map_ops;
use crate::kernel::Device;

/// Returns the BSP's configuration.
pub fn configuration() -> &'static rt_dma_port_configuration {
    // SAFETY: the port defines it as a constant.
    unsafe { &rt_dma_port_configuration }
}

/// Returns the revision of the interface that the BSP's headers declare: 1 or 2.
pub fn revision() -> i16 {
    configuration().revision
}

/// Returns `dev->dma_ops` of a device, read with acquire. The port writes the pools that a device owns and their flags
/// first, and then `dma_ops` with release: a caller that sees the operations also sees the pools.
/// (`rt_dma_device_set_ops` is a plain store.)
///
/// This is no function of the port, because its call would add about 20 instructions to each call of a driver, most of
/// them to save the arguments.
pub fn device_ops(device: Device) -> *const rt_dma_map_ops {
    let place = device.0.wrapping_add(configuration().ops_offset.into());
    // SAFETY: a device is a `struct rt_device` that a C caller passed. The port measured the offset of the pointer in
    // it, which is written by atomic or single stores only.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicPtr<rt_dma_map_ops>>(place) }.load(Acquire)
}

/// Returns `RT_DMA_POOL_VIEW_LIMIT` in bytes.
pub(super) fn view_limit() -> usize {
    mib(configuration().view_limit, usize::MAX as u64) as usize
}

/// Converts MiB to bytes, at most `most`. A negative number gives 0.
const fn mib(count: i16, most: u64) -> u64 {
    let bytes = if count < 0 { 0 } else { (count as u64) << 20 };
    if bytes < most { bytes } else { most }
}

// The largest number of MiB is more bytes than 32 bits can count.
const _: () =
    assert!(mib(4_096, u32::MAX as u64) == u32::MAX as u64 && mib(i16::MAX, u32::MAX as u64) == u32::MAX as u64);
