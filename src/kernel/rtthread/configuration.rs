//! The configuration of the BSP, as the port measured it.

use core::sync::atomic::{AtomicPtr, Ordering::Acquire};

use crate::abi::rt_dma_map_ops;
use crate::kernel::Device;

/// @brief The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
/// configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: isize,
    /// `-RT_EINVAL`
    pub inval: isize,
    /// `-RT_ENOSYS`
    pub nosys: isize,
    /// `-RT_EEMPTY`
    pub empty: isize,
    /// `-RT_ENOMEM`
    pub nomem: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EIO`
    pub io: isize,
}

/// @brief Constants of the BSP's configuration. The port defines the only one, as `rt_dma_port_configuration`.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// `RT_DMA_POOL_VIEW_LIMIT`: the largest size, in MiB, of a pool that is mapped as a whole for its uncached or
    /// write-through buffers.
    pub view_limit_mib: u16,
    /// 1 if `rt_dma_pool_extract` takes a region list and two sizes (RT-Thread 5.2.0 to 5.2.2), 2 if it takes only the
    /// two sizes (master since December 2025).
    pub revision: u16,
    /// Offset of `dma_ops` in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// 1 if a pool up to the view limit is mapped for uncached buffers when it is installed
    /// (`PKG_RT_DMA_POOL_MAP_AT_INSTALL`), 0 if at its first uncached buffer.
    pub maps_at_install: u16,
    /// Size of the largest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`), in bytes; 0 if it states none.
    pub stated_cache_line: u16,
}

unsafe extern "C" {
    /// The constants of the BSP's configuration. cbindgen leaves this out: `rtthread-port/rt_dma_port.h` declares it.
    pub static rt_dma_port_configuration: rt_dma_port_configuration;
}

/// Returns the BSP's configuration.
pub fn configuration() -> &'static rt_dma_port_configuration {
    // SAFETY: the port defines it as a constant.
    unsafe { &rt_dma_port_configuration }
}

/// Returns the revision of the interface that the BSP's headers declare: 1 or 2.
pub fn revision() -> u16 {
    configuration().revision
}

/// Returns `dev->dma_ops` of a device, read with acquire ordering. The port writes the pools that a device owns and
/// their flags first, and then `dma_ops` with release ordering: a caller that sees the operations also sees the pools.
/// (`rt_dma_device_set_ops` is a plain store.)
///
/// This is no function of the port, because its call would add about 20 instructions to each call of a driver, most of
/// them to save the arguments.
pub fn device_ops(device: Device) -> *const rt_dma_map_ops {
    let place = device.address().wrapping_add(configuration().ops_offset.into());
    // SAFETY: a device is a `struct rt_device` that a C caller passed. The port measured the offset of the pointer in
    // it, which is written by atomic or single stores only.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicPtr<rt_dma_map_ops>>(place) }.load(Acquire)
}

/// Returns `RT_DMA_POOL_VIEW_LIMIT` in bytes.
pub(super) fn view_limit() -> usize {
    mib(configuration().view_limit_mib, usize::MAX as u64) as usize
}

/// Converts MiB to bytes, at most `most`.
const fn mib(count: u16, most: u64) -> u64 {
    let bytes = (count as u64) << 20;
    if bytes < most { bytes } else { most }
}

// The largest number of MiB is more bytes than 32 bits can count.
const _: () =
    assert!(mib(4_096, u32::MAX as u64) == u32::MAX as u64 && mib(u16::MAX, u32::MAX as u64) == u32::MAX as u64);
