//! The shell command `list_dma_pool` with options, `rt_dma_list_pools`, and its figures for C: `rt_dma_pool_statistics`
//! and `rt_dma_pool_next`.

use core::ffi::{c_char, c_int};

use crate::abi::{rt_dma_pool, rt_err_t, rt_size_t};
use crate::additions::shell_list::Statistics;
use crate::ffi::DMA;
use crate::ffi::status::errors;
use crate::kernel::Log;
use crate::text::text;

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

/// Number of words in the structure.
const WORDS: usize = size_of::<rt_dma_pool_usage>() / size_of::<usize>();

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
    let known =
        rt_dma_pool_usage { struct_size: size, total, used, peak, longest_free, buffers, failed, largest_failed };
    // SAFETY: the caller guarantees that `size` bytes can be written, which are at least those of the structure.
    unsafe {
        usage.write(known);
        let words = usage.cast::<usize>();
        for index in WORDS..size / size_of::<usize>() {
            words.add(index).write(0);
        }
    }
    errors.ok
}

/// @brief Returns the next pool of the list.
///
/// The list has the order of installation. A pool that is installed where one was uninstalled may have the place of
/// that one. If `pool` is uninstalled during the walk, the walk ends. The library does not wait for a caller that reads
/// the name of a pool: a name of a pool that is uninstalled meanwhile must be a string constant.
///
/// @code{.c}
/// for (struct rt_dma_pool *pool = rt_dma_pool_next(RT_NULL); pool; pool = rt_dma_pool_next(pool))
/// {
///     rt_kprintf("%s\n", pool->region.name);
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

/// @brief The shell command `list_dma_pool` with options.
///
/// `-v` prints how much of each pool is in use, the requests that failed, and how many buffers of each size there are.
/// `-m` prints a map of each pool with a character for each group of adjacent pages, 78 characters wide at most.
/// Another option prints how the command is used.
///
/// The command calls this function if menuconfig selects `PKG_RT_DMA_POOL_USING_LIST_OPTIONS`.
///
/// @param[in] argc Number of arguments, the command included.
/// @param[in] argv The arguments.
/// @return 0; -1 for an option that does not exist, and where the caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_list_pools(argc: c_int, argv: *mut *mut c_char) -> c_int {
    if !DMA.may_sleep_or_count() {
        return -1;
    }
    for index in 1..argc.max(1) as usize {
        // SAFETY: the caller guarantees that `argv` has `argc` C strings.
        match unsafe { option(*argv.add(index)) } {
            Some(b'v') => DMA.print_details(),
            Some(b'm') => DMA.print_page_maps(),
            _ => {
                DMA.kernel.print(text!("usage: list_dma_pool [-v] [-m]\n"));
                return -1;
            }
        }
    }
    0
}

/// Returns the letter of an option; `None` if the text is not `-` and one letter.
///
/// # Safety
/// `text` is null or a C string.
unsafe fn option(text: *const c_char) -> Option<u8> {
    if text.is_null() {
        return None;
    }
    let bytes = text.cast::<u8>();
    // SAFETY: the bytes of a C string up to its final zero can be read, and none after it is.
    unsafe {
        if *bytes != b'-' {
            return None;
        }
        let letter = *bytes.add(1);
        // The text may end after the `-`.
        if letter == 0 || *bytes.add(2) != 0 {
            return None;
        }
        Some(letter)
    }
}
