/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/streaming_list.h
 * @brief Streaming mappings of the buffers of a list.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_STREAMING_LIST_H
#define RT_DMA_STREAMING_LIST_H

#include "types.h"

/**
 * @brief One buffer of a scatter list.
 */
struct rt_dma_sg {
  /**
   * The driver's buffer.
   */
  void *addr;
  /**
   * Bytes in the buffer.
   */
  uintptr_t length;
  /**
   * The address for the device. `rt_dma_map_sg` sets it.
   */
  uintptr_t dma_handle;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Hands every buffer of a list to the device, or none.
 *
 * Each buffer is mapped as by `rt_dma_map_single`, and its `dma_handle` is set.
 *
 * @code{.c}
 * struct rt_dma_sg list[] = { { header, sizeof(*header), 0 }, { body, length, 0 } };
 *
 * if (rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE) == 0)
 * {
 *     return -RT_ENOMEM;
 * }
 * start_and_wait(list[0].dma_handle, list[1].dma_handle);
 * rt_dma_unmap_sg(dev, list, 2, RT_DMA_TO_DEVICE);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in,out] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @return `nents`; 0 if a buffer cannot be mapped, or the list is null or empty. Then no buffer is mapped, and every
 * `dma_handle` is `RT_DMA_MAPPING_ERROR`.
 * @note Context: thread first, then any.
 */
int rt_dma_map_sg(struct rt_device *dev,
                  struct rt_dma_sg *sg,
                  int nents,
                  int direction);

/**
 * @brief Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_unmap_sg(struct rt_device *dev,
                     struct rt_dma_sg *sg,
                     int nents,
                     int direction);

/**
 * @brief Ends the mapping of every buffer of a list, each as `rt_dma_unmap_single_attrs` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @param[in] attrs As for `rt_dma_unmap_single_attrs`.
 * @note Context: any.
 */
void rt_dma_unmap_sg_attrs(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction, uintptr_t attrs);

/**
 * @brief Syncs every buffer of a list for the processor, each as `rt_dma_sync_single_for_cpu` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

/**
 * @brief Syncs every buffer of a list for the device, each as `rt_dma_sync_single_for_device` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_STREAMING_LIST_H */
