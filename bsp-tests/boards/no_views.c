/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board whose pool is larger than the limit for views, and is not cached: every bounce buffer has a mapping of its own, which only
 * a thread can remove.
 */
#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define KERNEL_RAM  (HOST_RAM + 44 * MIB)

int main(void)
{
    static struct rt_device nic = { .parent.name = "nic" };
    rt_region_t region = { HOST_RAM + 16 * MIB, HOST_RAM + 17 * MIB, "uncached" };
    struct rt_mm_va_hint hint = { .map_size = MIB };
    struct rt_dma_pool *pool;
    rt_ubase_t handle;
    void *memory;

    host_start();
    hint.prefer = (void *)(KERNEL_RAM - rt_kmem_pvoff());
    pool = rt_dma_pool_install(&region);
    EXPECT(pool);
    pool->flags |= RT_DMA_F_NOCACHE;
    EXPECT(!rt_aspace_map_phy(&rt_kernel_space, &hint, 0, KERNEL_RAM >> MM_PAGE_SHIFT, &memory));

    for (int is_released = 0; is_released < 2; is_released++)
    {
        struct rt_dma_pool_usage usage = { .struct_size = sizeof(usage) };

        /* The buffer shares cache lines with others, so it is bounced. An interrupt unmaps it. */
        handle = rt_dma_map_single(&nic, (char *)memory + 1, 100, RT_DMA_FROM_DEVICE);
        EXPECT(!rt_dma_mapping_error(&nic, handle) && handle != KERNEL_RAM + 1);
        host_enter_interrupt();
        rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
        host_leave_interrupt();
        EXPECT(rt_dma_pool_statistics(pool, &usage) == RT_EOK && usage.buffers == 1);
        if (is_released)
        {
            /* The library keeps nothing of a device that is removed. */
            rt_dmam_release(&nic);
            EXPECT(rt_dma_pool_statistics(pool, &usage) == RT_EOK && usage.buffers == 0);
        }
        else
        {
            /* A thread uninstalls the pool, and frees what the interrupt could not. */
            EXPECT_EQ(rt_dma_pool_uninstall(pool), RT_EOK);
            pool = rt_dma_pool_install(&region);
            EXPECT(pool);
            pool->flags |= RT_DMA_F_NOCACHE;
        }
    }
    printf("no_views: all is well\n");
    return 0;
}
