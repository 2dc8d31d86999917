/* SPDX-License-Identifier: Apache-2.0 */
/* Managed memory of devices that come and go, each on its core, while the other cores have devices too. */
#include <string.h>

#include "threads.h"

static void on_one_core(int core)
{
    for (int step = 0; step < 60; step++)
    {
        struct rt_device dev = { .parent.name = "managed" };
        struct rt_dma_block_pool *pool = rt_dmam_block_pool_create("managed", &dev, 64, 64, 0);
        rt_ubase_t handle;
        char *buffer = rt_dmam_alloc(&dev, 4096, &handle, 0), *block;

        EXPECT(pool && buffer);
        memset(buffer, core, 4096);
        block = rt_dma_block_pool_alloc(pool, &handle);
        EXPECT(block);
        memset(block, core, 64);
        EXPECT(!rt_dma_mapping_error(&dev, rt_dmam_map_single(&dev, kernel_memory(core) + 1, 100, RT_DMA_TO_DEVICE)));
        EXPECT(rt_dma_set_mask(&dev, ((1ULL << 40) - 1)) == RT_EOK);
        rt_dmam_release(&dev);
    }
}

void managed(void)
{
    on_every_core(on_one_core);
}
