/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong streaming maps and unmaps. */
#include "wrong.h"

void unmap_size(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE / 2, RT_DMA_FROM_DEVICE);
}

void unmap_direction(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

void unmap_call(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_page(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

void unmap_entry(struct rt_device *dev)
{
    struct rt_dma_sg list[] = { { wrong_memory[0], SIZE, 0 }, { wrong_memory[1], SIZE, 0 } };

    rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, list[0].dma_handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, list[1].dma_handle, SIZE, RT_DMA_TO_DEVICE);
}

void unmap_buffer(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

void unmap_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle = wrong_map(&parent, wrong_memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&parent, handle, SIZE, RT_DMA_TO_DEVICE);
}

void unmap_count(struct rt_device *dev)
{
    struct rt_dma_sg list[] = { { wrong_memory[0], SIZE, 0 }, { wrong_memory[1], SIZE, 0 } };

    rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE);
    rt_dma_unmap_sg(dev, list, 1, RT_DMA_TO_DEVICE);
    rt_dma_unmap_sg(dev, list + 1, 1, RT_DMA_TO_DEVICE);
}

void unmap_twice(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

void unmap_foreign(struct rt_device *dev)
{
    rt_dma_unmap_single(dev, (rt_ubase_t)rt_kmem_v2p(wrong_memory[1]), SIZE, RT_DMA_TO_DEVICE);
}

void unmap_failed(struct rt_device *dev)
{
    rt_ubase_t handle = rt_dma_map_single(dev, wrong_memory[0], SIZE, RT_DMA_NONE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_NONE);
}

void unchecked(struct rt_device *dev)
{
    rt_ubase_t handle = rt_dma_map_single(dev, wrong_memory[0], SIZE, RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

void never_checked(struct rt_device *dev)
{
    (void)rt_dmam_map_single(dev, wrong_memory[0], SIZE, RT_DMA_TO_DEVICE);
    rt_dmam_release(dev);
}

void map_twice(struct rt_device *dev)
{
    static struct rt_device other = { .parent.name = "other" };
    rt_ubase_t first = wrong_map(&other, wrong_memory[0], RT_DMA_FROM_DEVICE);
    rt_ubase_t second = rt_dma_map_single(dev, wrong_memory[0] + SIZE / 2, SIZE, RT_DMA_FROM_DEVICE);

    (void)rt_dma_mapping_error(dev, second);
    rt_dma_unmap_single(dev, second, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&other, first, SIZE, RT_DMA_FROM_DEVICE);
}

void map_stack(struct rt_device *dev)
{
    char buffer[64] rt_align(64) = { 0 };
    rt_ubase_t handle = rt_dma_map_single(dev, buffer, sizeof(buffer), RT_DMA_TO_DEVICE);

    (void)rt_dma_mapping_error(dev, handle);
    rt_dma_unmap_single(dev, handle, sizeof(buffer), RT_DMA_TO_DEVICE);
}

void map_unmapped(struct rt_device *dev)
{
    (void)rt_dma_mapping_error(dev, rt_dma_map_single(dev, UNMAPPED, SIZE, RT_DMA_TO_DEVICE));
}

/* Its line is written by the next call of a thread. */
void in_interrupt(struct rt_device *dev)
{
    rt_ubase_t handle = wrong_map(dev, wrong_memory[0], RT_DMA_FROM_DEVICE);
    rt_base_t level = rt_hw_interrupt_disable();

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_hw_interrupt_enable(level);
    rt_dma_free(dev, SIZE, rt_dma_alloc(dev, SIZE, RT_NULL, 0), 0, 0);
}
