//! `rt_dma_pool_uninstall`.

use crate::abi::{rt_dma_pool, rt_err_t};
use crate::dropin::pool::UninstallError;
use crate::ffi::DMA;
use crate::ffi::additions::hooks::tidy_streams;
use crate::ffi::status::errors;
use crate::log::{Line, Name};
use crate::text::{separate_cstr, text};

/// @brief Uninstalls a pool. Its mappings are removed, and its memory belongs to the caller again.
///
/// Other threads and interrupts may allocate, free and list pools meanwhile. Dirty cache lines of the memory are
/// flushed. A linear map that boot code made stays.
///
/// The bookkeeping stays in the heap, and is used again when a pool of the same pages and kind is installed. So
/// repeated installs of one range need no more memory. The new pool then has the place of the old one in the list.
///
/// A range of `rt_dma_pool_extract` is found again by the next extract (revision r2 of the interface). A region that
/// the node of a device names in `memory-region` belongs to the device until `rt_dma_own_region_release`, also if the
/// device is removed without this call.
///
/// In the debug mode (`PKG_RT_DMA_POOL_USING_DEBUG`), the log lists what devices hold of a pool that is in use.
///
/// @code{.c}
/// if (rt_dma_pool_uninstall(pool) == -RT_EBUSY)
/// {
///     rt_kprintf("a driver still has memory of the pool\n");
/// }
/// @endcode
///
/// @param[in] pool A pool that `rt_dma_pool_install` returned or `rt_dma_pool_next` found. After success it must not be
/// used any more.
/// @retval RT_EOK The memory and the name of the region are the caller's.
/// @retval -RT_EINVAL `pool` is NULL or not installed. The call is counted, and one line in the log has the address.
/// @retval -RT_EBUSY Nothing was changed. A page of the pool is in use (by a buffer, a block pool, a bounce buffer or a
/// borrower); the region belongs to a device whose node names it; the install of the pool has not ended; or the caller
/// may not sleep.
/// @note The call waits up to 100 ticks for calls that print the name, such as `list_dma_pool`. If a slow console may
/// take longer, do not free the name after this call. A string constant is always safe.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_uninstall(pool: *mut rt_dma_pool) -> rt_err_t {
    let errors = errors();
    // Bounce buffers that interrupts left to a thread are in use until then.
    tidy_streams();
    match DMA.uninstall(pool) {
        Ok(()) => errors.ok,
        Err(UninstallError::InUse) => {
            #[cfg(feature = "debug")]
            log_holders(pool);
            errors.busy
        }
        Err(UninstallError::Context) => {
            DMA.count_refused();
            errors.busy
        }
        Err(UninstallError::NotInstalled) => {
            let name = Name::of(separate_cstr!("dma-pool"));
            DMA.refuse_line(&Line::about(name, text!("uninstall: no pool at 0x%lx", pool.expose_provenance())));
            errors.inval
        }
    }
}

/// Has the debug mode list which devices hold memory of a pool.
#[cfg(feature = "debug")]
fn log_holders(pool: *const rt_dma_pool) {
    if let Some(pool) = DMA.pool_at(pool) {
        crate::ffi::additions::debug::WATCH.log_holders(pool.start(), pool.size());
    }
}
