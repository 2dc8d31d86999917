//! Buffers, block pools and their blocks.

use core::ffi::{c_int, c_void};

use super::{WATCH, after, before, rt_dma_watch_call};
use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::block_pool::BlockPool;
use crate::additions::debug::{Call, FreedBy, FreedMemory, Holding, Kind};
use crate::ffi::additions::block_pool::{device_of, pool_of, rt_dma_block_pool};
use crate::ffi::additions::device::operations::{FreeOps, free_ops_of};
use crate::ffi::{DMA, c_device};
use crate::flags::Flags;
use crate::kernel::Threads;

/// @brief Records a buffer.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes that the driver asked for.
/// @param[in] dma_handle The handle.
/// @param[in] flags The flags.
/// @param[in] is_managed 1 if `rt_dmam_release` frees it.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_allocated(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
    is_managed: c_int,
) {
    let kind = Kind::Buffer { flags: Flags::from_bits_retain(flags) };
    let (va, is_managed) = (cpu_addr.expose_provenance(), is_managed != 0);
    let Some(call) = after(call) else { return };
    WATCH.allocated(&call, Holding { kind, va, handle: dma_handle, size, is_managed, ..Holding::NONE });
}

/// @brief Checks a free before it is done. A free of NULL or of 0 bytes does nothing, and is not checked.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] dma_handle The handle.
/// @param[in] is_managed 1 if the call is for managed buffers.
/// @return What `rt_dma_watch_freed` takes.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freeing(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    is_managed: c_int,
) -> rt_size_t {
    if cpu_addr.is_null() || size == 0 {
        return 0;
    }
    let by = if is_managed != 0 { FreedBy::ManagedFree } else { FreedBy::Free };
    let freed = FreedMemory { by, va: cpu_addr.expose_provenance(), size, handle: dma_handle };
    let Some(call) = before(call) else { return 0 };
    check_free(&call, &freed, DMA.refused_calls())
}

/// Checks a free. Returns 0 if the table has what is freed; else one more than `refused_calls`, the number of calls
/// that were refused before.
fn check_free(call: &Call, freed: &FreedMemory, refused_calls: usize) -> usize {
    // Before `free_ops_of`, which chooses the operations of a new device.
    WATCH.note_call(call);
    // `freeing` needs the operations for a plain free only, and none if the BSP frees.
    let ops = match freed.by {
        FreedBy::Free => match free_ops_of(call.device) {
            FreeOps::Library(ops) => Some(ops),
            FreeOps::Bsp(_) => None,
        },
        _ => None,
    };
    if WATCH.freeing(&DMA, call, freed, ops) { 0 } else { refused_calls.wrapping_add(1) }
}

/// Reports the free of memory that the table does not have if it was refused. `refused` is the result of the check
/// before the free, `refused_calls` the number of calls that have been refused now.
fn check_freed(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: usize,
    refused: usize,
    refused_calls: usize,
) {
    if refused != 0
        && refused_calls.wrapping_add(1) != refused
        && let Some(call) = after(call)
    {
        WATCH.free_refused(&call, cpu_addr.expose_provenance(), size);
    }
}

/// @brief Checks whether a free of memory that the table does not have was refused.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] refused The result of the check before the free.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freed(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    refused: rt_size_t,
) {
    check_freed(call, cpu_addr, size, refused, DMA.refused_calls());
}

/// @brief Records a block pool.
///
/// @param[in] call The call.
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
    let (va, is_managed) = (pool.expose_provenance(), is_managed != 0);
    let kind = Kind::NEW_POOL;
    let Some(call) = after(call) else { return };
    WATCH.allocated(&call, Holding { kind, va, size, is_managed, ..Holding::NONE });
}

/// @brief Notes that a block pool is about to be destroyed.
///
/// @param[in] pool The pool.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_destroying(pool: *mut rt_dma_block_pool) {
    WATCH.destroying(pool.expose_provenance());
}

/// @brief Forgets a block pool after the call that was to destroy it, unless the pool is still there, or a later one
/// has its address already.
///
/// @param[in] pool The pool.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_destroyed(pool: *mut rt_dma_block_pool) {
    // Only a thread can destroy a pool.
    let is_gone = DMA.kernel.can_sleep() && device_of(pool).is_none();
    WATCH.destroyed(pool.expose_provenance(), is_gone);
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
/// @param[in] call The call.
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
    let (va, pool) = (block.expose_provenance(), pool.expose_provenance());
    let size = WATCH.block_pool(pool).map_or(0, |entry| entry.size);
    let kind = Kind::Block { pool };
    let Some(call) = after(call) else { return };
    WATCH.allocated(&call, Holding { kind, va, handle: dma_handle, size, ..Holding::NONE });
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
        return 0;
    }
    let by = FreedBy::BlockFree { pool: pool.expose_provenance() };
    let freed = FreedMemory { by, va: block.expose_provenance(), size: 0, handle: dma_handle };
    let Some(call) = before(call) else { return 0 };
    // SAFETY: the pool is in the table.
    check_free(&call, &freed, unsafe { refused_calls_of(pool) })
}

/// @brief Checks whether the free of a block that the table does not have was refused.
///
/// @param[in] call The call.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] refused The result of the check before the free.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_freed(
    call: Option<&rt_dma_watch_call>,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    refused: rt_size_t,
) {
    if refused != 0 {
        // SAFETY: the pool was in the table before the free, and the driver does not destroy it meanwhile.
        check_freed(call, block, 0, refused, unsafe { refused_calls_of(pool) });
    }
}
