//! `rt_dma_alloc`, `rt_dma_free`, `rt_dma_sync_out_data`, `rt_dma_sync_in_data`.

use core::ffi::c_void;

use crate::abi::rt_device;
use crate::ffi::dropin::ops::{OWN, SYNC_IN, alloc_with, free_with, sync};
use crate::ffi::pointer;
use crate::mem::heap::AtomicRef;

/// Allocates a buffer that the device can reach.
///
/// `size` is in bytes, and is rounded up to whole pages. `dma_handle` takes the address for the device; it may be null.
/// `flags` are `RT_DMA_F_*`. Returns the address for the processor (with `RT_DMA_F_NOMAP` the physical address), or null
/// if `dev` is null, `size` is zero, or no pool that serves the request has room.
///
/// Any context, but a thread for a device's first call, and for a pool's first buffer of a memory type (not cached,
/// write-through); from an interrupt such a call returns null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { alloc_with(dev, size, dma_handle, flags, OWN) }
}

/// Gives a buffer back.
///
/// `size`, `cpu_addr` and `dma_handle` are those of its `rt_dma_alloc`; a zero `dma_handle` says that the caller did not
/// ask for it. What does not fit (another size, an address that was not handed out, a second free) is logged and
/// counted, and changes nothing. Null `dev` or `cpu_addr`, or zero `size`, does nothing.
///
/// Any context, but a thread for a buffer that has a mapping of its own (one of a pool beyond the view limit).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_free(
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    match MANAGED.get() {
        // SAFETY: the caller's promise.
        None => unsafe { free_with(dev, size, cpu_addr, dma_handle, flags, OWN) },
        // SAFETY: the same.
        Some(managed) => unsafe { (managed.free)(dev, size, cpu_addr, dma_handle, flags) },
    }
}

/// What stands in for [`rt_dma_free`] from the first managed buffer on, and finds out whether it frees one.
///
/// Without this a managed buffer that is freed by `rt_dma_free` would be freed again when its device is released, when its
/// pages may be another device's. The core cannot ask for it by name: that would link managed buffers into every image.
/// It costs a free 4 instructions on aarch64.
pub(in crate::ffi) static MANAGED: AtomicRef<ManagedFree> = AtomicRef::new();

/// See [`MANAGED`].
pub(in crate::ffi) struct ManagedFree {
    /// Does what `rt_dma_free` does, with the same arguments and duties.
    pub free: unsafe fn(*mut rt_device, usize, *mut c_void, usize, usize),
}

/// Makes what the processor wrote to `[data, data + size)` visible to the device.
///
/// `dma_handle` takes the address for the device; it may be null. Returns `RT_EOK`; `-RT_EINVAL` if `dev` or `data` is
/// null, `size` is zero, or nothing is mapped at `data`; `-RT_ERROR` if the device cannot reach it.
///
/// Any context, but a thread for a device's first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_out_data(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sync(dev, data, size, dma_handle, flags, OWN) }
}

/// Makes what the device wrote to `[out_data, out_data + size)` visible to the processor.
///
/// Bytes that share a cache line with the buffer's ends are kept. Returns `RT_EOK`; `-RT_EINVAL` if `dev` or `out_data`
/// is null, `size` is zero, or nothing is mapped at `out_data`.
///
/// Any context, but a thread for a device's first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_in_data(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sync(dev, out_data, size, pointer(dma_handle).cast(), flags, OWN | SYNC_IN) }
}
