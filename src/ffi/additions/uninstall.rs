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
/// Other threads and interrupts may allocate, free and list pools meanwhile. If the library has a cached or
/// write-through mapping of the pool, the cache lines of the memory are flushed. A linear map that boot code made
/// stays.
///
/// The bookkeeping stays in the heap. It is used again when a pool of the same pages is installed that has the same
/// flags `RT_DMA_F_NOMAP` and `RT_DMA_F_DEVICE`. (The bookkeeping of a pool that the library installed for a device
/// whose node names the region serves only a device of the same name.) So repeated installs of one range need no more
/// memory. The new pool then has the place of the old one in the list.
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
///     rt_kprintf("the pool is in use\n");
/// }
/// @endcode
///
/// @param[in] pool A pool that `rt_dma_pool_install` returned or `rt_dma_pool_next` found. After success it must not be
/// used any more.
/// @retval RT_EOK The memory is the caller's again.
/// @retval -RT_EINVAL `pool` is NULL or not installed. The call is counted, and one line in the log has the address.
/// @retval -RT_EBUSY The pool was not changed. A page of it is in use (by a buffer, a block pool, a bounce buffer or a
/// borrower); the region belongs to a device whose node names it; the install of the pool has not ended; or the caller
/// may not sleep, and then the call is counted but not logged.
/// @note The name of the region must stay valid until no call that began before the return of this one prints it any
/// more. `list_dma_pool` is such a call. This call waits up to 100 ticks for such calls. On a slow console they may
/// take longer, and still read the name. A string constant is always safe.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_uninstall(pool: *mut rt_dma_pool) -> rt_err_t {
    let errors = errors();
    // A bounce buffer that an interrupt could not free still uses pages. Free it first, so that it does not make the
    // pool busy.
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
