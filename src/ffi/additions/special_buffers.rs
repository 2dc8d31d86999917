//! `rt_dma_zalloc`, `rt_dma_wc_flags`, `rt_dma_alloc_wc`, `rt_dma_alloc_aligned`.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::dropin::buffer_request::BufferRequest;
use crate::ffi::additions::device::masks::masks_of;
use crate::ffi::additions::device::operations::allocating_ops_of;
use crate::ffi::additions::{return_buffer, with_handle};
use crate::ffi::dropin::request::{rt_dma_alloc, rt_dma_free};
use crate::ffi::{DMA, c_device, device_at, pointer};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Cache, Device, Handle, Va};
use crate::mem::device_memory::DeviceMemory;

/// @brief Allocates a buffer and fills it with zeros.
///
/// Works as `rt_dma_alloc`. A cached buffer is flushed, so that the device sees the zeros whatever the memory type is.
///
/// @code{.c}
/// rt_ubase_t handle;
/// struct request *request = rt_dma_zalloc(dev, sizeof(*request), &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
///
/// if (!request)
/// {
///     return -RT_ENOMEM;
/// }
/// start_and_wait(handle);
/// rt_dma_free(dev, sizeof(*request), request, handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @param[in] flags As for `rt_dma_alloc`; `rt_dma_free` takes the same flags.
/// @return The buffer; NULL where `rt_dma_alloc` returns NULL, and for `RT_DMA_F_NOMAP`, because a buffer that is not
/// mapped cannot be cleared.
/// @note Context: thread first, then any. The time grows with `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_zalloc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    if Flags::from_bits_retain(flags).contains(Flags::NOMAP) {
        return core::ptr::null_mut();
    }
    // SAFETY: the caller passes a `dev` that is null or points to a device; the handle may be written.
    let buffer = with_handle(|handle| unsafe { rt_dma_alloc(dev, size, handle, flags) });
    if let Some((va, _)) = buffer {
        // SAFETY: the buffer was allocated just now, without NOMAP.
        unsafe { clear(va, size, flags) };
    }
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// Fills a new buffer with zeros, so that the device sees them.
///
/// # Safety
/// The buffer's `size` bytes were allocated with `flags` just now, without NOMAP. So they are mapped, and the driver
/// does not know them yet.
pub(in crate::ffi) unsafe fn clear(va: Va, size: usize, flags: usize) {
    // SAFETY: the caller guarantees that the bytes are mapped, and that no other code uses them yet. The value is used
    // in this statement only.
    unsafe { DeviceMemory::new(RtThread, va, size) }.zero();
    if !Flags::from_bits_retain(flags).contains(Flags::NOCACHE) {
        // A pool of the device's own may be uncached although the flags lack NOCACHE. The flush has no effect then. The
        // device's operations are not called: non-coherent ones leave the cache alone, and those of a BSP may hold
        // something until a `sync_in`, which does not follow.
        DMA.kernel.cache_flush(va, size);
    }
}

/// @brief Returns the flags with which `rt_dma_alloc` gives a device write-combining memory.
///
/// Write-combining memory is coherent, but the processor may gather and reorder writes until the next barrier.
/// Unaligned accesses and `memset` are allowed.
///
/// On aarch64 the flag is `RT_DMA_F_WT`, which is Normal Non-cacheable memory there, like Linux's coherent memory. From
/// the device's own `memory-region`, a device that does not snoop the cache gets Device memory all the same, for
/// aligned accesses only, and without `memset`. On other architectures, for a device that the BSP's own operations
/// serve, and for a NULL `dev`, the flags are those of `rt_dma_alloc_coherent`: `RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR`.
///
/// @param[in] dev The device.
/// @return The flags. They stay the same once the device's operations are chosen. For a device with a device-tree node,
/// the first call in a thread chooses them, and an earlier one in an interrupt returns the flags of
/// `rt_dma_alloc_coherent`.
/// @note Context: thread first, then any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_wc_flags(dev: *mut rt_device) -> rt_ubase_t {
    let allocates_here = device_at(dev).and_then(allocating_ops_of).is_some();
    let flags = if allocates_here { Flags::WRITE_COMBINING } else { Flags::COHERENT };
    flags.bits()
}

/// @brief Allocates a write-combining buffer and fills it with zeros.
///
/// Use it for memory that is written in long runs and seldom read, for example a frame buffer. Works as `rt_dma_zalloc`
/// with the flags of `rt_dma_wc_flags`; `rt_dma_free` takes these flags.
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @return The buffer; NULL where `rt_dma_zalloc` with these flags returns NULL.
/// @note Context: thread first, then any. The time grows with `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc_wc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and a `dma_handle` that is null or may be
    // written.
    unsafe { rt_dma_zalloc(dev, size, dma_handle, rt_dma_wc_flags(dev)) }
}

/// @brief Allocates a buffer whose address for the device is a multiple of `align` bytes.
///
/// The library allocates it at the lowest such address in the first pool that serves the request; the BSP's own
/// operation may allocate it anywhere. `rt_dma_free` frees it with the same size and flags. (If the bus translates
/// addresses by an offset that is no multiple of a page, no buffer is aligned: its address differs from a multiple of
/// `align` by less than a page.)
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[in] align A power of two, in bytes. Up to a page it has no effect, because every buffer is aligned to a page.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @param[in] flags As for `rt_dma_alloc`.
/// @return The buffer; NULL where `rt_dma_alloc` returns NULL, if `align` is not a power of two, if no pool has such a
/// buffer, and if the BSP's own operation allocates for the device and returns a handle that is not so aligned.
/// @note Context: thread first, then any. The time grows with the number of free runs that are too short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc_aligned(
    dev: *mut rt_device,
    size: rt_size_t,
    align: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    let buffer = match device_at(dev) {
        Some(device) if align.is_power_of_two() => allocate_aligned(device, size, align, flags),
        _ => None,
    };
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// Returns the request for a buffer within the device's coherent mask; `None` unless the library allocates for the
/// device.
pub(in crate::ffi) fn aligned_request(
    device: Device,
    size: usize,
    align: usize,
    flags: usize,
) -> Option<BufferRequest> {
    let ops = allocating_ops_of(device)?;
    let (mask, flags) = (masks_of(device).coherent, Flags::from_bits_retain(flags));
    Some(BufferRequest { ops, device, size, flags, mask, align })
}

/// Allocates a buffer whose handle is a multiple of `align`, a power of two. Returns the buffer and its handle.
fn allocate_aligned(device: Device, size: usize, align: usize, flags: usize) -> Option<(Va, Handle)> {
    if let Some(request) = aligned_request(device, size, align, flags) {
        return DMA.allocate_in_order(&request).ok();
    }
    let dev = c_device(device);
    // SAFETY: the device exists, because the caller of the C function passed it; the handle may be written.
    let (va, handle) = with_handle(|handle| unsafe { rt_dma_alloc(dev, size, handle, flags) })?;
    if !handle.is_multiple_of(align) {
        // SAFETY: as above. The buffer was allocated just now, with this size and these flags.
        unsafe { rt_dma_free(dev, size, pointer(va), handle, flags) };
        return None;
    }
    Some((va, handle))
}
