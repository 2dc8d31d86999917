/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of several cores, which are freed on the core that allocated them, or on another one. */
#include <string.h>

#include "threads.h"

static struct rt_device dev = { .parent.name = "buffers" };
static const rt_ubase_t kinds[] = { 0, RT_DMA_F_NOCACHE, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR };

/* Every byte is written, so that a page that another core has, or gave back without an order, is noticed. */
static void on_one_core(int core)
{
    for (int step = 0; step < 400; step++)
    {
        rt_size_t size = ARCH_PAGE_SIZE * (1 + (step + core) % 5);
        rt_ubase_t flags = kinds[(step + core) % 3], handle;
        char *buffer = rt_dma_alloc(&dev, size, &handle, flags);

        if (buffer)
        {
            memset(buffer, core, size);
            EXPECT(rt_dma_sync_out_data(&dev, buffer, size, &handle, flags) == RT_EOK);
            EXPECT(rt_dma_sync_in_data(&dev, buffer, size, handle, flags) == RT_EOK);
            EXPECT(buffer[0] == core && buffer[size - 1] == core);
            rt_dma_free(&dev, size, buffer, handle, flags);
        }
    }
}

/* A buffer is allocated on one core, and freed on another. */
static void on_two_cores(int core)
{
    for (int step = 0; step < 400; step++)
    {
        struct memory memory;

        memory.at = rt_dma_alloc(&dev, 2 * ARCH_PAGE_SIZE, &memory.handle, 0);
        EXPECT(memory.at);
        memset(memory.at, core, 2 * ARCH_PAGE_SIZE);
        memory = exchange(core, memory);
        if (memory.at)
        {
            EXPECT(memory.at[0] == memory.at[2 * ARCH_PAGE_SIZE - 1]);
            rt_dma_free(&dev, 2 * ARCH_PAGE_SIZE, memory.at, memory.handle, 0);
        }
    }
}

static struct rt_device owner = { .parent.name = "own mappings" };

/* Installs a pool of the owner's that is larger than a view may be. */
static void install_without_view(void)
{
    static rt_region_t region = { HOST_RAM + 17 * MIB, HOST_RAM + 19 * MIB, "no view" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);

    EXPECT(pool);
    pool->dev = &owner;
    pool->flags |= RT_DMA_F_DEVICE;
}

/* Uncached buffers of that pool, each with a mapping of its own. */
static void with_own_mappings(int core)
{
    for (int step = 0; step < 60; step++)
    {
        rt_ubase_t handle;
        char *buffer = rt_dma_alloc(&owner, 8192, &handle, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE);

        EXPECT(buffer);
        memset(buffer, core, 8192);
        rt_dma_free(&owner, 8192, buffer, handle, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE);
    }
}

void buffers(void)
{
    on_every_core(on_one_core);
    on_every_core(on_two_cores);
    install_without_view();
    on_every_core(with_own_mappings);
}
