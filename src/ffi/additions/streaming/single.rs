//! `rt_dma_map_single` and its like.

use core::ffi::{c_int, c_void};

use crate::abi::{rt_device, rt_size_t, rt_ubase_t};
use crate::additions::streaming::{Attributes, Buffer, MAPPING_ERROR};
use crate::ffi::additions::streaming::arguments::{bus_master, direction_of, mapped_buffer};
use crate::ffi::additions::streaming::system::STREAMING;
use crate::ffi::additions::streaming::unmap::unmap;
use crate::ffi::status::errors;

/// @brief Hands `[cpu_addr, cpu_addr + size)` to the device.
///
/// The processor leaves the buffer alone until it is unmapped, or synced for the processor. What the processor wrote
/// before is visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`). What the device writes is visible to
/// the processor after the unmap (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`).
///
/// The buffer is any mapped memory of any alignment. A bounce buffer from a pool takes its place where the device does
/// not reach it, where it is not contiguous, and where the device would write to a cache line that the buffer shares
/// with other data.
///
/// @code{.c}
/// rt_ubase_t handle = rt_dma_map_single(dev, frame, length, RT_DMA_TO_DEVICE);
///
/// if (rt_dma_mapping_error(dev, handle))
/// {
///     return -RT_ENOMEM;
/// }
/// start_and_wait(handle, length);
/// rt_dma_unmap_single(dev, handle, length, RT_DMA_TO_DEVICE);
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return The address for the device. `RT_DMA_MAPPING_ERROR` if an argument is not as stated here, a page of the
/// buffer is not mapped, the device's operations cannot be chosen now, or there is no memory for a bounce buffer or for
/// the record of the mapping. In a thread, a line in the log gives the reason.
/// @note Context: thread first, then any. A device's first call needs a thread. After it, a map in an interrupt always
/// succeeds if all of these hold:
/// - The buffer lies in memory that is mapped linearly, outside the pools.
/// - It needs no bounce buffer.
/// - The library's own operations serve the device. If the bus translates addresses, it leads the handle back to the
///   buffer.
///
/// Any other map takes a spare record, and fails in an interrupt if there is none. Threads keep 16 records ready: each
/// map and unmap in a thread allocates those that are missing, as far as the heap has room. An unmap makes the record
/// of its mapping a spare one. A bounce buffer in an interrupt comes from a pool that a thread has mapped.
/// `rt_dma_map_fill` makes more records ready, and maps the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_single(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    direction: c_int,
) -> rt_ubase_t {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and keeps to `# Safety` of
    // `additions::streaming`.
    unsafe { rt_dma_map_single_attrs(dev, cpu_addr, size, direction, 0) }
}

/// @brief Hands a buffer to the device as `rt_dma_map_single` does, with attributes.
///
/// @param[in] dev The device.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @param[in] attrs 0, `RT_DMA_ATTR_OWN_LINES`, `RT_DMA_ATTR_LIST_ENTRY`, or both, combined by `|`. The unmap gets the
/// same ones. Other bits have no effect.
/// @return As `rt_dma_map_single`.
/// @note Context: thread first, then any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_single_attrs(
    dev: *mut rt_device,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    direction: c_int,
    attrs: rt_ubase_t,
) -> rt_ubase_t {
    let buffer = Buffer {
        attributes: Attributes::from_bits_retain(attrs),
        ..Buffer::new(cpu_addr.expose_provenance(), size, direction_of(direction))
    };
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its buffer.
    let result = unsafe { STREAMING.map(dev, &buffer) };
    result.unwrap_or(MAPPING_ERROR)
}

/// @brief Hands a part of a page to the device as `rt_dma_map_single` does a buffer.
///
/// @param[in] dev The device.
/// @param[in] page_pa The physical address of the page, which is mapped linearly or belongs to a buffer of a pool.
/// @param[in] offset The first byte of the part, counted from the page's first.
/// @param[in] size Bytes in the part, not zero. It may end in a later page that is mapped after the first one: one of
/// the same buffer, or of linear memory.
/// @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
/// @return As `rt_dma_map_single`.
/// @note Context: thread first, then any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_map_page(
    dev: *mut rt_device,
    page_pa: rt_ubase_t,
    offset: rt_size_t,
    size: rt_size_t,
    direction: c_int,
) -> rt_ubase_t {
    let Ok(master) = bus_master(dev) else { return MAPPING_ERROR };
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its buffer.
    let result = unsafe { STREAMING.map_page(&master, page_pa, offset, size, direction_of(direction)) };
    result.unwrap_or(MAPPING_ERROR)
}

/// @brief Returns whether a map failed, as an error number.
///
/// @param[in] dev The device.
/// @param[in] dma_handle What the map returned.
/// @return `-RT_ENOMEM` for `RT_DMA_MAPPING_ERROR`; 0 for every other value.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_mapping_error(dev: *mut rt_device, dma_handle: rt_ubase_t) -> c_int {
    let _ = dev; // Linux has the parameter.
    if dma_handle == MAPPING_ERROR { errors().nomem as c_int } else { 0 }
}

/// @brief Ends a mapping: the buffer is the processor's again, with what the device wrote to it.
///
/// A wrong `size` or `direction` is counted, and logged where the caller may sleep. The mapping is ended as it was
/// made: the bytes arrive, and a bounce buffer is freed. These mistakes are counted and logged in the same way, and
/// change nothing:
/// - The handle is unknown, belongs to another device, or was unmapped before.
/// - Several mappings have the handle, and none of them has this size and direction.
///
/// The library cannot always notice a mistake in these two cases:
/// - The handle leads to memory that is mapped linearly outside the pools. A mapping of such memory without a bounce
///   buffer may have no record.
/// - Such a mapping was made, and the handle leads to a pool that was installed after it.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @note Context: any. In an interrupt, a bounce buffer that only a thread can free stays in use until a thread maps or
/// unmaps a buffer of any device, or uninstalls a pool. If the BSP's own operations allocated it, the device must exist
/// until then, or until `rt_dmam_release`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and keeps to `# Safety` of
    // `additions::streaming`.
    unsafe { rt_dma_unmap_single_attrs(dev, dma_handle, size, direction, 0) }
}

/// @brief Ends a mapping as `rt_dma_unmap_single` does, with attributes.
///
/// With `RT_DMA_ATTR_SKIP_CPU_SYNC` nothing is copied and no cache is maintained, and the buffer's bytes stay as they
/// are: the driver has synced what it wants to see by `rt_dma_sync_single_for_cpu`, and may have written to the buffer
/// since.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @param[in] attrs 0, or these attributes, combined by `|`: `RT_DMA_ATTR_OWN_LINES` and `RT_DMA_ATTR_LIST_ENTRY`, each
/// if the map had it; `RT_DMA_ATTR_SKIP_CPU_SYNC`. Other bits have no effect.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_single_attrs(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
    attrs: rt_ubase_t,
) {
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
    unsafe { unmap(dev, &mapped_buffer(dma_handle, size, direction, attrs)) }
}

/// @brief Ends a mapping that `rt_dma_map_page` made, as `rt_dma_unmap_single` does.
///
/// @param[in] dev The device.
/// @param[in] dma_handle The handle that the map returned.
/// @param[in] size The size that was mapped, in bytes.
/// @param[in] direction The direction of the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_unmap_page(
    dev: *mut rt_device,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    // SAFETY: the caller passes a `dev` that is null or points to a device, and keeps to `# Safety` of
    // `additions::streaming`.
    unsafe { rt_dma_unmap_single(dev, dma_handle, size, direction) }
}
