/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file rt_dma_debug.h
 * @brief The debug mode: failures on request, and the number of mistakes found. docs/debugging.md explains it.
 *
 * Without PKG_RT_DMA_POOL_USING_DEBUG the calls are inline functions that do nothing and return 0 or NULL, so that a
 * driver may always contain them.
 */
#ifndef RT_DMA_DEBUG_H
#define RT_DMA_DEBUG_H

#include <stddef.h>

#include "rt_dma/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

/**
 * @brief Makes an allocation or a mapping of a device fail, to test what its driver does then.
 *
 * @code{.c}
 * // Fails each call of the driver once.
 * for (n = 1; ; n++)
 * {
 *     if (!rt_dma_debug_fail(dev, n))
 *     {
 *         return -RT_ENOSYS; // The debug mode is off, or has no room for the device: nothing was tested.
 *     }
 *     run_the_driver(dev);
 *     if (!rt_dma_debug_has_failed(dev))
 *     {
 *         break;
 *     }
 * }
 * rt_dma_debug_fail(dev, 0);
 * @endcode
 *
 * Every call that allocates a buffer or a block, or maps a buffer, counts as one, and so does a call of `rt_dma_map_sg`
 * for a whole list. `dma_map_sg` of the headers for drivers from Linux maps each entry by a call of its own, which
 * counts.
 *
 * @param[in] dev The device.
 * @param[in] number Which of the next calls of the device fails: 1 for the next one, 2 for the one after it. 0 cancels
 * the request.
 * @retval 1 The request is set; it is cancelled if `number` is 0.
 * @retval 0 `dev` is NULL, or the debug mode is off or has no room for the device.
 * @note Context: any.
 */
rt_bool_t rt_dma_debug_fail(struct rt_device *dev, rt_size_t number);

/**
 * @brief Returns the device with a name: of several, the one that the debug mode has known for the shortest time.
 *
 * @param[in] name The name. Only its first 23 characters are compared.
 * @return The device, which may have been removed since. NULL if `name` is NULL, if no device of this name has made a
 * call that the debug mode watches, if the debug mode had no room for the device (it has room for 64), and after a
 * device of another name was found at its address.
 * @note Context: any.
 */
struct rt_device *rt_dma_debug_find(const char *name);

/**
 * @brief Returns whether the call that the last `rt_dma_debug_fail` selected has failed.
 *
 * @param[in] dev The device.
 * @return 1 if it has, else 0.
 * @note Context: any.
 */
rt_bool_t rt_dma_debug_has_failed(struct rt_device *dev);

/**
 * @brief Reports what a device holds, because its driver is removed.
 *
 * `rt_dmam_release` does so by itself. A driver without managed resources calls this function at the end of its
 * removal. Managed resources that were not released are reported, too.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @note Context: any.
 */
void rt_dma_debug_device_gone(struct rt_device *dev);

/**
 * @brief Returns how many mistakes the debug mode found.
 *
 * @param[in] dev The device; NULL for all devices.
 * @return The number. Only the first 64 devices have a number of their own: for any other device it is 0, but the
 * number for NULL includes its mistakes.
 * @note Context: any.
 */
rt_size_t rt_dma_debug_mistakes(struct rt_device *dev);

#else /* !PKG_RT_DMA_POOL_USING_DEBUG */

static inline rt_bool_t rt_dma_debug_fail(struct rt_device *dev, rt_size_t number)
{
    (void)dev;
    (void)number;

    return 0;
}

static inline struct rt_device *rt_dma_debug_find(const char *name)
{
    (void)name;

    return NULL;
}

static inline rt_bool_t rt_dma_debug_has_failed(struct rt_device *dev)
{
    (void)dev;

    return 0;
}

static inline void rt_dma_debug_device_gone(struct rt_device *dev)
{
    (void)dev;
}

static inline rt_size_t rt_dma_debug_mistakes(struct rt_device *dev)
{
    (void)dev;

    return 0;
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */

#ifdef __cplusplus
}
#endif

#endif /* RT_DMA_DEBUG_H */
