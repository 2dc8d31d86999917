/* SPDX-License-Identifier: Apache-2.0 */
/* Tests block pools on real Device memory: a thread and a timer interrupt allocate, clear and free blocks. */
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <stand_in.h>

#include "checks.h"

#define BLOCK       68
#define STRIDE      96  /* BLOCK, rounded up to a multiple of 32 */
#define BOUNDARY    4096
#define BLOCKS      1000

static struct rt_device dev = { .parent.name = "block_pool" };
static struct { volatile rt_uint32_t *va; rt_ubase_t handle; } blocks[BLOCKS];

/* Writes the block's number and the word's number into every word. */
static void stamp(int i)
{
    for (int word = 0; word < BLOCK / 4; ++word)
    {
        blocks[i].va[word] = (rt_uint32_t)i << 8 | (rt_uint32_t)word;
    }
}

static const char *check_one(int i)
{
    volatile rt_uint32_t *va = blocks[i].va;
    rt_ubase_t handle = blocks[i].handle;

    if ((rt_ubase_t)stand_in_v2p((void *)va) != handle || stand_in_memory_type((void *)va) != STAND_IN_DEVICE)
    {
        return why("block %d at %p: not the memory of handle 0x%lx, or of the wrong type", i, (void *)va, handle);
    }
    if (handle % 32 || (rt_ubase_t)va % 32 || handle / BOUNDARY != (handle + BLOCK - 1) / BOUNDARY)
    {
        return why("block %d at 0x%lx: not aligned, or across a boundary", i, handle);
    }
    for (int word = 0; word < STRIDE / 4; ++word)
    {
        if (va[word])
        {
            return why("block %d: word %d is 0x%x, not zero", i, word, (unsigned)va[word]);
        }
    }
    return RT_NULL;
}

static const char *fill_and_empty(struct rt_dma_block_pool *pool)
{
    const char *error = RT_NULL;
    int count;

    for (count = 0; count < BLOCKS && !error; ++count)
    {
        blocks[count].va = rt_dma_block_pool_zalloc(pool, &blocks[count].handle);
        if (!blocks[count].va)
        {
            error = why("no block %d", count);
            break;
        }
        error = check_one(count);
        stamp(count);
    }
    for (int i = 0; i < count; ++i)
    {
        for (int word = 0; word < BLOCK / 4 && !error; ++word)
        {
            if (blocks[i].va[word] != ((rt_uint32_t)i << 8 | (rt_uint32_t)word))
            {
                error = why("block %d was overwritten", i);
            }
        }
        rt_dma_block_pool_free(pool, (void *)blocks[i].va, blocks[i].handle);
    }
    return error;
}

static struct rt_dma_block_pool *volatile shared;
static volatile rt_uint32_t interrupts, missed;

static void tick(void *parameter)
{
    rt_ubase_t handle;
    void *block = rt_dma_block_pool_alloc(shared, &handle);

    RT_UNUSED(parameter);
    if (block)
    {
        *(volatile rt_uint32_t *)block = interrupts;
        rt_dma_block_pool_free(shared, block, handle);
    }
    else
    {
        ++missed;
    }
    ++interrupts;
}

const char *check_block_pool(void)
{
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("block_pool", &dev, BLOCK, 32, BOUNDARY);
    const char *error;
    rt_timer_t timer;
    rt_size_t heap;

    if (!pool)
    {
        return "no pool";
    }
    error = fill_and_empty(pool);
    heap = stand_in_heap_used();
    shared = pool;
    interrupts = missed = 0;
    timer = rt_timer_create("blocks", tick, RT_NULL, 1, RT_TIMER_FLAG_PERIODIC | RT_TIMER_FLAG_HARD_TIMER);
    if (!timer)
    {
        return "no timer";
    }
    rt_timer_start(timer);
    for (int round = 0; (round < 20 || interrupts < 50) && round < 2000 && !error; ++round)
    {
        error = fill_and_empty(pool);
    }
    rt_timer_stop(timer);
    rt_timer_delete(timer);
    if (!error && (!interrupts || missed > interrupts / 2))
    {
        error = why("%u of %u interrupts got no block", (unsigned)missed, (unsigned)interrupts);
    }
    if (!error && stand_in_heap_used() > heap + 4096)
    {
        error = "the heap grows";
    }
    if (!error && (rt_dma_block_pool_trim(pool) < BLOCKS / (BOUNDARY / STRIDE) || rt_dma_block_pool_trim(pool)))
    {
        error = "not every page is given back";
    }
    if (rt_dma_block_pool_destroy(pool) != RT_EOK && !error)
    {
        error = "the pool is not destroyed";
    }
    return error;
}
