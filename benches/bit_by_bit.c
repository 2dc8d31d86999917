/* SPDX-License-Identifier: Apache-2.0 */
/* The first baseline for pages: a first fit that reads the bitmap bit by bit. See first_fit.h. */
#include "first_fit.h"

static inline void change_bit(rt_bitmap_t *map, rt_size_t bit)
{
    map[bit / RT_BITMAP_BIT_WIDTH] ^= (rt_bitmap_t)1 << (bit % RT_BITMAP_BIT_WIDTH);
}

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

static void give_run(struct rt_dma_pool *pool, rt_size_t first, rt_size_t pages)
{
    for (rt_size_t page = first; page < first + pages; ++page)
    {
        change_bit(pool->map, page);
    }
}

struct rt_dma_pool *bit_by_bit_install(rt_region_t *region)
{
    return first_fit_install(region);
}

void *bit_by_bit_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return first_fit_alloc(dev, size, dma_handle, flags, take_run);
}

void bit_by_bit_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    first_fit_free(dev, size, cpu_addr, dma_handle, flags, give_run);
}
