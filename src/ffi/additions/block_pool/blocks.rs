//! Blocks: `rt_dma_block_pool_alloc`, `_zalloc`, `_free`.

use core::ffi::c_void;

use super::{DevicePages, pool_of, rt_dma_block_pool};
use crate::abi::rt_ubase_t;
use crate::additions::block_pool::{Block, BlockPool};
use crate::ffi::{pointer, write_if};
use crate::kernel::rtthread::RtThread;
use crate::mem::device_memory::DeviceMemory;

/// @brief Allocates a block. Its contents are undefined.
///
/// A block is memory as `rt_dma_alloc_coherent` returns it. Where that is Device memory (aarch64), only aligned
/// accesses are allowed, and neither `memset` nor `memcpy`. A block of `rt_dma_block_pool_create_linux` is Normal
/// memory, without these limits.
///
/// While a block is free, the time of the call does not depend on the number of blocks. The call does not touch their
/// memory.
///
/// @param[in] pool The pool.
/// @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
/// @return The block; NULL if `pool` is NULL or there is no memory.
/// @note Context: any. If no block is free, the pool needs more pages. A thread gets them; elsewhere the call returns
/// NULL, unless the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_alloc(
    pool: *mut rt_dma_block_pool,
    dma_handle: *mut rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes null or a pool that exists.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return core::ptr::null_mut() };
    let core = pool.core();
    match pool.allocate_from_core(core) {
        // SAFETY: the caller passes a `dma_handle` that is null or may be written.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        // SAFETY: the caller passes a `dma_handle` that is null or may be written.
        None => unsafe { alloc_general(pool, dma_handle, core) },
    }
}

/// Allocates a block when the core's current group has none. A function of its own, because `rt_dma_block_pool_alloc`
/// would else need a stack frame: 11 instructions of each call.
///
/// # Safety
/// `dma_handle` is null, or may be written.
#[cold]
#[inline(never)]
unsafe fn alloc_general(pool: &BlockPool<RtThread, DevicePages>, dma_handle: *mut usize, core: usize) -> *mut c_void {
    match pool.allocate_general(core) {
        // SAFETY: the caller passes a `dma_handle` that is null or may be written.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        None => core::ptr::null_mut(),
    }
}

/// Writes a block's handle and returns its address.
///
/// # Safety
/// `dma_handle` is null, or may be written.
unsafe fn hand_out(block: Block, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, block.handle) };
    pointer(block.va)
}

/// @brief Allocates a block and fills it with zeros.
///
/// Works as `rt_dma_block_pool_alloc`. The block is cleared by aligned stores of words, which Device memory allows.
///
/// @param[in] pool The pool.
/// @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
/// @return The block; NULL if `pool` is NULL or there is no memory.
/// @note Context: any. If no block is free, the pool needs more pages: a thread gets them; elsewhere the call returns
/// NULL, unless the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_zalloc(
    pool: *mut rt_dma_block_pool,
    dma_handle: *mut rt_ubase_t,
) -> *mut c_void {
    // SAFETY: the caller passes null or a pool that exists.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return core::ptr::null_mut() };
    let Some(block) = pool.allocate() else { return core::ptr::null_mut() };
    // SAFETY: the block is mapped, and this call owns it until it returns it.
    unsafe { DeviceMemory::new(RtThread, block.va, pool.block_size()) }.zero();
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { hand_out(block, dma_handle) }
}

/// @brief Frees a block.
///
/// A wrong call is counted, logged where the caller may sleep, and changes nothing: an address that is not the
/// beginning of a block of this pool, a handle that is not the block's, a second free.
///
/// The time of the call does not depend on the number of blocks, unless the call refills the reserve of a pool that
/// keeps one.
///
/// @param[in] pool The pool. With NULL the call does nothing.
/// @param[in] block The block. With NULL the call does nothing.
/// @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_free(
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    dma_handle: rt_ubase_t,
) {
    // SAFETY: the caller passes null or a pool that exists.
    if let Some(pool) = unsafe { pool_of(pool) } {
        // `free` counts and logs a wrong call; the C function has no result.
        let _ = pool.free(block.expose_provenance(), dma_handle);
    }
}
