//! Block pools and their blocks.

use core::ffi::{c_int, c_void};

use super::free_check::{FreeCheck, check_before_free, report_if_refused};
use super::{WATCH, checked_after, checked_before, rt_dma_watch_call};
use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::block_pool::BlockPool;
use crate::additions::debug::{DebugEntry, FreedBy, FreedMemory, Kind};
use crate::ffi::additions::block_pool::{POOLS, pool_of, rt_dma_block_pool};
use crate::ffi::{DMA, c_device};
use crate::kernel::Threads;

/// @brief Records a block pool.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] pool The pool.
/// @param[in] size Bytes in a block.
/// @param[in] is_managed 1 if `rt_dmam_release` destroys it.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_created(
    call: Option<&rt_dma_watch_call>,
    pool: *mut rt_dma_block_pool,
    size: rt_size_t,
    is_managed: c_int,
) {
    let Some(call) = checked_after(call) else { return };
    let (va, is_managed) = (pool.expose_provenance(), is_managed != 0);
    WATCH.record_allocation(&call, DebugEntry { kind: Kind::NEW_POOL, va, size, is_managed, ..DebugEntry::NONE });
}

/// @brief Notes that a block pool is about to be destroyed.
///
/// @param[in] pool The pool.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_destroying(pool: *mut rt_dma_block_pool) {
    WATCH.note_destroy_begin(pool.expose_provenance());
}

/// @brief Forgets a block pool after the call that was to destroy it, unless the pool is still there, or a later one
/// has its address already.
///
/// @param[in] pool The pool.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_destroyed(pool: *mut rt_dma_block_pool) {
    // Only a thread can destroy a pool.
    let was_destroyed = DMA.kernel.can_sleep() && POOLS.device_of(pool.cast_const().cast()).is_none();
    WATCH.note_destroy_end(pool.expose_provenance(), was_destroyed);
}

/// @brief Returns the device of a block pool.
///
/// @param[in] pool The pool.
/// @return The device; null if the pool is not in the table.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_device(pool: *mut rt_dma_block_pool) -> *mut rt_device {
    WATCH.block_pool(pool.expose_provenance()).map_or(core::ptr::null_mut(), |entry| c_device(entry.device))
}

/// @brief Records a block.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] dma_handle The handle.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_allocated(
    call: Option<&rt_dma_watch_call>,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    dma_handle: rt_ubase_t,
) {
    let Some(call) = checked_after(call) else { return };
    let (va, pool) = (block.expose_provenance(), pool.expose_provenance());
    let size = WATCH.block_pool(pool).map_or(0, |entry| entry.size);
    WATCH.record_allocation(
        &call,
        DebugEntry { kind: Kind::Block { pool }, va, handle: dma_handle, size, ..DebugEntry::NONE },
    );
}

/// Returns how many frees a block pool has refused.
///
/// # Safety
/// The pool exists.
unsafe fn refused_calls_of(pool: *mut rt_dma_block_pool) -> usize {
    // SAFETY: the caller guarantees that the pool exists.
    unsafe { pool_of(pool) }.map_or(0, BlockPool::refused_calls)
}

/// @brief Checks the free of a block before it is done. A free of NULL does nothing, and is not checked.
///
/// @param[in] call The call, for the device of the pool; for no device if the pool is not in the table.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] dma_handle The handle.
/// @return What `rt_dma_watch_block_freed` takes.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_freeing(
    call: Option<&rt_dma_watch_call>,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    dma_handle: rt_ubase_t,
) -> rt_size_t {
    if block.is_null() {
        return FreeCheck::DONE.0;
    }
    let Some(call) = checked_before(call) else { return FreeCheck::DONE.0 };
    let by = FreedBy::BlockFree { pool: pool.expose_provenance() };
    let freed = FreedMemory { by, va: block.expose_provenance(), size: 0, handle: dma_handle };
    // SAFETY: `checked_before` returned a call, so the call has a device, so the pool is in the table.
    check_before_free(&call, &freed, unsafe { refused_calls_of(pool) }).0
}

/// @brief Checks whether the free of a block that the table does not have was refused.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] check The result of the check before the free.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_freed(
    call: Option<&rt_dma_watch_call>,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    check: rt_size_t,
) {
    let check = FreeCheck(check);
    if check != FreeCheck::DONE {
        // SAFETY: the pool was in the table before the free, and the driver does not destroy it meanwhile.
        report_if_refused(call, block, 0, check, unsafe { refused_calls_of(pool) });
    }
}
