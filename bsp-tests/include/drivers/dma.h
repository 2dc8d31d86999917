/* SPDX-License-Identifier: Apache-2.0 */
/* DMA memory: the interface that this repository's library implements, in the revision STAND_IN_REVISION. */
/* The guard is RT-Thread's: rt_dma_pool.h tests it. As RT-Thread's, this header is for C only. */
#ifndef __DMA_H__
#define __DMA_H__

#include <rtthread.h>
#ifdef RT_USING_OFW
#include <drivers/ofw.h>
#endif
#include <drivers/misc.h>
#include <drivers/core/dm.h>

#include <mmu.h>
#include <mm_page.h>
#include <bitmap.h>

#define RT_DMA_F_LINEAR     RT_BIT(0)
#define RT_DMA_F_32BITS     RT_BIT(1)
#define RT_DMA_F_NOCACHE    RT_BIT(2)
#define RT_DMA_F_DEVICE     RT_BIT(3)
#define RT_DMA_F_NOMAP      RT_BIT(4)
#if STAND_IN_REVISION >= 2
#define RT_DMA_F_WT         RT_BIT(5)
#endif

#define RT_DMA_PAGE_SIZE    ARCH_PAGE_SIZE

struct rt_dma_pool
{
    rt_region_t region;

    rt_list_t list;

    rt_ubase_t flags;

    rt_bitmap_t *map;
    rt_size_t bits;
    rt_ubase_t start;

    struct rt_device *dev;
};

struct rt_dma_map_ops
{
    void *(*alloc)(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
    void (*free)(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);
    rt_err_t (*sync_out_data)(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle,
            rt_ubase_t flags);
    rt_err_t (*sync_in_data)(struct rt_device *dev, void *out_data, rt_size_t size, rt_ubase_t dma_handle,
            rt_ubase_t flags);
};

void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);

rt_inline void *rt_dma_alloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return rt_dma_alloc(dev, size, dma_handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
}

rt_inline void rt_dma_free_coherent(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle)
{
    rt_dma_free(dev, size, cpu_addr, dma_handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
}

rt_err_t rt_dma_sync_out_data(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle,
        rt_ubase_t flags);
rt_err_t rt_dma_sync_in_data(struct rt_device *dev, void *out_data, rt_size_t size, rt_ubase_t dma_handle,
        rt_ubase_t flags);

rt_inline rt_bool_t rt_dma_device_is_coherent(struct rt_device *dev)
{
    return rt_dm_dev_prop_read_bool(dev, "dma-coherent");
}

rt_inline void rt_dma_device_set_ops(struct rt_device *dev, const struct rt_dma_map_ops *ops)
{
    dev->dma_ops = ops;
}

struct rt_dma_pool *rt_dma_pool_install(rt_region_t *region);
#if STAND_IN_REVISION >= 2
#ifdef RT_USING_OFW
const struct rt_dma_map_ops *rt_dma_ofw_device_map_ops(struct rt_device *dev);
#endif
rt_err_t rt_dma_pool_extract(rt_size_t cma_size, rt_size_t coherent_pool_size);
#else
rt_err_t rt_dma_pool_extract(rt_region_t *region_list, rt_size_t list_len, rt_size_t cma_size,
        rt_size_t coherent_pool_size);
#endif

#endif
