/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second baseline for pages: a first fit that reads the bitmap word by word, 64 pages at a time. See first_fit.h.
 *
 * Words without a free page, and words without a used one, are not looked into. In other words shifts find the run, and
 * the number of trailing zeros is its place.
 */
#include "first_fit.h"

#define WIDTH   RT_BITMAP_BIT_WIDTH
#define ALL     (~(rt_bitmap_t)0)

/* Returns the bits at which `pages` free pages of the word begin, all within the word. */
static inline rt_bitmap_t runs_in_word(rt_bitmap_t free, rt_size_t pages)
{
    rt_size_t length = 1;

    /* A bit is set while `length` free pages begin at it. Each step at most doubles the length. */
    while (length < pages && free)
    {
        rt_size_t step = pages - length < length ? pages - length : length;

        free &= free >> step;
        length += step;
    }
    return free;
}

/* Returns the first page of the lowest run of `pages` free pages, or the pool's number of pages. */
static inline rt_size_t lowest_run(struct rt_dma_pool *pool, rt_size_t pages)
{
    rt_size_t before = 0;   /* free pages directly before the word */

    if (pages > pool->bits)
    {
        return pool->bits;
    }
    for (rt_size_t page = 0; page < pool->bits; page += WIDTH)
    {
        rt_bitmap_t used = pool->map[page / WIDTH], runs;

        if (used == ALL)
        {
            before = 0;
            continue;
        }
        if (before + (used ? (rt_size_t)__builtin_ctzl(used) : WIDTH) >= pages)
        {
            return page - before;
        }
        if (!used)
        {
            before += WIDTH;
            continue;
        }
        runs = runs_in_word(~used, pages);
        if (runs)
        {
            return page + __builtin_ctzl(runs);
        }
        before = __builtin_clzl(used);
    }
    return pool->bits;
}

/* Marks free pages as used, or used pages as free. */
static inline void change_run(struct rt_dma_pool *pool, rt_size_t first, rt_size_t pages)
{
    rt_bitmap_t *word = pool->map + first / WIDTH;

    for (rt_size_t bit = first % WIDTH, end; pages; bit = 0, pages -= end)
    {
        end = WIDTH - bit < pages ? WIDTH - bit : pages;
        *word++ ^= ALL >> (WIDTH - end) << bit;
    }
}

static rt_size_t take_run(struct rt_dma_pool *pool, rt_size_t pages)
{
    rt_size_t first = lowest_run(pool, pages);

    if (first != pool->bits)
    {
        change_run(pool, first, pages);
    }
    return first;
}

static void give_run(struct rt_dma_pool *pool, rt_size_t first, rt_size_t pages)
{
    change_run(pool, first, pages);
}

struct rt_dma_pool *word_by_word_install(rt_region_t *region)
{
    struct rt_dma_pool *pool = first_fit_install(region);

    /* The last word has no bits of pages that do not exist. */
    RT_ASSERT(pool->bits % WIDTH == 0);
    return pool;
}

void *word_by_word_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return first_fit_alloc(dev, size, dma_handle, flags, take_run);
}

void word_by_word_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    first_fit_free(dev, size, cpu_addr, dma_handle, flags, give_run);
}
