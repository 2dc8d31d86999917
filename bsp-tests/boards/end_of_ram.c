/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board with a pool at the end of RAM whose size is a multiple of 2 MiB. There is no memory after it, so that the extra
 * page that aarch64 maps with such a view must not be mapped here. Two devices have no name, for the lines of the log.
 */
#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

static struct rt_device device = { .parent.name = "disk" };

/* An interrupt is served from a view. Without a view, each buffer needs a mapping of its own, which needs a thread. */
static void views_end_with_the_pool(void)
{
    static const rt_ubase_t kinds[] =
    {
        RT_DMA_F_NOCACHE,
#if STAND_IN_REVISION >= 2
        RT_DMA_F_WT,
#endif
    };

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(kinds); i++)
    {
        rt_ubase_t handle;
        void *buffer = rt_dma_alloc(&device, 4096, &handle, kinds[i]);

        EXPECT(buffer);
        rt_dma_free(&device, 4096, buffer, handle, kinds[i]);
        host_enter_interrupt();
        buffer = rt_dma_alloc(&device, 4096, &handle, kinds[i]);
        EXPECT(buffer);
        rt_dma_free(&device, 4096, buffer, handle, kinds[i]);
        host_leave_interrupt();
    }
}

static void lines_about_devices_without_a_name(void)
{
    static struct rt_ofw_node node = { .full_name = "dma@1000" };
    static struct rt_device with_node = { .ofw_node = &node };
    static struct rt_device without_node;
    static char unmapped;
    rt_ubase_t handle;

    printf("address %p\n", (void *)&without_node);
    EXPECT(rt_dma_sync_out_data(&with_node, &unmapped, 1, &handle, 0) != RT_EOK);
    EXPECT(rt_dma_sync_out_data(&without_node, &unmapped, 1, &handle, 0) != RT_EOK);
    /* Another device at its address has a line for what this one never released. */
    EXPECT(rt_dmam_alloc(&without_node, 4096, &handle, 0));
    without_node.dma_ops = RT_NULL;
    rt_dmam_release(&without_node);
}

int main(void)
{
    rt_region_t region = { HOST_RAM + HOST_RAM_SIZE - 2 * MIB, HOST_RAM + HOST_RAM_SIZE, "last" };
    struct rt_dma_pool *pool;

    EXPECT(region.start % (2 * MIB) != 0);
    host_start();
    pool = rt_dma_pool_install(&region);
    EXPECT(pool);
    /* In revision 1 the flag is set, whether boot code mapped the pool or not. */
    EXPECT(pool->flags & RT_DMA_F_LINEAR);
    views_end_with_the_pool();
    lines_about_devices_without_a_name();
    printf("end_of_ram: all is well\n");
    return 0;
}
