//! Coherent memory as Linux promises it: `rt_dma_zalloc_coherent`, `rt_dmam_zalloc_coherent`.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::ffi::additions::device::managed::buffers::manage_buffer;
use crate::ffi::additions::special_buffers::{aligned_request, clear, rt_dma_wc_flags};
use crate::ffi::additions::{return_buffer, with_handle};
use crate::ffi::dropin::request::rt_dma_alloc;
use crate::ffi::{DMA, device_at};
use crate::kernel::{Handle, PAGE_SIZE, Va};

/// @brief Allocates coherent memory and fills it with zeros, as Linux's `dma_alloc_coherent` does.
///
/// For the device, the memory is aligned to the smallest power of two of pages that holds `size` bytes. So a buffer of
/// up to 64 KiB never crosses a multiple of 64 KiB (Linux `Documentation/core-api/dma-api-howto.rst`). If no free place
/// has this alignment, the call fails for up to 1 MiB, and a larger buffer is aligned to 1 MiB, or else to a page. If
/// the BSP's own operation allocates the memory, that operation decides how it is aligned.
///
/// The memory type is that of `rt_dma_wc_flags`: Normal memory on aarch64, so that `memset` and unaligned accesses are
/// allowed. Memory of the device's own `memory-region` is Device memory there, if the device does not snoop the cache:
/// for aligned accesses only.
///
/// @code{.c}
/// rt_ubase_t handle;
/// struct ring *ring = rt_dma_zalloc_coherent(dev, sizeof(*ring), &handle);
///
/// if (ring)
/// {
///     start(ring, handle);
///     rt_dma_free(dev, sizeof(*ring), ring, handle, rt_dma_wc_flags(dev));
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @return The buffer. `rt_dma_free` frees it, with the flags of `rt_dma_wc_flags`. NULL where `rt_dma_alloc` with
/// these flags returns NULL, and if no free place has the alignment that a `size` of up to 1 MiB needs.
/// @note Context: thread first, then any. The time grows with `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_zalloc_coherent(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes a `dev` that is null or points to a device.
    let flags = unsafe { rt_dma_wc_flags(dev) };
    // SAFETY: the caller passes a `dev` that is null or points to a device.
    let buffer = unsafe { allocate(dev, size, flags) };
    if let Some((va, _)) = buffer {
        // SAFETY: it was allocated just now, without NOMAP.
        unsafe { clear(va, size, flags) };
    }
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// @brief Allocates memory as `rt_dma_zalloc_coherent` does, and makes it managed: `rt_dmam_release` frees it.
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @return The buffer, which `rt_dmam_free` frees earlier; NULL where `rt_dma_zalloc_coherent` returns NULL, and
/// without memory for the bookkeeping.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_zalloc_coherent(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes a `dev` that is null or points to a device.
    let flags = unsafe { rt_dma_wc_flags(dev) };
    // SAFETY: the caller passes a `dev` that is null or points to a device; the handle may be written.
    let allocate = |handle: &mut Handle| unsafe { rt_dma_zalloc_coherent(dev, size, handle) };
    // SAFETY: the caller passes a `dma_handle` that is null or may be written; `rt_dma_free` frees the buffer with
    // these flags.
    unsafe { manage_buffer(dev, size, dma_handle, flags, allocate) }
}

/// Allocates a buffer, which has the alignment of coherent memory if the library allocates for the device. Returns the
/// buffer and its handle.
///
/// # Safety
/// See [the module](crate::ffi).
unsafe fn allocate(dev: *mut rt_device, size: usize, flags: usize) -> Option<(Va, Handle)> {
    let on_any_page = || {
        // SAFETY: the caller passes a `dev` that is null or points to a device; the handle may be written.
        with_handle(|handle| unsafe { rt_dma_alloc(dev, size, handle, flags) })
    };
    match device_at(dev).and_then(|device| aligned_request(device, size, PAGE_SIZE, flags)) {
        Some(request) => DMA.allocate_coherent(&request, on_any_page),
        None => on_any_page(),
    }
}
