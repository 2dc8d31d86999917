/* SPDX-License-Identifier: Apache-2.0 */
/* A board with the debug mode: it takes a buffer for freed only if the library frees it. */
#include <string.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include <rt_dma_debug.h>
#include "expect.h"
#include "kernel.h"

/* Only a thread can choose the operations of a device with a node, so the first call of `child` in an interrupt frees nothing. */
static void a_free_that_has_no_operations_frees_nothing(void)
{
    static struct rt_ofw_node node = { .full_name = "dma@1000" };
    static struct rt_device parent = { .parent.name = "parent" };
    static struct rt_device child = { .parent.name = "child", .ofw_node = &node };
    char *option = "";
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&parent, 4096, &handle, 0);

    EXPECT(buffer);
    host_interrupt(1);
    rt_dma_free(&child, 4096, buffer, handle, 0);
    host_interrupt(0);
    EXPECT(!child.dma_ops);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 0);

    host_forget_text();
    list_dma_pool(1, &option);
    EXPECT(strstr(host_text(), "\n1 calls refused"));

    rt_dma_free(&parent, 4096, buffer, handle, 0);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 0);
    EXPECT(rt_dma_alloc(&child, 4096, &handle, 0) == buffer);

    /* The debug mode is on: it reports a second free. */
    rt_dma_free(&child, 4096, buffer, handle, 0);
    rt_dma_free(&child, 4096, buffer, handle, 0);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 1);
}

int main(void)
{
    rt_region_t region = { HOST_RAM + 16 * MIB, HOST_RAM + 17 * MIB, "pool" };

    host_start();
    EXPECT(rt_dma_pool_install(&region));
    a_free_that_has_no_operations_frees_nothing();
    printf("debug_mode: all is well\n");
    return 0;
}
