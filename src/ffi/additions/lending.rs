//! The C functions that lend memory: `rt_dma_borrow`, `rt_dma_give_back`.

use core::ffi::c_void;

use crate::abi::rt_size_t;
use crate::ffi::{DMA, pointer};

/// @brief Borrows memory of a `reusable` region of the device tree, which its owner does not use now.
///
/// The memory is cached and mapped. When the owner's `rt_dma_alloc` finds no room and may sleep, it calls `reclaim`. If
/// `reclaim` returns before the memory is given back, the allocation waits for it, at most 100 ticks.
///
/// @code{.c}
/// static void drop_block(void *memory, rt_size_t size, void *arg)
/// {
///     struct cache *cache = arg;
///
///     if (forget_block(cache, memory))
///     {
///         rt_dma_give_back(memory);
///     }
/// }
///
/// static rt_err_t add_block(struct cache *cache)
/// {
///     rt_mutex_take(&cache->lock, RT_WAITING_FOREVER);
///     cache->block = rt_dma_borrow(4096, drop_block, cache);
///     rt_mutex_release(&cache->lock);
///
///     return cache->block ? RT_EOK : -RT_ENOMEM;
/// }
/// @endcode
///
/// `reclaim` gets the memory, the `size` that was passed, and `arg`. These are its duties:
/// - It calls `rt_dma_give_back`, or lets another thread do so soon.
/// - It runs in the thread of the owner's driver. It must not wait for that driver, and must return in a bounded time.
/// - It may be called more than once, and before `rt_dma_borrow` has returned. For memory that the borrower has given
///   back, or does not know yet, it does nothing.
/// - It should not allocate for an owner of the region: such a call asks no borrower, waits 100 ticks if there is no
///   room, and then fails.
///
/// Do not free the memory with `rt_dma_free`.
///
/// @param[in] size Bytes to borrow, rounded up to whole pages.
/// @param[in] reclaim Gives the memory back.
/// @param[in] arg Argument of `reclaim`.
/// @return The memory; NULL if `size` is 0 or `reclaim` is NULL, no `reusable` region has room, an owner waits for
/// memory, or there is no memory for the bookkeeping. NULL also if the caller may not sleep: the call is then counted.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_borrow(
    size: rt_size_t,
    reclaim: Option<unsafe extern "C" fn(memory: *mut c_void, size: rt_size_t, arg: *mut c_void)>,
    arg: *mut c_void,
) -> *mut c_void {
    let Some(reclaim) = reclaim else { return core::ptr::null_mut() };
    // SAFETY: the caller passes a function that may be called with its memory and `arg`, as the comment above states.
    match unsafe { DMA.borrow_memory(size, reclaim, arg.expose_provenance()) } {
        Some(va) => pointer(va),
        None => core::ptr::null_mut(),
    }
}

/// @brief Gives back memory of `rt_dma_borrow`.
///
/// An address that is not borrowed is counted, logged where the caller may sleep, and changes nothing. NULL does
/// nothing.
///
/// @param[in] memory The memory.
/// @note Context: any. Memory that has a mapping of its own, as a buffer of `rt_dma_alloc` may have, needs a thread:
/// elsewhere the call is refused and counted, and the memory stays borrowed. Memory of a region that is mapped linearly
/// has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_give_back(memory: *mut c_void) {
    if !memory.is_null() {
        // `give_back_memory` counts a wrong call, and logs it where the caller may sleep; the C function has no result.
        let _ = DMA.give_back_memory(memory.expose_provenance());
    }
}
