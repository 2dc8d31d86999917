/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The baseline for pages: a first fit that reads the bitmap bit by bit, without any checks. A request reads its device's
 * operations, walks the list of pools, takes the lock, and searches a run. The virtual address is computed by an addition.
 * A free uses the handle without a check.
 */
#include <mm_aspace.h>
#include "baselines.h"

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

struct rt_dma_pool *bit_by_bit_install(rt_region_t *region)
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

static inline void change_bit(rt_bitmap_t *map, rt_size_t bit)
{
    map[bit / RT_BITMAP_BIT_WIDTH] ^= (rt_bitmap_t)1 << (bit % RT_BITMAP_BIT_WIDTH);
}

/* Marks the lowest run of `pages` free pages as used. Returns its first page, or the pool's number of pages if there is none. */
static rt_size_t take_run(struct rt_dma_pool *pool, rt_size_t pages)
{
    rt_size_t run = 0;

    if (pages > pool->bits)
    {
        return pool->bits;
    }
    for (rt_size_t bit = 0; bit < pool->bits; ++bit)
    {
        if (rt_bitmap_test_bit(pool->map, bit))
        {
            run = 0;
            continue;
        }
        if (++run == pages)
        {
            rt_size_t first = bit + 1 - pages;

            for (rt_size_t taken = first; taken <= bit; ++taken)
            {
                change_bit(pool->map, taken);
            }
            return first;
        }
    }
    return pool->bits;
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

void *bit_by_bit_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
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
        page = take_run(pool, pages);
        rt_spin_unlock_irqrestore(&lock, level);
        if (page != pool->bits)
        {
            *dma_handle = pool->start + page * ARCH_PAGE_SIZE;
            return (void *)(*dma_handle - PV_OFFSET);
        }
    }
    return RT_NULL;
}

void bit_by_bit_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
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

            for (rt_size_t page = first; page < first + pages; ++page)
            {
                change_bit(pool->map, page);
            }
            rt_spin_unlock_irqrestore(&lock, level);
            return;
        }
    }
}
