/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: calls of block pools. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

static struct rt_dma_block_pool *create_pool(const char *name, struct rt_device *dev, rt_size_t size, rt_size_t align,
        rt_size_t boundary, int is_managed, uintptr_t caller, __typeof__(rt_dma_block_pool_create) *real)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, caller);
    struct rt_dma_block_pool *pool;

    rt_dma_watch_calling(&call);
    pool = real(name, dev, size, align, boundary);

    if (pool)
    {
        rt_dma_watch_pool_created(&call, pool, size, is_managed);
    }

    return pool;
}

struct rt_dma_block_pool *__wrap_rt_dma_block_pool_create(const char *name, struct rt_device *dev, rt_size_t size,
        rt_size_t align, rt_size_t boundary)
{
    return create_pool(name, dev, size, align, boundary, NOT_MANAGED, CALLER, __real_rt_dma_block_pool_create);
}

struct rt_dma_block_pool *__wrap_rt_dma_block_pool_create_linux(const char *name, struct rt_device *dev, rt_size_t size,
        rt_size_t align, rt_size_t boundary)
{
    return create_pool(name, dev, size, align, boundary, NOT_MANAGED, CALLER, __real_rt_dma_block_pool_create_linux);
}

struct rt_dma_block_pool *__wrap_rt_dmam_block_pool_create(const char *name, struct rt_device *dev, rt_size_t size,
        rt_size_t align, rt_size_t boundary)
{
    return create_pool(name, dev, size, align, boundary, MANAGED, CALLER, __real_rt_dmam_block_pool_create);
}

struct rt_dma_block_pool *__wrap_rt_dmam_block_pool_create_linux(const char *name, struct rt_device *dev,
        rt_size_t size, rt_size_t align, rt_size_t boundary)
{
    return create_pool(name, dev, size, align, boundary, MANAGED, CALLER, __real_rt_dmam_block_pool_create_linux);
}

rt_err_t __wrap_rt_dma_block_pool_destroy(struct rt_dma_block_pool *pool)
{
    rt_err_t result;

    rt_dma_watch_pool_destroying(pool);
    result = __real_rt_dma_block_pool_destroy(pool);
    rt_dma_watch_pool_destroyed(pool);

    return result;
}

void __wrap_rt_dmam_block_pool_destroy(struct rt_dma_block_pool *pool)
{
    rt_dma_watch_pool_destroying(pool);
    __real_rt_dmam_block_pool_destroy(pool);
    rt_dma_watch_pool_destroyed(pool);
}

static void *alloc_block(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle, uintptr_t caller,
        void *(*alloc)(struct rt_dma_block_pool *, rt_ubase_t *))
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(rt_dma_watch_pool_device(pool), caller);
    rt_ubase_t handle = 0;
    void *block;

    /* 0, because the driver states no size. */
    if (rt_dma_watch_must_fail(&call, 0))
    {
        return RT_NULL;
    }

    block = alloc(pool, &handle);

    if (block)
    {
        if (dma_handle)
        {
            *dma_handle = handle;
        }

        rt_dma_watch_block_allocated(&call, pool, block, handle);
    }

    return block;
}

void *__wrap_rt_dma_block_pool_alloc(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle)
{
    return alloc_block(pool, dma_handle, CALLER, __real_rt_dma_block_pool_alloc);
}

void *__wrap_rt_dma_block_pool_zalloc(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle)
{
    return alloc_block(pool, dma_handle, CALLER, __real_rt_dma_block_pool_zalloc);
}

void __wrap_rt_dma_block_pool_free(struct rt_dma_block_pool *pool, void *block, rt_ubase_t dma_handle)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(rt_dma_watch_pool_device(pool), CALLER);
    rt_size_t check = rt_dma_watch_block_freeing(&call, pool, block, dma_handle);

    __real_rt_dma_block_pool_free(pool, block, dma_handle);
    rt_dma_watch_block_freed(&call, pool, block, check);
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
