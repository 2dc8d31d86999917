/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers from Linux with one mistake each, which call the library by Linux's names. dma_wrong runs them. */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/scatterlist.h>

#include <rt_dma_debug.h>

#define SIZE    2048

void linux_entry(struct rt_device *dev);
void linux_list(struct rt_device *dev);
void linux_count(struct rt_device *dev);
void linux_coherent(struct rt_device *dev);
void linux_block(struct rt_device *dev);

static char memory[SIZE] rt_align(256);

/* An entry of a list is unmapped as a single buffer. */
void linux_entry(struct rt_device *dev)
{
    static struct scatterlist list[2];

    sg_init_table(list, RT_ARRAY_SIZE(list));
    sg_set_buf(&list[0], memory, SIZE);
    if (dma_map_sg(dev, list, 1, DMA_TO_DEVICE) == 1)
    {
        dma_unmap_single(dev, sg_dma_address(list), SIZE, DMA_TO_DEVICE);
    }
}

/* A single buffer is unmapped as a list. */
void linux_list(struct rt_device *dev)
{
    static struct scatterlist list[2];

    sg_init_table(list, RT_ARRAY_SIZE(list));
    sg_set_buf(&list[0], memory, SIZE);
    list[0].dma_address = dma_map_single(dev, memory, SIZE, DMA_TO_DEVICE);
    if (!dma_mapping_error(dev, list[0].dma_address))
    {
        dma_unmap_sg(dev, list, 1, DMA_TO_DEVICE);
    }
}

/* One entry of a list of two is unmapped; and the other one after the removal. */
void linux_count(struct rt_device *dev)
{
    static struct scatterlist list[3];

    sg_init_table(list, RT_ARRAY_SIZE(list));
    sg_set_buf(&list[0], memory, SIZE / 2);
    sg_set_buf(&list[1], memory + SIZE / 2, SIZE / 2);
    if (dma_map_sg(dev, list, 2, DMA_TO_DEVICE) == 2)
    {
        dma_unmap_sg(dev, list, 1, DMA_TO_DEVICE);
        rt_dma_debug_device_gone(dev);
        dma_unmap_sg(dev, &list[1], 1, DMA_TO_DEVICE);
    }
}

/* A block of a pool is freed as coherent memory, and then by the right call. */
void linux_coherent(struct rt_device *dev)
{
    dma_addr_t handle = 0;
    struct dma_pool *pool = dma_pool_create("wrong", dev, 64, 64, 0);
    void *block = dma_pool_alloc(pool, GFP_KERNEL, &handle);

    dma_free_coherent(dev, 64, block, handle);
    dma_pool_free(pool, block, handle);
    dma_pool_destroy(pool);
}

/* Coherent memory is freed as a block of a pool, and then by the right call. */
void linux_block(struct rt_device *dev)
{
    dma_addr_t handle = 0;
    struct dma_pool *pool = dma_pool_create("wrong", dev, 64, 64, 0);
    void *ring = dma_alloc_coherent(dev, SIZE, &handle, GFP_KERNEL);

    dma_pool_free(pool, ring, handle);
    dma_free_coherent(dev, SIZE, ring, handle);
    dma_pool_destroy(pool);
}
