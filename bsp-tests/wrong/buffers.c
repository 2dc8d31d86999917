/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong frees, and buffers that are left when a device is removed. */
#include "wrong.h"

void free_size(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, 2 * SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void free_call(struct rt_device *dev)
{
    rt_ubase_t handle;
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("wrong", dev, 64, 64, 0);
    void *block = rt_dma_block_pool_alloc(pool, &handle);

    rt_dma_free(dev, 64, block, handle, COHERENT);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_destroy(pool);
}

void free_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(&parent, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void free_handle(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle + 64, COHERENT);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void free_twice(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void free_foreign(struct rt_device *dev)
{
    rt_dma_free(dev, SIZE, wrong_memory[0], 0, COHERENT);
}

void block_foreign(struct rt_device *dev)
{
    rt_ubase_t handle;
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("wrong", dev, 64, 64, 0);
    char *block = rt_dma_block_pool_alloc(pool, &handle);

    rt_dma_block_pool_free(pool, block + 8, 0);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_destroy(pool);
}

void held(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* Its removal frees only what is managed. */
    rt_dmam_release(dev);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void held_managed(struct rt_device *dev)
{
    rt_ubase_t handle;

    /* It forgets to release what is managed. */
    (void)rt_dmam_alloc(dev, SIZE, &handle, COHERENT);
    rt_dma_debug_device_gone(dev);
    rt_dmam_release(dev);
}

void held_block(struct rt_device *dev)
{
    rt_ubase_t handle;
    struct rt_dma_block_pool *pool = rt_dmam_block_pool_create("wrong", dev, 64, 64, 0);
    void *block = rt_dma_block_pool_alloc(pool, &handle);

    /* The pool stays, because a block is in use. */
    rt_dmam_block_pool_destroy(pool);
    rt_dmam_release(dev);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_destroy(pool);
}

void replaced(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* The next device lies at the same address, as one on the stack of the same function does. */
    dev->dma_ops = RT_NULL;
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void replaced_pool(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* The first call of the next device creates a pool. */
    dev->dma_ops = RT_NULL;
    rt_dmam_block_pool_destroy(rt_dmam_block_pool_create("wrong", dev, 64, 64, 0));
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void replaced_managed(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dmam_alloc(dev, SIZE, &handle, COHERENT);

    /* The first call of the next device is a release, which must not free what is the earlier one's. */
    dev->dma_ops = RT_NULL;
    rt_dmam_release(dev);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void replaced_mask(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* The first call of the next device sets its masks, as most probe functions for Linux do. */
    dev->dma_ops = RT_NULL;
    (void)rt_dma_set_mask_and_coherent(dev, 0xffffffff);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
    rt_dmam_release(dev);
}
