/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file of_reserved_mem.h
 * @brief For porting drivers from Linux: a device's own memory, which its node names in `memory-region`.
 *
 * The library serves a device from all regions that its node names, from the first call on. So these calls only return whether
 * a region is there. What differs from Linux: the node is the device's own, and a device with several regions has them all.
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
/* RT-Thread's drivers/ofw.h declares it. */
int rt_ofw_prop_index_of_string(const struct rt_ofw_node *np, const char *propname, const char *string);
const void *rt_dma_port_node(void *dev);
#ifdef __cplusplus
}
#endif
/** @endcond */

/**
 * @brief Gives the device region `idx` of its node.
 *
 * @return 0; -EINVAL for another node; -ENODEV if there is no such region, or it is refused or disabled; -ENOMEM if there is no
 * memory for the bookkeeping, or the caller is no thread.
 * @note Context: thread.
 */
static inline int of_reserved_mem_device_init_by_idx(dma_device_t dev, struct device_node *np, int idx)
{
    struct rt_device *rt = dma_rt_device(dev);
    long error;

    if (!rt || !np || (const void *)np != rt_dma_port_node(rt))
    {
        return -EINVAL;
    }
    error = idx < 0 ? 1 : (long)rt_dma_own_region_init(rt, np, (uintptr_t)idx);
#ifdef RT_EBUSY
    if (error == -RT_EBUSY)
    {
        return -ENOMEM;
    }
#endif
    return error ? -ENODEV : 0;
}

/** @brief Gives the device the region that `memory-region-names` of its node calls `name`. Returns 0, -EINVAL or -ENODEV. */
static inline int of_reserved_mem_device_init_by_name(dma_device_t dev, struct device_node *np, const char *name)
{
    int idx = np ? rt_ofw_prop_index_of_string((const struct rt_ofw_node *)(void *)np, "memory-region-names", name) : -1;

    return of_reserved_mem_device_init_by_idx(dev, np, idx);
}

/** @brief Gives the device the first region of its node. Returns 0; -EINVAL without a node; -ENODEV without a region. */
static inline int of_reserved_mem_device_init(dma_device_t dev)
{
    struct rt_device *rt = dma_rt_device(dev);

    return of_reserved_mem_device_init_by_idx(dev, rt ? (struct device_node *)(uintptr_t)rt_dma_port_node(rt) : NULL, 0);
}

/** @brief Ends the device's right to its regions. Buffers that it has stay, and are freed as before. */
static inline void of_reserved_mem_device_release(dma_device_t dev)
{
    rt_dma_own_region_release(dma_rt_device(dev));
}

#endif /* RT_DMA_LINUX_HAS_OF_RESERVED_MEM */

#endif /* RT_DMA_LINUX_OF_RESERVED_MEM_H */
