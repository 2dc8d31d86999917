//! `rt_dmam_alloc`, `rt_dmam_free`, and what `rt_dma_free` does in place of its own code once a buffer is managed.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::device::managed::{ManagedClaim, Selection};
use crate::additions::device::resource::{Arguments, ResourceKind};
use crate::ffi::additions::device::forget_earlier_device;
use crate::ffi::additions::device::managed::reserve;
use crate::ffi::additions::device::operations::{FreeOps, free_ops_or_choose};
use crate::ffi::additions::{return_buffer, with_handle};
use crate::ffi::dropin::request::{FreeReplacement, MANAGED_FREE, rt_dma_alloc};
use crate::ffi::{DEVICES, DMA, c_device, device_at, pointer};
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Va};
use crate::text::text;

/// @brief Allocates a buffer as `rt_dma_alloc` does, and makes it managed: `rt_dmam_release` frees it.
///
/// A driver may also free it by `rt_dma_free`. After that it is not managed any more. From the first managed buffer on,
/// each `rt_dma_free` checks whether it frees a managed one.
///
/// @code{.c}
/// static rt_err_t probe(struct rt_device *dev)
/// {
///     rt_ubase_t handle;
///     struct ring *ring = rt_dmam_alloc(dev, sizeof(*ring), &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
///
///     return ring ? start(ring, handle) : -RT_ENOMEM;
/// }
///
/// static void remove(struct rt_device *dev)
/// {
///     stop(dev);
///     rt_dmam_release(dev);
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
/// @param[in] flags As for `rt_dma_alloc`.
/// @return The buffer; NULL where `rt_dma_alloc` returns NULL, and if the heap has no room for the bookkeeping.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_alloc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes a `dev` that is null or points to a device; the handle may be written.
    let allocate = |handle: &mut Handle| unsafe { rt_dma_alloc(dev, size, handle, flags) };
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { manage_buffer(dev, size, dma_handle, flags, allocate) }
}

/// Allocates a buffer by `allocate`, which sets its handle, and makes it managed.
///
/// # Safety
/// `dma_handle` is null, or may be written. `allocate` returns null or a buffer that `rt_dma_free` frees with `size`
/// and `flags`.
pub(in crate::ffi) unsafe fn manage_buffer(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
    allocate: impl FnOnce(&mut usize) -> *mut c_void,
) -> *mut c_void {
    // The place is reserved first, so that nothing can fail once the buffer is allocated.
    let reservation = if size == 0 { None } else { device_at(dev).and_then(reserve) };
    let buffer = reservation.and_then(|reservation| {
        let (va, handle) = with_handle(allocate)?;
        MANAGED_FREE.set(&(free_and_unmanage as FreeReplacement));
        // SAFETY: the buffer is the device's. The call that frees it takes the resource out of the list first, or
        // claims it. The driver does not use it after `rt_dmam_release`.
        unsafe { reservation.manage(ResourceKind::Buffer, free_buffer, [va, size, handle, flags]) };
        Some((va, handle))
    });
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// @brief Frees a buffer of `rt_dmam_alloc` before `rt_dmam_release` would.
///
/// A call for a buffer that is not a managed buffer of the device (any more) is logged and counted. A call outside of a
/// thread is counted only. Both change nothing.
///
/// @param[in] dev The device. With NULL the call does nothing.
/// @param[in] size The size that was allocated, in bytes. With 0 the call does nothing.
/// @param[in] cpu_addr The buffer. With NULL the call does nothing.
/// @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_free(
    dev: *mut rt_device,
    size: rt_size_t,
    cpu_addr: *mut c_void,
    dma_handle: rt_ubase_t,
) {
    let Some(device) = device_at(dev) else { return };
    if size == 0 || cpu_addr.is_null() {
        return;
    }
    // This may be the first call of a new device, which has no buffer of an earlier one at its address.
    forget_earlier_device(device);
    let va = cpu_addr.expose_provenance();
    let is_wanted = |arguments: &Arguments| {
        let [managed_va, managed_size, managed_handle, _] = *arguments;
        managed_va == va && managed_size == size && (dma_handle == 0 || dma_handle == managed_handle)
    };
    match DEVICES.unmanage(device, ResourceKind::Buffer, Selection::Newest, is_wanted) {
        // SAFETY: the buffer has left the list, so no other call frees it. The caller guarantees that the device
        // exists, and that the buffer is not used any more.
        Some(arguments) => unsafe { free_buffer(device, arguments) },
        None => {
            let text = text!("managed free of 0x%lx (handle 0x%lx, %lu bytes): not its buffer", va, dma_handle, size);
            DMA.refuse_line(&DMA.line_about(device, text));
        }
    }
}

/// Frees a managed buffer.
///
/// # Safety
/// As for [`ReleaseFunction`](crate::additions::device::resource::ReleaseFunction).
unsafe fn free_buffer(device: Device, arguments: Arguments) {
    let [va, size, handle, flags] = arguments;
    // SAFETY: the caller guarantees that the device exists, and that the buffer is its own and is not used any more.
    unsafe { free_by_operations(device, size, va, handle, flags) };
}

/// Does what `rt_dma_free` does. If the buffer is managed, by any device, also removes it from the managed resources.
///
/// # Safety
/// See [the module](crate::ffi).
unsafe fn free_and_unmanage(dev: *mut rt_device, size: usize, cpu_addr: *mut c_void, dma_handle: usize, flags: usize) {
    let Some(device) = device_at(dev) else { return };
    let va = cpu_addr.expose_provenance();
    let claim = claim_managed(va, dma_handle, flags);
    // SAFETY: the caller passes a `dev` that points to a device.
    let is_given_back = unsafe { free_by_operations(device, size, va, dma_handle, flags) };
    if let Some(claim) = claim {
        DEVICES.end_claim(claim, is_given_back);
    }
}

/// Claims the managed buffer that a plain free at this address is about, if there is one. The physical address of an
/// unmapped buffer may also be the address of a mapped one:
///
/// 1. The buffer is the managed one at this address whose NOMAP flag is that of the call.
/// 2. If there is none, the driver passed a wrong flag, or its buffer is not managed. The handle then decides: a buffer
///    that is not managed has another handle than a managed one. With handle 0 the two cannot be distinguished, and the
///    managed one is assumed.
fn claim_managed(va: Va, handle: Handle, flags: usize) -> Option<ManagedClaim> {
    let is_nomap = |flags| Flags::from_bits_retain(flags).contains(Flags::NOMAP);
    let by_flag = |_, &[.., managed_flags]: &Arguments| is_nomap(managed_flags) == is_nomap(flags);
    let by_handle = |_, &[_, _, managed_handle, _]: &Arguments| handle == 0 || handle == managed_handle;
    DEVICES.claim(ResourceKind::Buffer, va, by_flag).or_else(|| DEVICES.claim(ResourceKind::Buffer, va, by_handle))
}

/// Frees a buffer by the device's own operations. Returns false if they refuse, which an operation of the BSP's own
/// cannot report, and if they cannot be chosen now.
///
/// # Safety
/// As `rt_dma_free`.
unsafe fn free_by_operations(device: Device, size: usize, va: Va, handle: Handle, flags: usize) -> bool {
    match free_ops_or_choose(device) {
        Err(_) => false,
        Ok(FreeOps::Library(ops)) => DMA.free(device, size, va, handle, Flags::from_bits_retain(flags), ops).is_ok(),
        Ok(FreeOps::Bsp(operation)) => {
            // SAFETY: an operation of the device's table takes what this function takes.
            unsafe { operation(c_device(device), size, pointer(va), handle, flags) };
            true
        }
    }
}
