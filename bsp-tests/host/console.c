/* SPDX-License-Identifier: Apache-2.0 */
/* Tests a console whose driver uses DMA: it calls the library for each piece of text, in the thread that writes the text. */
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"


static struct rt_device uart = { .parent.name = "uart" };
static struct rt_dma_block_pool *shared;
static int texts;

static void use_blocks(struct rt_dma_block_pool *pool)
{
    rt_ubase_t handle;
    void *block = rt_dma_block_pool_alloc(pool, &handle);

    EXPECT(block);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_trim(pool);
}

static void write_text(void)
{
    rt_ubase_t handle, synced;
    void *buffer;

    texts++;
    /* Without operations, the next call of the device counts as its first one. */
    uart.dma_ops = RT_NULL;
    buffer = rt_dma_alloc(&uart, 64, &handle, 0);
    EXPECT(buffer && rt_dma_sync_out_data(&uart, buffer, 64, &synced, 0) == RT_EOK && synced == handle);
    EXPECT(rt_dma_sync_in_data(&uart, buffer, 64, handle, 0) == RT_EOK);
    rt_dma_free(&uart, 64, buffer, handle, 0);
    buffer = rt_dma_alloc_coherent(&uart, 64, &handle);
    EXPECT(buffer);
    rt_dma_free_coherent(&uart, 64, buffer, handle);

    if (shared)
    {
        struct rt_dma_block_pool *own = rt_dma_block_pool_create("uart", &uart, 64, 0, 0);

        EXPECT(own);
        use_blocks(own);
        use_blocks(shared);
        EXPECT(rt_dma_block_pool_destroy(own) == RT_EOK);
    }
}

/* While the library writes text, it must not hold a lock or a turn for which the console's driver would wait. */
void console_with_dma(void)
{
    static struct rt_device dev = { .parent.name = "disk" };
    rt_region_t nothing = { 0, 0, "nothing" };
    rt_ubase_t handle;
    void *block;

    shared = rt_dma_block_pool_create("shared", &dev, 2048, 0, 0);
    EXPECT(shared);
    texts = 0;
    host_set_console(write_text);
    EXPECT(!rt_dma_pool_install(&nothing) && texts);
    list_dma_pool(0, RT_NULL);
    list_dma_block_pool(0, RT_NULL);

    block = rt_dma_block_pool_alloc(shared, &handle);
    EXPECT(block && rt_dma_block_pool_destroy(shared) == -RT_EBUSY);
    rt_dma_block_pool_free(shared, block, handle);
    rt_dma_block_pool_free(shared, block, handle);
    EXPECT(!rt_dma_block_pool_create("none", &dev, 0, 0, 0));
    host_set_console(RT_NULL);
    EXPECT(texts >= 8);
    EXPECT(rt_dma_block_pool_destroy(shared) == RT_EOK);
    shared = RT_NULL;
}
