//! `rt_dma_map_fill`: how many maps in interrupts need no memory of the heap.

use crate::abi::{rt_device, rt_err_t, rt_size_t};
use crate::additions::streaming::MapError;
use crate::ffi::additions::streaming::arguments::{bus_master_of, refuse_null_device};
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::status::errors;
use crate::ffi::{DMA, device_at};
use crate::text::text;

/// The most records that a call makes ready. A larger number is a mistake, and would take the heap from other code.
const MOST_RECORDS: usize = 1 << 16;

/// @brief Prepares for streaming maps in an interrupt.
///
/// A map in an interrupt may need a spare record and a bounce buffer: `rt_dma_map_single` states which does not. This
/// call does two things:
/// - It allocates spare records until there are `count`. From then on, each map and unmap in a thread replaces those
///   that were used, as far as the heap has room. All devices share the records, and a second call makes the number
///   that is kept ready the larger of the two counts, not their sum. So where several drivers map in interrupts at the
///   same time, one call gets the sum.
/// - It maps the pool that serves the device's bounce buffers for the processor. It reserves no pages of it.
///
/// @code{.c}
/// rt_err_t probe(struct rt_device *dev)
/// {
///     return rt_dma_map_fill(dev, RX_RING_SIZE);
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] count The most maps in interrupts between two maps or unmaps in threads: 0 to 65,536. Without this call,
/// 16 records are ready after the first map or unmap in a thread.
/// @retval RT_EOK The records are ready, and a pool that the device reaches has a free page.
/// @retval -RT_EINVAL `dev` is NULL, or `count` is out of its range. The call is counted. In a thread, a line in the
/// log gives the reason.
/// @retval -RT_ENOMEM The heap has no room for the records. As many as before are kept ready.
/// @retval -RT_EEMPTY The records are ready, but no pool that the device reaches has a free page now for a bounce
/// buffer.
/// @retval -RT_EBUSY The caller may not sleep, or the device's operations cannot be chosen now. No record was added.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_fill(dev: *mut rt_device, count: rt_size_t) -> rt_err_t {
    let errors = errors();
    let Some(device) = device_at(dev) else {
        refuse_null_device();
        return errors.inval;
    };
    if count > MOST_RECORDS {
        DMA.refuse_line(&DMA.line_about(device, text!("map_fill of %lu records: more than %lu", count, MOST_RECORDS)));
        return errors.inval;
    }
    if !DMA.may_sleep_or_count() {
        return errors.busy;
    }
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming`: the device exists.
    match bus_master_of(device).and_then(|master| unsafe { STREAMING.fill(&master, count) }) {
        Ok(()) => errors.ok,
        Err(MapError::NoBounce) => errors.empty,
        Err(MapError::NoOperations) => errors.busy,
        Err(_) => errors.nomem,
    }
}
