//! `rt_dmam_block_pool_create`, `rt_dmam_block_pool_destroy`.

use core::ffi::{c_char, c_void};

use crate::abi::{rt_device, rt_size_t};
use crate::additions::device::resource::{Arguments, ResourceKind};
use crate::ffi::additions::block_pool::{
    POOLS, destroy, rt_dma_block_pool, rt_dma_block_pool_create, rt_dma_block_pool_create_linux,
};
use crate::ffi::additions::device::managed::reserve;
use crate::ffi::{DEVICES, device_at, pointer};
use crate::kernel::Device;

/// @brief Creates a pool as `rt_dma_block_pool_create` does, and makes it managed: `rt_dmam_release` destroys it.
///
/// A driver may also destroy it by `rt_dma_block_pool_destroy`. After that it is not managed any more. If blocks are in
/// use when the device is released, the pool stays, and is not managed any more.
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block, not zero. Rounded up to a multiple of `align` and of `sizeof(rt_ubase_t)`. May be
/// more than a page.
/// @param[in] align Every block begins at a multiple of it, for the processor and for the device. A power of two up to
/// a page; 0 and 1 mean `sizeof(rt_ubase_t)`.
/// @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less
/// than the rounded size; 0 means no boundary.
/// @return The pool; NULL where `rt_dma_block_pool_create` returns NULL. Also NULL, without a line in the log, if the
/// heap has no room for the record that makes it managed. A call outside of a thread is counted only.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_block_pool_create(
    name: *const c_char,
    dev: *mut rt_device,
    size: rt_size_t,
    align: rt_size_t,
    boundary: rt_size_t,
) -> *mut rt_dma_block_pool {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and a `name` that is null or a C string.
    manage(dev, || unsafe { rt_dma_block_pool_create(name, dev, size, align, boundary) })
}

/// @brief Creates a pool as `rt_dma_block_pool_create_linux` does, and makes it managed as
/// `rt_dmam_block_pool_create` does.
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block: 1 to 2^31 - 1, on a 32-bit processor also when rounded up to pages. May be more
/// than a page.
/// @param[in] align Every block begins at a multiple of it for the device, and up to a page for the processor. A power
/// of two; 0 means 1.
/// @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less
/// than the rounded size; 0 means no boundary.
/// @return As for `rt_dmam_block_pool_create`.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_block_pool_create_linux(
    name: *const c_char,
    dev: *mut rt_device,
    size: rt_size_t,
    align: rt_size_t,
    boundary: rt_size_t,
) -> *mut rt_dma_block_pool {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and a `name` that is null or a C string.
    manage(dev, || unsafe { rt_dma_block_pool_create_linux(name, dev, size, align, boundary) })
}

/// Creates a pool, and makes it managed.
fn manage(dev: *mut rt_device, create: impl FnOnce() -> *mut rt_dma_block_pool) -> *mut rt_dma_block_pool {
    // Without a device, the creation refuses the call, and logs it.
    let Some(device) = device_at(dev) else { return create() };
    // The place is reserved first, so that nothing can fail once the pool is created.
    let Some(reservation) = reserve(device) else { return core::ptr::null_mut() };
    let pool = create();
    if !pool.is_null() {
        // SAFETY: the pool is new. The call that destroys it takes the resource out of the list before, or claims it.
        // The driver does not use it after `rt_dmam_release`.
        unsafe { reservation.manage(ResourceKind::BlockPool, release, [pool.expose_provenance(), 0, 0, 0]) };
    }
    pool
}

/// @brief Destroys a pool of `rt_dmam_block_pool_create` before `rt_dmam_release` would.
///
/// Pools of `rt_dmam_block_pool_create_linux` are managed, too.
///
/// While blocks are in use, the pool stays managed. The log gets a line with their number, and a line with the address
/// of each of the first eight. A call for a pool that is not managed (any more) is logged and counted. A call outside
/// of a thread is counted only. Both change nothing.
///
/// The call returns nothing, as Linux's `dmam_pool_destroy`. A driver that needs the result calls
/// `rt_dma_block_pool_destroy`, which takes managed pools too.
///
/// @param[in] pool The pool. With NULL the call does nothing.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dmam_block_pool_destroy(pool: *mut rt_dma_block_pool) {
    if pool.is_null() {
        return;
    }
    let Some(claim) = DEVICES.claim(ResourceKind::BlockPool, pool.expose_provenance(), |_, _| true) else {
        return POOLS.refuse_unmanaged(pool.cast_const().cast());
    };
    // SAFETY: the caller guarantees that no other call uses the pool.
    let result = unsafe { destroy(pool) };
    // A pool that was not destroyed stays managed, unless its device was released meanwhile.
    DEVICES.end_claim(claim, result.is_ok());
}

/// Destroys a managed block pool.
///
/// # Safety
/// As for [`ReleaseFunction`](crate::additions::device::resource::ReleaseFunction).
unsafe fn release(_device: Device, arguments: Arguments) {
    let [pool, ..] = arguments;
    let pool: *mut c_void = pointer(pool);
    // SAFETY: the caller guarantees that the driver does not use the pool any more. If blocks are in use, `destroy`
    // logs them, and refuses.
    let _ = unsafe { destroy(pool.cast()) };
}
