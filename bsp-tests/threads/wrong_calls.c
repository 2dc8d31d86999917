/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong frees on several cores at once: one of several frees is right, and frees of other sizes change nothing. */
#include <string.h>

#include "threads.h"

static struct rt_device dev = { .parent.name = "wrong" };
static struct rt_dma_block_pool *pool;
static struct memory buffer, block;

static void on_one_core(int core)
{
    rt_ubase_t handle;

    rt_dma_free(&dev, 4096 * (1 + core % 2), buffer.at, buffer.handle, 0);
    rt_dma_block_pool_free(pool, block.at, block.handle);
    rt_dma_block_pool_free(pool, block.at + 8, block.handle + 8);
    rt_dma_unmap_single(&dev, buffer.handle, 64, RT_DMA_TO_DEVICE);
    EXPECT(rt_dma_sync_out_data(&dev, (void *)8, 64, &handle, 0) != RT_EOK);
}

void wrong_calls(void)
{
    rt_ubase_t first = 0;

    pool = rt_dma_block_pool_create("wrong", &dev, 64, 64, 0);
    EXPECT(pool);
    for (int round = 0; round < 40; round++)
    {
        buffer.at = rt_dma_alloc(&dev, 8192, &buffer.handle, 0);
        block.at = rt_dma_block_pool_alloc(pool, &block.handle);
        EXPECT(buffer.at && block.at);
        if (round == 0)
        {
            first = buffer.handle;
        }
        /* A buffer gets the lowest free pages, so one of the frees in the round before was right. */
        EXPECT_EQ(buffer.handle, first);
        memset(buffer.at, round, 8192);
        memset(block.at, round, 64);
        on_every_core(on_one_core);
    }
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
}
