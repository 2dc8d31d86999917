//! Pools: `rt_dma_block_pool_create` and `_create_linux`, `_fill`, `_trim`, `_destroy`, `list_dma_block_pool`.

use core::ffi::{c_char, c_int};

use super::{DevicePages, POOLS, pool_of, rt_dma_block_pool};
use crate::abi::{rt_device, rt_err_t, rt_size_t};
use crate::additions::block_pool::pools::{BlockPoolSpec, CreateError, DestroyError};
use crate::additions::block_pool::{BlockPool, PoolName};
use crate::additions::device::resource::ResourceKind;
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, device_at};
use crate::kernel::Threads;
use crate::kernel::rtthread::RtThread;

/// Copies a C string as a pool's name; a null pointer gives `<anon>`.
///
/// # Safety
/// `name` is null or points to a string that ends with a zero byte.
unsafe fn name_of(name: *const c_char) -> PoolName {
    if name.is_null() {
        return PoolName::new(*b"<anon>");
    }
    let bytes = name.cast::<u8>();
    // SAFETY: `take_while` stops at the final zero byte, so that only bytes of the string are read.
    PoolName::new((0..).map(|at| unsafe { *bytes.add(at) }).take_while(|byte| *byte != 0))
}

/// @brief Creates a pool of small blocks of one size, in coherent memory of a device.
///
/// The pool gets pages by the device's `rt_dma_alloc` when blocks are asked for. The arguments have the meaning that
/// they have in Linux's `dma_pool_create` (Documentation/core-api/dma-api.rst). `rt_dma_block_pool_create_linux` lists
/// where Linux's pools differ.
///
/// @code{.c}
/// struct rt_dma_block_pool *pool = rt_dma_block_pool_create("descriptors", dev, sizeof(struct descriptor), 16, 0);
/// rt_ubase_t handle;
/// struct descriptor *descriptor = rt_dma_block_pool_zalloc(pool, &handle);
///
/// if (descriptor)
/// {
///     start_and_wait(handle);
///     rt_dma_block_pool_free(pool, descriptor, handle);
/// }
/// rt_dma_block_pool_destroy(pool);
/// @endcode
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block, not zero. Rounded up to a multiple of `align` and of `sizeof(rt_ubase_t)`. May be
/// more than a page.
/// @param[in] align Every block begins at a multiple of it, for the processor and for the device. A power of two up to
/// a page; 0 and 1 mean `sizeof(rt_ubase_t)`.
/// @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less
/// than the rounded size; 0 means no boundary.
/// @return The pool; NULL if `dev` is NULL, if a number is out of its range, if the heap has no room for the
/// bookkeeping, and where the caller may not sleep. In a thread, a line in the log gives the reason.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_create(
    name: *const c_char,
    dev: *mut rt_device,
    size: rt_size_t,
    align: rt_size_t,
    boundary: rt_size_t,
) -> *mut rt_dma_block_pool {
    // SAFETY: the caller passes a C string or null.
    let spec = unsafe { spec_of(name, dev, size, align, boundary) };
    pointer_to(POOLS.create(&spec))
}

/// @brief Creates a pool of small blocks that behaves as one of Linux's `dma_pool_create`.
///
/// It differs from a pool of `rt_dma_block_pool_create` in this:
/// - The blocks have the memory type of `rt_dma_alloc_wc`: Normal memory on aarch64, so that `memset` and unaligned
///   accesses are allowed, except for blocks in the device's own `memory-region` (`rt_dma_wc_flags`).
/// - A `size` of less than 16 is raised to 16. Then it is rounded up to a multiple of `align` only, so that a page
///   holds as many blocks as on Linux.
/// - `align` may be more than a page.
/// - The pool keeps a reserve: a few free blocks, and bookkeeping for more memory. So an interrupt gets blocks even if
///   the pool is empty or was never used. `rt_dma_block_pool_fill` makes more blocks ready.
///
/// Calls in threads refill the reserve after their own work. A refill takes free memory only: it asks no borrower
/// (`rt_dma_borrow`), and if there is no free memory, that does not count as a failed request.
///
/// All other functions take both kinds of pools.
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block: 1 to 2^31 - 1, on a 32-bit processor also when rounded up to pages. May be more
/// than a page.
/// @param[in] align Every block begins at a multiple of it for the device, and up to a page for the processor. A power
/// of two; 0 means 1.
/// @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less
/// than the rounded size; 0 means no boundary.
/// @return As for `rt_dma_block_pool_create`. The call succeeds even if there is no DMA memory yet.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_create_linux(
    name: *const c_char,
    dev: *mut rt_device,
    size: rt_size_t,
    align: rt_size_t,
    boundary: rt_size_t,
) -> *mut rt_dma_block_pool {
    // SAFETY: the caller passes a C string or null.
    let spec = unsafe { spec_of(name, dev, size, align, boundary) };
    pointer_to(POOLS.create_linux(&spec, DevicePages::WriteCombining))
}

/// Returns what a creation was called with.
///
/// # Safety
/// `name` is null or points to a string that ends with a zero byte.
unsafe fn spec_of(
    name: *const c_char,
    dev: *mut rt_device,
    size: usize,
    align: usize,
    boundary: usize,
) -> BlockPoolSpec {
    // SAFETY: the caller passes a `name` that is null or points to a C string.
    BlockPoolSpec { name: unsafe { name_of(name) }, device: device_at(dev), size, align, boundary }
}

/// Returns a pool that was created, as a pointer for C; null if there is none.
fn pointer_to(created: Result<&'static BlockPool<RtThread, DevicePages>, CreateError>) -> *mut rt_dma_block_pool {
    created.map_or(core::ptr::null_mut(), |pool| core::ptr::from_ref(pool).cast_mut().cast())
}

/// @brief Makes sure that blocks are free, for an interrupt that will allocate them.
///
/// The pool gets pages until at least `count` blocks are free. `rt_dma_block_pool_trim` frees these pages, too.
///
/// If borrowers (`rt_dma_borrow`) do not give back the memory of a page within 100 ticks, the call does not ask them
/// again, and uses what is free.
///
/// @param[in] pool The pool.
/// @param[in] count The number of blocks that are to be free.
/// @retval RT_EOK At least `count` blocks are free.
/// @retval -RT_EINVAL `pool` is NULL.
/// @retval -RT_ENOMEM There is no memory for `count` free blocks. The call frees the pages that it has added, except
/// those of which another call has allocated a block, and those that it had added before another fill of the pool
/// succeeded.
/// @retval -RT_EBUSY The caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_fill(pool: *mut rt_dma_block_pool, count: rt_size_t) -> rt_err_t {
    let errors = errors();
    // SAFETY: the caller passes null or a pool that exists.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return errors.inval };
    if pool.fill(count) {
        errors.ok
    } else if DMA.kernel.can_sleep() {
        errors.nomem
    } else {
        errors.busy
    }
}

/// @brief Frees the pages on which no block is in use.
///
/// After it, an allocation may need a new page. An interrupt gets one only for a pool that keeps a reserve
/// (`rt_dma_block_pool_create_linux`). The free blocks of that reserve are freed, too.
///
/// @param[in] pool The pool.
/// @return The number of pages that were freed; 0 if `pool` is NULL, and where the caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_trim(pool: *mut rt_dma_block_pool) -> rt_size_t {
    // SAFETY: the caller passes null or a pool that exists.
    unsafe { pool_of(pool) }.map_or(0, BlockPool::trim)
}

/// @brief Destroys a pool, and frees its pages.
///
/// While blocks are in use, the pool stays and works as before. The log gets a line with their number, and a line with
/// the address of each of the first eight.
///
/// No other call may use the pool at the same time.
///
/// @param[in] pool The pool.
/// @retval RT_EOK The pool is destroyed.
/// @retval -RT_EBUSY Blocks are in use.
/// @retval -RT_EINVAL `pool` is NULL, was destroyed before, or is not a pool.
/// @retval -RT_ERROR The caller may not sleep. (Other calls return -RT_EBUSY for this, which here means that blocks are
/// in use.)
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_destroy(pool: *mut rt_dma_block_pool) -> rt_err_t {
    // A managed pool must not be destroyed again with its device: another pool may be at its address by then.
    let claim = DEVICES.claim(ResourceKind::BlockPool, pool.expose_provenance(), |_, _| true);
    // SAFETY: the caller guarantees that no other call uses the pool during this call or after it.
    let result = unsafe { destroy(pool) };
    if let Some(claim) = claim {
        DEVICES.end_claim(claim, result.is_ok());
    }
    match result {
        Ok(()) => errors().ok,
        Err(DestroyError::Busy(_)) => errors().busy,
        Err(DestroyError::Unknown) => errors().inval,
        Err(DestroyError::Context) => errors().error,
    }
}

/// Destroys a pool that is not managed (any more).
///
/// Context: thread.
///
/// # Errors
/// Blocks are in use, the pointer is not a pool's, or the caller may not sleep.
///
/// # Safety
/// No other call uses the pool during this call, or after the pool is destroyed. Every pointer is allowed.
pub(in crate::ffi) unsafe fn destroy(pool: *mut rt_dma_block_pool) -> Result<(), DestroyError> {
    // SAFETY: the caller guarantees that no other call uses the pool during this call or after it.
    unsafe { POOLS.destroy(pool.cast_const().cast()) }
}

/// @brief Prints a line for every block pool: its name, blocks in use, all blocks, bytes of a block after rounding,
/// pages.
///
/// It is a shell command.
///
/// @param[in] argc Has no effect.
/// @param[in] argv Has no effect.
/// @return 0; -1 where the caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn list_dma_block_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let _ = (argc, argv);
    if POOLS.list_pools() { 0 } else { -1 }
}
