//! `rt_dma_alloc`, `rt_dma_free`.
//!
//! Two cases have functions of their own, so that the usual call has no stack frame: a device's first call; and a
//! caller that does not ask for the handle, where the device's table has an `alloc`.

use core::ffi::c_void;
use core::ptr::NonNull;

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::ffi::dropin::ops::{choose_table, stored_table};
use crate::ffi::{DMA, device_at, handle_out};
use crate::flags::Flags;
use crate::mem::hook::Hook;

/// An operation `alloc` in a table of map operations.
type AllocOperation = unsafe extern "C" fn(*mut rt_device, rt_size_t, *mut rt_ubase_t, rt_ubase_t) -> *mut c_void;

/// A function that does what `rt_dma_free` does, with the same arguments and duties. It does not call `rt_dma_free`,
/// which would only call it again.
pub(in crate::ffi) type FreeReplacement = unsafe fn(*mut rt_device, usize, *mut c_void, usize, usize);

/// The function that [`rt_dma_free`] calls in place of its own code after the first managed buffer was allocated. It
/// also handles a managed buffer that is freed in this way.
///
/// Without it, a managed buffer that `rt_dma_free` has freed would be freed again when its device is released, although
/// its pages may then belong to another device. The core calls it through this pointer, because a direct call would
/// link the managed buffers into every image. This costs 4 instructions for each free on aarch64.
pub(in crate::ffi) static MANAGED_FREE: Hook<FreeReplacement> = Hook::new();

/// @brief Allocates a buffer that the device can reach.
///
/// The buffer lies at the lowest address with enough free pages, in the first pool that serves the request. Its
/// contents are undefined.
///
/// @code{.c}
/// rt_ubase_t handle;
/// void *ring = rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
///
/// if (!ring)
/// {
///     return -RT_ENOMEM;
/// }
/// start_and_wait(handle);
/// rt_dma_free(dev, 4096, ring, handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] size Bytes to allocate, not zero. Rounded up to whole pages.
/// @param[out] dma_handle Receives the buffer's address for the device. May be NULL.
/// @param[in] flags 0, or `RT_DMA_F_*` combined by `|`. docs/driver-guide.md explains each.
/// @return The buffer's address for the processor; with `RT_DMA_F_NOMAP` its physical address. NULL if `dev` is NULL,
/// `size` is zero, no pool that serves the request has room, the kernel cannot map the free pages, or it is the
/// device's first call and its operations cannot be chosen now.
/// @note Context: thread first, then any. A thread is needed for a device's first call, and for a pool's first buffer
/// of a memory type (not cached; write-through; cached, if the pool is not mapped linearly), for which the whole pool
/// is mapped. If the pool is larger than the view limit, or the kernel has no room for that mapping, each such buffer
/// has a mapping of its own, and needs a thread. From an interrupt such a call returns NULL.
#[unsafe(no_mangle)]
// LLVM moves code that several functions have in common into separate functions, but not the code of a function with a
// `link_section`. The additional calls would cost 10 instructions for an allocation and its free on aarch64.
#[unsafe(link_section = ".text.rt_dma_alloc")]
pub unsafe extern "C" fn rt_dma_alloc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    if size == 0 {
        return core::ptr::null_mut();
    }
    let Some(device) = device_at(dev) else { return core::ptr::null_mut() };
    let Some(table) = stored_table(device) else {
        // SAFETY: the function demands what this one does.
        return unsafe { choose_then_alloc(dev, size, dma_handle, flags) };
    };
    match table.alloc {
        // The library's two tables without translation have null here. In a table of the BSP, null stands for the
        // operation of the default table, which is one of these two. They allocate and free alike, so none is chosen;
        // they sync differently, so a sync chooses one (`default_table`).
        None => {
            // SAFETY: the caller passes a `dma_handle` that is null or may be written.
            let handle = unsafe { handle_out(dma_handle) };
            let buffer = DMA.allocate_fast(device, size, handle, Flags::from_bits_retain(flags));
            buffer.map_or(core::ptr::null_mut(), NonNull::as_ptr)
        }
        // SAFETY: the caller passes a device, and a `dma_handle` that may be written. An operation demands no more.
        Some(alloc) if !dma_handle.is_null() => unsafe { alloc(dev, size, dma_handle, flags) },
        // SAFETY: the caller passes a device, whose operation `alloc` is.
        Some(alloc) => unsafe { alloc_without_handle(alloc, dev, size, flags) },
    }
}

/// Chooses the device's operations, then allocates. [`choose_table`] has stored a table, so `rt_dma_alloc` finds one
/// and does not call this again, unless other code takes the table away in between.
///
/// If both called a function that allocates by a table, each allocation would cost 5 to 7 more instructions on aarch64.
///
/// # Safety
/// See [the module](crate::ffi).
#[cold]
#[inline(never)]
unsafe fn choose_then_alloc(dev: *mut rt_device, size: usize, dma_handle: *mut usize, flags: usize) -> *mut c_void {
    if device_at(dev).is_none_or(|device| choose_table(device).is_err()) {
        return core::ptr::null_mut();
    }
    // SAFETY: the caller passes a `dev` that is null or points to a device, and a `dma_handle` that is null or may be
    // written.
    unsafe { rt_dma_alloc(dev, size, dma_handle, flags) }
}

/// Calls `alloc` for a caller that does not ask for the handle: a table of the BSP's need not expect a null one.
///
/// # Safety
/// See [the module](crate::ffi). `alloc` is the operation of the device's table.
#[inline(never)] // Inlined, its variable would give `rt_dma_alloc` a stack frame: 4 instructions a call on aarch64.
unsafe fn alloc_without_handle(alloc: AllocOperation, dev: *mut rt_device, size: usize, flags: usize) -> *mut c_void {
    let mut unasked = 0;
    // SAFETY: the caller passes a device and its operation; the handle is a local variable.
    unsafe { alloc(dev, size, &raw mut unasked, flags) }
}

/// @brief Frees a buffer of `rt_dma_alloc`.
///
/// A wrong call is logged and counted, and changes nothing: another number of pages, an address at which no buffer
/// begins, the handle of another buffer, a second free.
///
/// @param[in] dev The device. With NULL the call does nothing.
/// @param[in] size The size that was allocated, in bytes. With 0 the call does nothing.
/// @param[in] cpu_addr What `rt_dma_alloc` returned. With NULL the call does nothing.
/// @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it. On a bus that
/// translates addresses, the physical address is accepted too.
/// @param[in] flags Those of the allocation. The library's own operations read `RT_DMA_F_NOMAP` only.
/// @note Context: any. A buffer that has a mapping of its own (`rt_dma_alloc` states which) needs a thread: elsewhere
/// the call is refused and counted, and the buffer stays allocated. So is the first call for a device whose operations
/// cannot be chosen now: a device with a device-tree node needs a thread for that.
#[unsafe(no_mangle)]
// Keeps LLVM from moving parts of it into other functions: see `rt_dma_alloc`.
#[unsafe(link_section = ".text.rt_dma_free")]
pub unsafe extern "C" fn rt_dma_free(
    dev: *mut rt_device,
    size: rt_size_t,
    cpu_addr: *mut c_void,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) {
    if size == 0 || cpu_addr.is_null() {
        return;
    }
    if let Some(free) = MANAGED_FREE.get() {
        // SAFETY: the function demands what this one does.
        return unsafe { free(dev, size, cpu_addr, dma_handle, flags) };
    }
    let Some(device) = device_at(dev) else { return };
    let Some(table) = stored_table(device) else {
        // SAFETY: the function demands what this one does.
        return unsafe { choose_then_free(dev, size, cpu_addr, dma_handle, flags) };
    };
    match table.free {
        // Null stands for the operation of an untranslated table: see `rt_dma_alloc`.
        None => {
            let (va, flags) = (cpu_addr.expose_provenance(), Flags::from_bits_retain(flags));
            // The call has no result: a refusal is counted and logged where it is decided.
            let _ = DMA.free_fast(device, size, va, dma_handle, flags);
        }
        // SAFETY: the caller passes a device. An operation demands no more.
        Some(free) => unsafe { free(dev, size, cpu_addr, dma_handle, flags) },
    }
}

/// Chooses the device's operations, then frees, as [`choose_then_alloc`].
///
/// # Safety
/// See [the module](crate::ffi).
#[cold]
#[inline(never)]
unsafe fn choose_then_free(dev: *mut rt_device, size: usize, cpu_addr: *mut c_void, dma_handle: usize, flags: usize) {
    if device_at(dev).is_some_and(|device| choose_table(device).is_ok()) {
        // SAFETY: the caller passes a device.
        unsafe { rt_dma_free(dev, size, cpu_addr, dma_handle, flags) }
    }
}
