/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file of_reserved_mem.h
 * @brief For porting drivers from Linux: a device's own memory, which its node names in `memory-region`.
 *
 * The library serves a device from all regions that its node names, so no driver needs these functions. They return
 * whether a region is there. Two things differ from Linux: `np` must be the device's own node, and a device with
 * several regions has them all.
 */
#ifndef RT_DMA_LINUX_OF_RESERVED_MEM_H
#define RT_DMA_LINUX_OF_RESERVED_MEM_H

#include <rt_dma_linux/types.h>

/* If Linux's header, or a header of the port, follows this one in the search path, it is used. */
#if defined(__KERNEL__) && defined(__has_include_next)
#if __has_include_next(<linux/of_reserved_mem.h>)
#define RT_DMA_LINUX_HAS_OF_RESERVED_MEM
#include_next <linux/of_reserved_mem.h>
#endif
#endif

#ifndef RT_DMA_LINUX_HAS_OF_RESERVED_MEM

struct device_node;
struct rt_ofw_node;

/** @cond */
#ifdef __cplusplus
extern "C" {
#endif
/* A function of RT-Thread, which drivers/ofw.h declares too. */
int rt_ofw_prop_index_of_string(const struct rt_ofw_node *np, const char *propname, const char *string);
/* A function of the library's port: returns the device's node, or NULL. */
const void *rt_dma_port_node(void *dev);
#ifdef __cplusplus
}
#endif
/** @endcond */

/**
 * @brief Gives the device region `idx` of its node.
 *
 * @retval 0 The device has the region.
 * @retval -EINVAL There is no device, or `np` is not its node.
 * @retval -ENODEV The node names no such region, or the region is refused or disabled.
 * @retval -ENOMEM There is no memory for the bookkeeping, or the caller may not sleep.
 * @note Context: thread.
 */
static inline int of_reserved_mem_device_init_by_idx(dma_device_t dev, struct device_node *np, int idx)
{
    struct rt_device *rt = dma_rt_device(dev);
    long rt_error;

    if (!rt || !np || (const void *)np != rt_dma_port_node(rt))
    {
        return -EINVAL;
    }
    if (idx < 0)
    {
        return -ENODEV;
    }
    rt_error = (long)rt_dma_own_region_init(rt, np, (uintptr_t)idx);
    /* These names are macros of RT-Thread's headers. Without them the two cases return -ENODEV, too. */
#if defined(RT_EBUSY) && defined(RT_ENOMEM)
    if (rt_error == -RT_EBUSY || rt_error == -RT_ENOMEM)
    {
        return -ENOMEM;
    }
#endif
    /* Any other error. */
    return rt_error ? -ENODEV : 0;
}

/**
 * @brief Gives the device the region that `memory-region-names` of its node calls `name`.
 *
 * @return As of_reserved_mem_device_init_by_idx().
 * @note Context: thread.
 */
static inline int of_reserved_mem_device_init_by_name(dma_device_t dev, struct device_node *np, const char *name)
{
    const struct rt_ofw_node *rt_np = (const struct rt_ofw_node *)(void *)np;
    int idx = np ? rt_ofw_prop_index_of_string(rt_np, "memory-region-names", name) : -1;

    return of_reserved_mem_device_init_by_idx(dev, np, idx);
}

/**
 * @brief Gives the device the first region of its node.
 *
 * @return As of_reserved_mem_device_init_by_idx(); -EINVAL if the device has no node.
 * @note Context: thread.
 */
static inline int of_reserved_mem_device_init(dma_device_t dev)
{
    struct rt_device *rt = dma_rt_device(dev);
    const void *np = rt ? rt_dma_port_node(rt) : NULL;

    return of_reserved_mem_device_init_by_idx(dev, (struct device_node *)(uintptr_t)np, 0);
}

/**
 * @brief Ends the device's right to its regions. Buffers that it has stay, and are freed as before.
 *
 * @note Context: any.
 */
static inline void of_reserved_mem_device_release(dma_device_t dev)
{
    rt_dma_own_region_release(dma_rt_device(dev));
}

#endif /* RT_DMA_LINUX_HAS_OF_RESERVED_MEM */

#endif /* RT_DMA_LINUX_OF_RESERVED_MEM_H */
