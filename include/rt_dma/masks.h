/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/masks.h
 * @brief Masks: the addresses that a device can use.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_MASKS_H
#define RT_DMA_MASKS_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Sets the streaming mask: the addresses that the device can use for buffers that are mapped for it.
 *
 * A map of a buffer outside the mask uses a bounce buffer. `rt_dma_sync_out_data` returns `-RT_ERROR` for such a buffer. A
 * failed call changes nothing. `rt_dmam_release` ends the masks of the device.
 *
 * @code{.c}
 * if (rt_dma_set_mask_and_coherent(dev, 0xffffffff) != RT_EOK)
 * {
 *     return -RT_EIO;
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] mask Bit n is 1 if the device drives address line n: `0xffffffff` for 32 lines. Until a mask is set, all bits
 * are 1.
 * @retval RT_EOK The mask is set.
 * @retval -RT_EINVAL `dev` is NULL, or `mask` is 0.
 * @retval -RT_EIO No page of any installed pool that serves the device lies wholly within the mask. Without any pool, and for a
 * device that itself lies within its streaming mask and whose bus does not translate, that is no error.
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_EBUSY The call needs a thread.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_mask(struct rt_device *dev,
                         uint64_t mask);

/**
 * @brief Sets the coherent mask: the addresses that the device can use for buffers that are allocated for it.
 *
 * After the call, `rt_dma_alloc` and all calls that use it return only buffers whose handles lie within `mask`, from the first
 * byte to the last. A pool of which only a part is within the mask serves that part. Buffers that the driver has already stay
 * valid, and are freed as before.
 *
 * If the BSP gave the device its own allocation operation, that operation allocates, and a buffer outside the mask is given
 * back to it. A BSP must set a device's own operations before the mask: a later change of `dma_ops` takes the mask away.
 *
 * @param[in] dev The device.
 * @param[in] mask As for `rt_dma_set_mask`.
 * @return As `rt_dma_set_mask`.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_coherent_mask(struct rt_device *dev,
                                  uint64_t mask);

/**
 * @brief Sets the streaming and the coherent mask, or on failure neither.
 *
 * @param[in] dev The device.
 * @param[in] mask As for `rt_dma_set_mask`.
 * @return As `rt_dma_set_mask`.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_mask_and_coherent(struct rt_device *dev, uint64_t mask);

/**
 * @brief Returns the streaming mask.
 *
 * @param[in] dev The device.
 * @return The mask; all ones if none was set; 0 if `dev` is NULL.
 * @note Context: any.
 */
uint64_t rt_dma_get_mask(struct rt_device *dev);

/**
 * @brief Returns the coherent mask.
 *
 * @param[in] dev The device.
 * @return The mask; all ones if none was set; 0 if `dev` is NULL.
 * @note Context: any.
 */
uint64_t rt_dma_get_coherent_mask(struct rt_device *dev);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_MASKS_H */
