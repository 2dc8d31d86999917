//! `rt_dma_sync_single_for_cpu` and `rt_dma_sync_single_for_device`.

use core::ffi::c_int;

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::streaming::MappedBuffer;
use crate::ffi::additions::streaming::arguments::{bus_master, direction_of};
use crate::ffi::additions::streaming::system::STREAMING;

/// @brief Makes a mapped buffer, or a part of it, the processor's, with what the device wrote, until it is synced for
/// the device.
///
/// If the device is not coherent, a part must begin and end on a cache line, or where the mapping does.
///
/// Do not sync a mapping if the BSP's own `sync_out_data` may return another handle each time it is called for the
/// same bytes, as RT-Thread's for remote processors does: the device would keep the first handle. Map and unmap the
/// buffer for each transfer there.
///
/// `direction` is that of the mapping. A bidirectional mapping may be synced with any direction but `RT_DMA_NONE`; with
/// `RT_DMA_TO_DEVICE` the call brings the processor no bytes.
///
/// A call for bytes that are not mapped, or with a wrong direction, changes nothing. It is counted, and logged where
/// the caller may sleep. A mapping of linear memory outside the pools may have no record: then the library cannot
/// notice the mistake.
///
/// @code{.c}
/// rt_dma_sync_single_for_cpu(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
/// is_done = status->flags & DONE;
/// rt_dma_sync_single_for_device(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
/// @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_cpu(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    let Ok(master) = bus_master(dev) else { return };
    let mapped = MappedBuffer::new(dma_handle, size, direction_of(direction));
    // A refused call is logged where it is refused, and C gets no error.
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
    let _ = unsafe { STREAMING.sync_for_cpu(&master, &mapped) };
}

/// @brief Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it.
///
/// With `RT_DMA_FROM_DEVICE` no bytes go from the processor to the device. What the device has written since the last
/// sync for the processor stays. The processor must not have written to the buffer: its bytes may be lost, and if the
/// device is not coherent, they may overwrite what the device wrote to the same cache line.
///
/// Parts, directions and errors are as for `rt_dma_sync_single_for_cpu`.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
/// @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_single_for_device(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    let Ok(master) = bus_master(dev) else { return };
    let mapped = MappedBuffer::new(dma_handle, size, direction_of(direction));
    // A refused call is logged where it is refused, and C gets no error.
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
    let _ = unsafe { STREAMING.sync_for_device(&master, &mapped) };
}
