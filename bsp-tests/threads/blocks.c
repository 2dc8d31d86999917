/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of several cores, while the pool grows and shrinks. */
#include <string.h>

#include "threads.h"

#define SIZE 96

static struct rt_device dev = { .parent.name = "blocks" };
static struct rt_dma_block_pool *pool;

static void on_one_core(int core)
{
    struct memory held[60];

    for (int step = 0; step < 60; step++)
    {
        for (int i = 0; i < 60; i++)
        {
            held[i].at = rt_dma_block_pool_zalloc(pool, &held[i].handle);
            EXPECT(held[i].at && !held[i].at[0] && !held[i].at[SIZE - 1]);
            memset(held[i].at, core + 1, SIZE);
        }
        for (int i = 0; i < 60; i++)
        {
            EXPECT(held[i].at[0] == core + 1 && held[i].at[SIZE - 1] == core + 1);
            rt_dma_block_pool_free(pool, held[i].at, held[i].handle);
        }
        if (step % 8 == 0)
        {
            rt_dma_block_pool_trim(pool);
        }
    }
}

/* An interrupt on one core frees what a thread on another core allocated. */
static void on_two_cores(int core)
{
    for (int step = 0; step < 2000; step++)
    {
        struct memory memory;

        memory.at = rt_dma_block_pool_alloc(pool, &memory.handle);
        EXPECT(memory.at);
        memset(memory.at, core, SIZE);
        memory = exchange(core, memory);
        host_enter_interrupt();
        if (memory.at)
        {
            EXPECT(memory.at[0] == memory.at[SIZE - 1]);
            rt_dma_block_pool_free(pool, memory.at, memory.handle);
        }
        host_leave_interrupt();
    }
}

/* The list of all pools changes while another core prints it. */
static void lists(int core)
{
    for (int step = 0; step < 20; step++)
    {
        struct rt_dma_block_pool *own = rt_dma_block_pool_create("own", &dev, SIZE, 32, 0);
        char *block;

        EXPECT(own);
        block = rt_dma_block_pool_alloc(own, RT_NULL);
        EXPECT(block);
        memset(block, core, SIZE);
        if (step % 4 == core)
        {
            list_dma_block_pool(0, RT_NULL);
        }
        rt_dma_block_pool_free(own, block, 0);
        EXPECT(rt_dma_block_pool_destroy(own) == RT_EOK);
    }
}

void blocks(void)
{
    pool = rt_dma_block_pool_create("shared", &dev, SIZE, 32, 4096);
    EXPECT(pool);
    on_every_core(on_one_core);
    on_every_core(on_two_cores);
    on_every_core(lists);
}
