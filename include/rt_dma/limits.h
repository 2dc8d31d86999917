/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/limits.h
 * @brief Limits of a device, for code that builds its scatter lists.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_LIMITS_H
#define RT_DMA_LIMITS_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Sets the maximum number of bytes that the device takes in one segment.
 *
 * The library does not split or merge segments: the code that builds the device's scatter lists asks for the limit by
 * `rt_dma_get_max_segment`. `rt_dmam_release` ends the limits of the device.
 *
 * @code{.c}
 * rt_dma_set_max_segment(dev, 0x10000);
 * rt_dma_set_segment_boundary(dev, 0xffff);
 * rt_dma_set_min_align_mask(dev, 0xfff);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes, not zero.
 * @retval RT_EOK The limit is set.
 * @retval -RT_EINVAL `dev` is NULL, or `size` is 0.
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_EBUSY The call needs a thread.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_max_segment(struct rt_device *dev,
                                uintptr_t size);

/**
 * @brief Returns the maximum number of bytes that the device takes in one segment.
 *
 * @param[in] dev The device.
 * @return Bytes; 65,536 if no limit was set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_max_segment(struct rt_device *dev);

/**
 * @brief Sets the boundary that no segment of the device crosses.
 *
 * As with `rt_dma_set_max_segment`, the code that builds the device's scatter lists asks for it.
 *
 * @param[in] dev The device.
 * @param[in] mask The boundary minus one: `0xffff` if no segment crosses a multiple of 64 KiB.
 * @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_segment_boundary(struct rt_device *dev, uintptr_t mask);

/**
 * @brief Returns the boundary that no segment of the device crosses.
 *
 * @param[in] dev The device.
 * @return The boundary minus one; all ones if none was set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_segment_boundary(struct rt_device *dev);

/**
 * @brief Sets which low bits of a buffer's address its bounce buffer keeps.
 *
 * Some devices need this because their descriptors contain only a part of the address, and the rest follows from the position in
 * the list. An NVMe controller is an example: every page of a buffer except the first begins at offset 0, so its mask is
 * `0xfff`.
 *
 * @param[in] dev The device.
 * @param[in] mask The bits, up to a page: `0xfff` for the offset in a page. 0 if no bit is kept.
 * @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two up to a page.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_min_align_mask(struct rt_device *dev,
                                   uintptr_t mask);

/**
 * @brief Returns which low bits of a buffer's address its bounce buffer keeps.
 *
 * @param[in] dev The device.
 * @return The bits; 0 if none were set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_min_align_mask(struct rt_device *dev);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_LIMITS_H */
