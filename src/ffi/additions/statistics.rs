//! The figures of the pools for C: `rt_dma_pool_statistics` and `rt_dma_pool_next`.

use crate::abi::{rt_dma_pool, rt_err_t, rt_size_t};
use crate::additions::shell_list::Statistics;
use crate::ffi::DMA;
use crate::ffi::status::errors;

/// @brief How much of a pool is in use, and which requests it could not serve.
///
/// Later versions of the library may add members at the end.
#[repr(C)]
pub struct rt_dma_pool_usage {
    /// Size of this structure in bytes. The caller sets it before the call.
    pub struct_size: rt_size_t,
    /// Bytes of the pool, in whole pages.
    pub total: rt_size_t,
    /// Bytes in use.
    pub used: rt_size_t,
    /// The most bytes that were in use at once since the pool was installed.
    pub peak: rt_size_t,
    /// Bytes in the longest free run: the largest buffer that can be allocated.
    pub longest_free: rt_size_t,
    /// Number of buffers in use.
    pub buffers: rt_size_t,
    /// Number of requests that failed although this pool serves their flags. If a device owns the pool, all failed
    /// requests of this device count. A request that another pool served did not fail.
    pub failed: rt_size_t,
    /// Bytes of the largest such request.
    pub largest_failed: rt_size_t,
}

/// The number of words in a [`rt_dma_pool_usage`].
const USAGE_WORDS: usize = size_of::<rt_dma_pool_usage>() / size_of::<usize>();

/// @brief Returns how much of a pool is in use, and which requests it could not serve.
///
/// @code{.c}
/// struct rt_dma_pool_usage usage = { .struct_size = sizeof(usage) };
///
/// if (rt_dma_pool_statistics(pool, &usage) == RT_EOK && usage.failed)
/// {
///     rt_kprintf("%lu requests failed, the largest of %lu bytes\n", (unsigned long)usage.failed,
///                (unsigned long)usage.largest_failed);
/// }
/// @endcode
///
/// The call reads the members one after the other. Other callers may allocate and free meanwhile, so the members need
/// not agree.
///
/// @param[in] pool A pool that `rt_dma_pool_install` returned or `rt_dma_pool_next` found.
/// @param[in,out] usage The caller sets `usage->struct_size`. Members that this version of the library does not have
/// are set to 0.
/// @retval RT_EOK `*usage` was filled in.
/// @retval -RT_EINVAL A pointer is NULL, `pool` is not installed, or `usage->struct_size` is less than the size of the
/// structure in this version, or no multiple of `sizeof(rt_size_t)`.
/// @note Context: any. The time grows with the size of the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_statistics(pool: *mut rt_dma_pool, usage: *mut rt_dma_pool_usage) -> rt_err_t {
    let errors = errors();
    let Some(pool) = DMA.pool_at(pool) else { return errors.inval };
    if usage.is_null() {
        return errors.inval;
    }
    // SAFETY: `usage` is not null, and the caller guarantees that it is such a structure.
    let size = unsafe { (*usage).struct_size };
    // This is the first layout. If a member is added, compare with the size of the first layout, and write as many
    // bytes as the caller's structure has.
    if size < size_of::<rt_dma_pool_usage>() || !size.is_multiple_of(size_of::<usize>()) {
        return errors.inval;
    }
    let Statistics { total, used, peak, longest_free, buffers, failed, largest_failed } = pool.statistics();
    let filled =
        rt_dma_pool_usage { struct_size: size, total, used, peak, longest_free, buffers, failed, largest_failed };
    // SAFETY: the caller guarantees that `size` bytes can be written, which are at least those of the structure.
    unsafe {
        usage.write(filled);
        let words = usage.cast::<usize>();
        for index in USAGE_WORDS..size / size_of::<usize>() {
            words.add(index).write(0);
        }
    }
    errors.ok
}

/// @brief Returns the next pool of the list.
///
/// The list has the order of installation. A pool that is installed where one was uninstalled may have the place of
/// that one. If `pool` is not installed any more when the call looks for it, the walk ends. The library does not wait
/// for a caller that reads `region.name`: if pools may be uninstalled meanwhile, their names must be string constants.
/// `region.name` is NULL if the pool has no name, or was uninstalled.
///
/// @code{.c}
/// for (struct rt_dma_pool *pool = rt_dma_pool_next(RT_NULL); pool; pool = rt_dma_pool_next(pool))
/// {
///     rt_kprintf("%s\n", pool->region.name ? pool->region.name : "-");
/// }
/// @endcode
///
/// @param[in] pool An installed pool, or NULL for the first one.
/// @return The next pool; NULL after the last one, and if `pool` is not installed.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_next(pool: *mut rt_dma_pool) -> *mut rt_dma_pool {
    let mut pools = DMA.pools();
    let next = if pool.is_null() {
        pools.next()
    } else {
        pools.find(|candidate| core::ptr::eq(&candidate.public, pool)).and_then(|_| pools.next())
    };
    next.map_or(core::ptr::null_mut(), |pool| core::ptr::from_ref(&pool.public).cast_mut())
}
