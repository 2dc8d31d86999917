/* SPDX-License-Identifier: Apache-2.0 */
/* Pools that are installed, listed and uninstalled while other cores allocate. */
#include <string.h>

#include "threads.h"

int list_dma_pool(int argc, char **argv);

static struct rt_device dev = { .parent.name = "pools" };

static void comes_and_goes(rt_size_t place)
{
    rt_region_t region = { HOST_RAM + place, HOST_RAM + place + MIB, "module" };
    struct rt_device owner = { .parent.name = "module" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);
    rt_ubase_t handle;
    char *buffer;

    EXPECT(pool);
    /* C code writes both after the pool was listed: the interface has no other way. */
    __atomic_store_n(&pool->dev, &owner, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->flags, pool->flags | RT_DMA_F_DEVICE, __ATOMIC_RELAXED);
    buffer = rt_dma_alloc(&owner, 8192, &handle, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE);
    EXPECT(buffer);
    memset(buffer, 1, 8192);
    rt_dma_free(&owner, 8192, buffer, handle, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE);
    /* Another core may have taken a page before the pool was the owner's. */
    while (rt_dma_pool_uninstall(pool) == -RT_EBUSY)
    {
        rt_thread_mdelay(1);
    }
}

static void on_one_core(int core)
{
    for (int step = 0; step < 25; step++)
    {
        rt_ubase_t handle;
        char *buffer;

        if (core < 2)
        {
            comes_and_goes((30 + core) * MIB);
        }
        else if (step % 8 == 0)
        {
            list_dma_pool(0, RT_NULL);
        }
        for (int i = 0; i < 20; i++)
        {
            buffer = rt_dma_alloc(&dev, 4096, &handle, 0);
            EXPECT(buffer);
            memset(buffer, core, 4096);
            rt_dma_free(&dev, 4096, buffer, handle, 0);
        }
    }
}

void pools(void)
{
    on_every_core(on_one_core);
}
