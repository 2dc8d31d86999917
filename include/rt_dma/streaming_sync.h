/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/streaming_sync.h
 * @brief Syncs of a streaming mapping: the buffer stays mapped, and the processor accesses it in between.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_STREAMING_SYNC_H
#define RT_DMA_STREAMING_SYNC_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Makes a mapped buffer, or a part of it, the processor's, with what the device wrote, until it is synced for the
 * device.
 *
 * Where the device is not coherent, a part begins and ends on a cache line, or where the mapping does. `direction` is that of
 * the mapping; for a bidirectional mapping it may be any, and `RT_DMA_TO_DEVICE` brings the processor no bytes. A call for
 * bytes that are not mapped, or with a wrong direction, is logged and counted, and changes nothing.
 *
 * @code{.c}
 * rt_dma_sync_single_for_cpu(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
 * is_done = status->flags & DONE;
 * rt_dma_sync_single_for_device(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
 * @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_single_for_cpu(struct rt_device *dev,
                                uintptr_t dma_handle,
                                uintptr_t size,
                                int direction);

/**
 * @brief Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it.
 *
 * With `RT_DMA_FROM_DEVICE` the device is shown none of the processor's bytes: what the device has written since the last
 * sync for the processor stays, and what the processor wrote meanwhile may be lost. Parts, directions and errors are as for
 * `rt_dma_sync_single_for_cpu`.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
 * @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_single_for_device(struct rt_device *dev,
                                   uintptr_t dma_handle,
                                   uintptr_t size,
                                   int direction);

/**
 * @brief Returns whether a map failed.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle What the map returned.
 * @return 0 if it is the handle of a mapping; `-RT_ENOMEM` if it is `RT_DMA_MAPPING_ERROR`.
 * @note Context: any.
 */
int rt_dma_mapping_error(struct rt_device *dev, uintptr_t dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_STREAMING_SYNC_H */
