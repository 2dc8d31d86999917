/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong syncs. */
#include "wrong.h"

void sync_foreign(struct rt_device *dev)
{
    rt_dma_sync_single_for_cpu(dev, (rt_ubase_t)rt_kmem_v2p(wrong_memory[1]), SIZE, RT_DMA_FROM_DEVICE);
}

void sync_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle = wrong_map(&parent, wrong_memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&parent, handle, SIZE, RT_DMA_FROM_DEVICE);
}

void sync_end(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle + SIZE / 2, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
}

void sync_direction(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_TO_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

void sync_past_buffer(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_sync_in_data(dev, buffer, 2 * SIZE, handle, 0);
    rt_dma_free(dev, SIZE, buffer, handle, 0);
}

void sync_freed(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_free(dev, SIZE, buffer, handle, 0);
    rt_dma_sync_out_data(dev, buffer, SIZE, &handle, 0);
}

/* What RT-Thread's driver for Cadence's Ethernet MAC does with its packets. */
void sync_nocache(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *packet = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_sync_out_data(dev, packet, SIZE, &handle, RT_DMA_F_NOCACHE);
    rt_dma_free(dev, SIZE, packet, handle, 0);
}

/* The same mistake with memory that is not a pool's. */
void sync_own_nocache(struct rt_device *dev)
{
    rt_dma_sync_in_data(dev, wrong_memory[0], SIZE, (rt_ubase_t)rt_kmem_v2p(wrong_memory[0]), RT_DMA_F_NOCACHE);
}

void sync_cached(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_sync_in_data(dev, ring, SIZE, handle, 0);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}
