//! `rt_dma_map_fill`.

use crate::abi::{rt_device, rt_err_t, rt_size_t};
use crate::ffi::additions::streaming::arguments::bus_master_of;
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::status::errors;
use crate::ffi::{DMA, device};
use crate::kernel::Threads;

/// The most records that a call makes ready. A larger number is a mistake, and would take the heap from other code.
const MOST_RECORDS: usize = 1 << 16;

/// @brief Makes streaming maps in an interrupt ready ahead.
///
/// A map in an interrupt may take a spare record and a bounce buffer: `rt_dma_map_single` states which does not. This
/// call makes sure that there are at least `count` spare records, and that the pool that serves the device's bounce
/// buffers is mapped for the processor. From then on, each map and unmap in a thread allocates the spare records that
/// are missing to `count`, as far as the heap has room. All devices share them, so drivers that map at the same time
/// need the sum of their counts. Pages for bounce buffers are not reserved.
///
/// @code{.c}
/// rt_err_t probe(struct rt_device *dev)
/// {
///     return rt_dma_map_fill(dev, RX_RING_SIZE);
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] count Maps in an interrupt before a thread next maps or unmaps a buffer: up to 65,536. 16 are ready
/// without this call, once a thread has mapped or unmapped one.
/// @retval RT_EOK The maps are ready.
/// @retval -RT_EINVAL `dev` is NULL, or `count` is out of its range.
/// @retval -RT_ENOMEM The heap has no room for as many records, or the device's operations cannot be chosen now, and
/// nothing was changed; or no pool has a bounce buffer that the device reaches, and the records are ready.
/// @retval -RT_EBUSY The caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_fill(dev: *mut rt_device, count: rt_size_t) -> rt_err_t {
    let errors = errors();
    let Some(device) = device(dev) else { return errors.inval };
    if count > MOST_RECORDS {
        return errors.inval;
    }
    if !DMA.kernel.can_sleep() {
        DMA.count_refused();
        return errors.busy;
    }
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming`: the device exists.
    let result = bus_master_of(device).and_then(|master| unsafe { STREAMING.fill(&master, count) });
    if result.is_ok() { errors.ok } else { errors.nomem }
}
