//! `rt_dma_pool_install`, `rt_dma_pool_extract`, `list_dma_pool`.

use core::ffi::{c_char, c_int};

use crate::abi::{rt_dma_pool, rt_err_t, rt_region_t, rt_size_t};
use crate::dropin::pool::Region;
use crate::dropin::refusals::NO_NUMBER;
use crate::error::Error;
use crate::ffi::DMA;
use crate::ffi::status::status;
use crate::kernel::RegionList;
use crate::kernel::rtthread::{revision, rt_dma_port_list_options};
use crate::log::Name;

/// @brief Makes a range of physical memory a pool.
///
/// A new pool comes last in the list of pools; one of the same pages as an uninstalled pool may get the earlier place.
///
/// The bookkeeping takes at most 16 bytes of heap for 32 pages (18 on 32-bit processors), and 640 for the pool.
///
/// The call fails in these cases, each of which is counted, and logged where the caller may sleep:
/// - `region` is NULL.
/// - The region has no whole page, or more than 2^31 - 1.
/// - A pool that is installed, or is being uninstalled, covers a part of the region.
/// - The heap has no memory for the bookkeeping.
/// - The caller may not sleep.
///
/// @code{.c}
/// rt_region_t region = { 0x50000000, 0x50100000, "sram" };
///
/// if (!rt_dma_pool_install(&region))
/// {
///     return -RT_ERROR;
/// }
/// @endcode
///
/// @param[in] region The range, in bytes. Its start is rounded up to a page, its end down. An end of 0 is the end of
/// the address space. The first page and the last page of the address space are left out. The pool keeps the pointer to
/// the name, which must stay valid until `rt_dma_pool_uninstall` has succeeded, and longer if the console is slow: see
/// there.
/// @return The pool; NULL if the call fails.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_install(region: *mut rt_region_t) -> *mut rt_dma_pool {
    // SAFETY: the caller passes a region or null.
    let Some(&rt_region_t { start, end, name }) = (unsafe { region.as_ref() }) else {
        DMA.refuse(Error::BadSize, Name::NONE, [0, 0], NO_NUMBER);
        return core::ptr::null_mut();
    };
    // SAFETY: the name is null or a C string, and the caller keeps it.
    match DMA.install(&Region { start, end, name: unsafe { Name::from_ptr(name) } }) {
        Ok(pool) => core::ptr::from_ref(&pool.public).cast_mut(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// @brief Makes the boot pools `coherent-pool` and `cma` of reserved memory. A failed call changes nothing.
///
/// The two revisions of the interface pass different arguments, with sizes in bytes:
/// - r2: `(cma_size, coherent_pool_size)`. The regions are the reserved ones of memblock that are named "dma-pool".
/// - r1: `(region_list, list_len, cma_size, coherent_pool_size)`. The regions are those of the list that have a name.
///   The start of the region that is used moves up, unless all of it is used, or another pool covers its beginning.
///
/// The port has a constant for the revision that the BSP's `drivers/dma.h` declares. On aarch64, riscv64 and 32-bit
/// Arm, all four arguments are passed in registers. With r2, the last two are undefined, and have no effect.
///
/// @param[in] first r2: `cma_size`, the bytes of both pools together. r1: `region_list`.
/// @param[in] second r2: `coherent_pool_size`, the bytes of `coherent-pool`. r1: `list_len`.
/// @param[in] third r1: `cma_size`. r2: not passed.
/// @param[in] fourth r1: `coherent_pool_size`. r2: not passed.
/// @retval RT_EOK The pools are made, but a pool without a page is not; above 4 GiB if no region below it has room,
/// with a warning in the log.
/// @retval -RT_EINVAL `cma_size` is less than a page, or less than `coherent_pool_size`; `coherent_pool_size` is not
/// zero, but less than a page; or there is no list (r1).
/// @retval -RT_ENOSYS The kernel has no memblock.
/// @retval -RT_EEMPTY No region has room.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping.
/// @retval -RT_EBUSY The caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_extract(
    first: rt_size_t,
    second: rt_size_t,
    third: rt_size_t,
    fourth: rt_size_t,
) -> rt_err_t {
    let (list, cma_size, coherent_pool_size) = if revision() == 1 {
        // SAFETY: the caller passes null or its array of regions and their number, and nothing else uses the array
        // during the call.
        (unsafe { RegionList::new(first, second) }, third, fourth)
    } else {
        (RegionList::NONE, first, second)
    };
    status(DMA.extract(list, cma_size, coherent_pool_size))
}

/// @brief Prints a line for every pool (name, range, size, use, longest free run, peak, failed requests, flags), the
/// number of refused calls if there are any, and the number of pools.
///
/// It is a shell command. With options it prints what `rt_dma_list_pools` does, if the kernel's configuration has
/// `PKG_RT_DMA_POOL_USING_LIST_OPTIONS`.
///
/// @param[in] argc Number of arguments, the command included.
/// @param[in] argv The arguments.
/// @retval 0 The pools were printed.
/// @retval -1 An option does not exist, there is an argument but not that setting, or the caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn list_dma_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    if !DMA.may_sleep_or_count() {
        return -1;
    }
    if argc > 1 {
        // SAFETY: the caller passes `argc` arguments at `argv`.
        return unsafe { rt_dma_port_list_options(argc, argv) };
    }
    DMA.report();
    0
}
