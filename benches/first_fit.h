/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of the baselines for pages, bit_by_bit.c and word_by_word.c: a first fit without any checks. A request
 * reads its device's operations, walks the list of pools, takes the lock, and searches a run by the function that the
 * file gives. The virtual address is computed by an addition. A free uses the handle without a check.
 */
#ifndef FIRST_FIT_H__
#define FIRST_FIT_H__

#include <mm_aspace.h>
#include "baselines.h"

/*
 * Marks the lowest run of `pages` free pages as used. Returns its first page, or the pool's number of pages if there is
 * none.
 */
typedef rt_size_t first_fit_take(struct rt_dma_pool *pool, rt_size_t pages);
/* Marks `pages` used pages from `first` on as free. */
typedef void first_fit_give(struct rt_dma_pool *pool, rt_size_t first, rt_size_t pages);

/* Each file that includes this one has its own pools, and its own lock. */
static rt_list_t pools = RT_LIST_OBJECT_INIT(pools);
static RT_DEFINE_SPINLOCK(lock);

static rt_err_t sync_nothing(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(data);
    RT_UNUSED(size);
    RT_UNUSED(handle);
    RT_UNUSED(flags);
    return RT_EOK;
}

static const struct rt_dma_map_ops coherent_ops = { .sync_in_data = sync_nothing };
static const struct rt_dma_map_ops noncoherent_ops = { .sync_in_data = sync_nothing };

static const struct rt_dma_map_ops *ops_of(struct rt_device *dev)
{
    if (!dev->dma_ops)
    {
        dev->dma_ops = rt_dma_device_is_coherent(dev) ? &coherent_ops : &noncoherent_ops;
    }
    return dev->dma_ops;
}

rt_inline struct rt_dma_pool *first_fit_install(rt_region_t *region)
{
    struct rt_dma_pool *pool = rt_calloc(1, sizeof(*pool));

    RT_ASSERT(pool);
    pool->region = *region;
    pool->start = region->start;
    pool->bits = (region->end - region->start) / ARCH_PAGE_SIZE;
    pool->flags = RT_DMA_F_LINEAR | RT_DMA_F_32BITS;
    pool->map = rt_calloc(RT_BITMAP_LEN(pool->bits), sizeof(rt_bitmap_t));
    RT_ASSERT(pool->map);
    rt_list_insert_before(&pools, &pool->list);
    return pool;
}

static int serves(struct rt_dma_pool *pool, struct rt_device *dev, rt_ubase_t flags)
{
    if ((pool->flags ^ flags) & RT_DMA_F_DEVICE)
    {
        return 0;
    }
    if ((pool->flags & RT_DMA_F_DEVICE) && pool->dev != dev)
    {
        return 0;
    }
    return !(flags & ~pool->flags & (RT_DMA_F_NOMAP | RT_DMA_F_32BITS));
}

rt_inline void *first_fit_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags,
        first_fit_take *take)
{
    const struct rt_dma_map_ops *ops;
    rt_size_t pages = RT_DIV_ROUND_UP(size, ARCH_PAGE_SIZE);
    rt_ubase_t unused;

    if (!dev || !size)
    {
        return RT_NULL;
    }
    ops = ops_of(dev);
    dma_handle = dma_handle ? dma_handle : &unused;
    if (ops->alloc)
    {
        return ops->alloc(dev, size, dma_handle, flags);
    }
    for (rt_list_t *node = pools.next; node != &pools; node = node->next)
    {
        struct rt_dma_pool *pool = rt_list_entry(node, struct rt_dma_pool, list);
        rt_base_t level;
        rt_size_t page;

        if (!serves(pool, dev, flags))
        {
            continue;
        }
        level = rt_spin_lock_irqsave(&lock);
        page = take(pool, pages);
        rt_spin_unlock_irqrestore(&lock, level);
        if (page != pool->bits)
        {
            *dma_handle = pool->start + page * ARCH_PAGE_SIZE;
            return (void *)(*dma_handle - PV_OFFSET);
        }
    }
    return RT_NULL;
}

rt_inline void first_fit_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle,
        rt_ubase_t flags, first_fit_give *give)
{
    const struct rt_dma_map_ops *ops;
    rt_size_t pages = RT_DIV_ROUND_UP(size, ARCH_PAGE_SIZE);

    if (!dev || !size || !cpu_addr)
    {
        return;
    }
    ops = ops_of(dev);
    if (ops->free)
    {
        ops->free(dev, size, cpu_addr, dma_handle, flags);
        return;
    }
    for (rt_list_t *node = pools.next; node != &pools; node = node->next)
    {
        struct rt_dma_pool *pool = rt_list_entry(node, struct rt_dma_pool, list);

        if (dma_handle >= pool->region.start && dma_handle < pool->region.end)
        {
            rt_size_t first = (dma_handle - pool->start) / ARCH_PAGE_SIZE;
            rt_base_t level = rt_spin_lock_irqsave(&lock);

            give(pool, first, pages);
            rt_spin_unlock_irqrestore(&lock, level);
            return;
        }
    }
}

#endif
