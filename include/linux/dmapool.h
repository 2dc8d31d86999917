/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For porting drivers from Linux: pools of small coherent blocks, as inline calls of rt_dma_block_pool_*.
 *
 * Names, arguments and results are those of Linux's Documentation/core-api/dma-api.rst. What differs:
 *
 * - dma_pool_destroy() leaves a pool alone whose blocks are not all free, and logs them.
 * - Blocks are coherent memory as rt_dma_alloc_coherent() gives it: where that is Device memory (aarch64), only aligned
 *   accesses. Clear a block with dma_pool_zalloc(), and fill it field by field, not by memset() or memcpy().
 * - A block may be allocated in an interrupt while a free one is there, whatever the GFP flags say; else it takes a
 *   thread to add pages.
 */
#ifndef RT_DMA_LINUX_DMAPOOL_H
#define RT_DMA_LINUX_DMAPOOL_H

#include <linux/dma-mapping.h>

/* A struct rt_dma_block_pool under the name that drivers know. */
struct dma_pool;

static inline struct rt_dma_block_pool *dma_linux_block_pool(struct dma_pool *pool)
{
    return (struct rt_dma_block_pool *)(void *)pool;
}

/*
 * size in bytes; align a power of two, or 0 for none; no block crosses a multiple of boundary, a power of two not less
 * than size, or 0 for none. NULL if one of them is wrong, or there is no memory for the bookkeeping. Thread.
 */
static inline struct dma_pool *dma_pool_create(const char *name, dma_device_t dev, size_t size, size_t align,
        size_t boundary)
{
    return (struct dma_pool *)(void *)rt_dma_block_pool_create(name, dma_rt_device(dev), size, align ? align : 1,
            boundary);
}

static inline void *dma_pool_alloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle)
{
    if (mem_flags & __GFP_ZERO)
    {
        return rt_dma_block_pool_zalloc(dma_linux_block_pool(pool), handle);
    }
    return rt_dma_block_pool_alloc(dma_linux_block_pool(pool), handle);
}

static inline void *dma_pool_zalloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle)
{
    return dma_pool_alloc(pool, mem_flags | __GFP_ZERO, handle);
}

/* vaddr and addr as they were allocated; what is no block in use is logged, and changes nothing. */
static inline void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr)
{
    rt_dma_block_pool_free(dma_linux_block_pool(pool), vaddr, addr);
}

/* Nothing for NULL. Thread. */
static inline void dma_pool_destroy(struct dma_pool *pool)
{
    if (pool)
    {
        (void)rt_dma_block_pool_destroy(dma_linux_block_pool(pool));
    }
}

/* Managed: rt_dmam_release() destroys it if the driver did not. */
static inline struct dma_pool *dmam_pool_create(const char *name, dma_device_t dev, size_t size, size_t align,
        size_t boundary)
{
    return (struct dma_pool *)(void *)rt_dmam_block_pool_create(name, dma_rt_device(dev), size, align ? align : 1,
            boundary);
}

static inline void dmam_pool_destroy(struct dma_pool *pool)
{
    if (pool)
    {
        rt_dmam_block_pool_destroy(dma_linux_block_pool(pool));
    }
}

#endif /* RT_DMA_LINUX_DMAPOOL_H */
