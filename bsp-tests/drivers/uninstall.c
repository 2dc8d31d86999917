/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that a pool which is installed and uninstalled again and again keeps no memory. */
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <ioremap.h>
#include <rt_dma.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

#define ROUNDS  1000
#define PAGES   6

static struct rt_device dev = { .parent.name = "uninstall" };

/* Checks that the pool's owner gets a buffer of each kind, and that the pool cannot be uninstalled until it is freed. */
static const char *check_use(struct rt_dma_pool *pool, rt_ubase_t place, rt_uint32_t stamp)
{
    static const rt_ubase_t kinds[] = { RT_DMA_F_DEVICE, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE };

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(kinds); ++i)
    {
        rt_ubase_t handle;
        volatile rt_uint32_t *buffer = rt_dma_alloc(&dev, 2 * PAGE, &handle, kinds[i]);
        rt_err_t result;

        if (!buffer || handle != place || (rt_ubase_t)stand_in_v2p((void *)buffer) != place)
        {
            return why("no buffer at 0x%lx, but %p", place, (void *)buffer);
        }
        *buffer = stamp;
        result = rt_dma_pool_uninstall(pool);
        if (result != -RT_EBUSY)
        {
            return why("uninstalled (%d) with a buffer out", (int)result);
        }
        rt_dma_free(&dev, 2 * PAGE, (void *)buffer, handle, kinds[i]);
    }
    return RT_NULL;
}

/* Checks that the board finds in the memory what the device's driver wrote, and writes to all of it. */
static const char *check_board_memory(rt_ubase_t place, rt_uint32_t stamp)
{
    volatile rt_uint32_t *own = rt_ioremap_nocache((void *)place, PAGES * PAGE);
    const char *error = RT_NULL;

    if (!own)
    {
        return "no mapping for the board";
    }
    if (*own != stamp)
    {
        error = why("0x%x at 0x%lx in place of 0x%x", (unsigned int)*own, place, (unsigned int)stamp);
    }
    for (rt_size_t i = 0; i < PAGES * PAGE / sizeof(*own); ++i)
    {
        own[i] = ~stamp;
    }
    rt_iounmap(own);
    return error;
}

/* Installs and uninstalls a pool at `place`, for half of the rounds. */
static const char *install_and_uninstall(rt_ubase_t place, rt_bool_t is_always_mapped)
{
    rt_region_t region = { place, place + PAGES * PAGE, "uninstall" };
    rt_size_t heap = 0;
    const char *error = RT_NULL;

    for (int i = 0; i < ROUNDS / 2 && !error; ++i)
    {
        struct rt_dma_pool *pool = rt_dma_pool_install(&region);
        rt_err_t result;

        if (!pool)
        {
            return why("no pool in round %d", i);
        }
        pool->flags |= RT_DMA_F_DEVICE;
        pool->dev = &dev;
        error = check_use(pool, place, (rt_uint32_t)i);
        result = rt_dma_pool_uninstall(pool);
        if (!error && result != RT_EOK)
        {
            error = why("not uninstalled (%d) in round %d", (int)result, i);
        }
        if (!error && !is_always_mapped && stand_in_v2p((void *)(place - PV_OFFSET)) != ARCH_MAP_FAILED)
        {
            error = why("0x%lx is mapped linearly in round %d", place, i);
        }
        if (!error)
        {
            error = check_board_memory(place, (rt_uint32_t)i);
        }
        if (!error && i && stand_in_heap_used() != heap)
        {
            error = why("%ld bytes of the heap are lost in round %d", (long)(stand_in_heap_used() - heap), i);
        }
        heap = stand_in_heap_used();
    }
    return error;
}

/* Returns what is wrong if a page of an uninstalled pool is still mapped linearly, else NULL. */
static const char *check_unmapped(const rt_region_t *region)
{
    for (rt_size_t place = region->start; place < region->end; place += PAGE)
    {
        if (stand_in_v2p((void *)(place - PV_OFFSET)) != ARCH_MAP_FAILED)
        {
            return why("0x%lx of the boot pool is still mapped", place);
        }
    }
    return RT_NULL;
}

/* First with memory of the heap, which boot code maps linearly, then with that of a boot pool, which only the pool maps. */
const char *check_uninstall(void)
{
    void *memory = rt_calloc(1, (PAGES + 1) * PAGE);
    struct rt_dma_pool *last = RT_NULL, *next;
    const char *error;
    rt_region_t region;

    if (!memory)
    {
        return "no memory";
    }
    error = install_and_uninstall(RT_ALIGN((rt_ubase_t)stand_in_v2p(memory), PAGE), RT_TRUE);
    rt_free(memory);
    while ((next = rt_dma_pool_next(last)) != RT_NULL)
    {
        last = next;
    }
    if (!last)
    {
        return error ? error : "no boot pool is installed";
    }
    region = last->region;
    if (!error && rt_dma_pool_uninstall(last) != RT_EOK)
    {
        error = "the last boot pool cannot be uninstalled";
    }
    if (!error)
    {
        error = check_unmapped(&region);
    }
    if (!error)
    {
        error = install_and_uninstall(region.start, RT_FALSE);
        if (rt_dma_pool_install(&region) != last && !error)
        {
            error = "the boot pool does not come back";
        }
    }
    return error;
}
