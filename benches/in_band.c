/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The baseline for small blocks: a free list in the blocks themselves. The first word of a free block points to the
 * next one. Blocks are taken from the list's head and returned to it under the pool's lock, without checks. The handle
 * is computed by an addition.
 */
#include "baselines.h"

struct page
{
    struct page *next;
    void *va;
    rt_ubase_t handle;
};

struct in_band_pool
{
    void *first;            /* the free block at the head */
    rt_ubase_t offset;      /* from the virtual address to the handle; all pages of a view have the same offset */
    struct rt_spinlock lock;
    struct rt_device *dev;
    rt_size_t size, boundary;
    struct page *pages;
};

struct in_band_pool *in_band_create(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_size_t boundary)
{
    struct in_band_pool *pool = rt_calloc(1, sizeof(*pool));

    RT_ASSERT(pool);
    pool->dev = dev;
    pool->size = RT_ALIGN(size, align);
    pool->boundary = boundary ? boundary : ARCH_PAGE_SIZE;
    return pool;
}

/* Adds a page. All its blocks are free, and the lowest is at the head of the list. */
static __attribute__((noinline)) int grow(struct in_band_pool *pool)
{
    struct page *page = rt_calloc(1, sizeof(*page));
    void *first = RT_NULL, **last = &first;
    rt_base_t level;

    if (!page || !(page->va = rt_dma_alloc_coherent(pool->dev, ARCH_PAGE_SIZE, &page->handle)))
    {
        rt_free(page);
        return 0;
    }
    RT_ASSERT(!pool->pages || pool->offset == page->handle - (rt_ubase_t)page->va);
    pool->offset = page->handle - (rt_ubase_t)page->va;
    page->next = pool->pages;
    pool->pages = page;
    for (rt_size_t at = 0; at + pool->size <= ARCH_PAGE_SIZE; at += pool->size)
    {
        if (at / pool->boundary != (at + pool->size - 1) / pool->boundary)
        {
            at = RT_ALIGN(at, pool->boundary) - pool->size;
            continue;
        }
        *last = (char *)page->va + at;
        last = *last;
    }
    level = rt_spin_lock_irqsave(&pool->lock);
    *last = pool->first;
    pool->first = first;
    rt_spin_unlock_irqrestore(&pool->lock, level);
    return 1;
}

void *in_band_alloc(struct in_band_pool *pool, rt_ubase_t *dma_handle)
{
    rt_base_t level = rt_spin_lock_irqsave(&pool->lock);
    void **block;

    while (!(block = pool->first))
    {
        rt_spin_unlock_irqrestore(&pool->lock, level);
        if (!grow(pool))
        {
            return RT_NULL;
        }
        level = rt_spin_lock_irqsave(&pool->lock);
    }
    pool->first = *block;
    rt_spin_unlock_irqrestore(&pool->lock, level);
    *dma_handle = (rt_ubase_t)block + pool->offset;
    return block;
}

void in_band_free(struct in_band_pool *pool, void *block, rt_ubase_t dma_handle)
{
    rt_base_t level = rt_spin_lock_irqsave(&pool->lock);

    RT_UNUSED(dma_handle);
    *(void **)block = pool->first;
    pool->first = block;
    rt_spin_unlock_irqrestore(&pool->lock, level);
}

void in_band_destroy(struct in_band_pool *pool)
{
    while (pool->pages)
    {
        struct page *page = pool->pages;

        pool->pages = page->next;
        rt_dma_free_coherent(pool->dev, ARCH_PAGE_SIZE, page->va, page->handle);
        rt_free(page);
    }
    rt_free(pool);
}
