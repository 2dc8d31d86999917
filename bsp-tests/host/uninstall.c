/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that the memory of an uninstalled pool is the board's again. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define REGION_START (HOST_RAM + 30 * MIB)

static struct rt_device dev = { .parent.name = "module" };

static int is_installed(const struct rt_dma_pool *wanted)
{
    struct rt_dma_pool *pool = RT_NULL;

    do
    {
        pool = rt_dma_pool_next(pool);
    }
    while (pool && pool != wanted);
    return pool != RT_NULL;
}

static void pool_comes_and_goes(void)
{
    rt_region_t region = { REGION_START, REGION_START + MIB, "module" };
    struct rt_dma_pool *first = RT_NULL;
    int blocks = 0, mappings = 0;

    for (int round = 0; round < 100; round++)
    {
        static const rt_ubase_t kinds[] = { RT_DMA_F_NOCACHE, 0 };
        struct rt_dma_pool *pool = rt_dma_pool_install(&region);

        EXPECT(pool && (!first || pool == first));
        first = pool;
        EXPECT(is_installed(pool));
        pool->flags |= RT_DMA_F_DEVICE;
        pool->dev = &dev;
        for (rt_size_t i = 0; i < RT_ARRAY_SIZE(kinds); i++)
        {
            rt_ubase_t handle;
            void *buffer = rt_dma_alloc(&dev, 2 * ARCH_PAGE_SIZE, &handle, kinds[i] | RT_DMA_F_DEVICE);

            EXPECT(buffer && handle == REGION_START);
            memset(buffer, round, 2 * ARCH_PAGE_SIZE);
            EXPECT(rt_dma_pool_uninstall(pool) == -RT_EBUSY);
            rt_dma_free(&dev, 2 * ARCH_PAGE_SIZE, buffer, handle, kinds[i] | RT_DMA_F_DEVICE);
        }
        host_enter_interrupt();
        EXPECT(rt_dma_pool_uninstall(pool) == -RT_EBUSY);
        host_leave_interrupt();
        EXPECT(rt_dma_pool_uninstall(pool) == RT_EOK && !is_installed(pool));
        host_forget_text();
        EXPECT(rt_dma_pool_uninstall(pool) == -RT_EINVAL && strstr(host_text(), "dma-pool: uninstall: no pool at 0x"));
        EXPECT(rt_dma_pool_uninstall(RT_NULL) == -RT_EINVAL);
        if (round == 0)
        {
            blocks = host_heap_blocks();
            mappings = host_mappings();
        }
        EXPECT(host_heap_blocks() == blocks && host_mappings() == mappings);
        /* The board uses the memory by a mapping of its own, at the same address. */
        char *own = rt_ioremap_cached((void *)REGION_START, MIB);
        EXPECT(own && own[0] == (char)round && own[2 * ARCH_PAGE_SIZE - 1] == (char)round);
        memset(own, 0, MIB);
        rt_iounmap(own);
    }
}

/* A device that reaches no other pool has blocks, a bounce buffer and a managed buffer in this one. */
static void what_keeps_a_pool(void)
{
    static fdt32_t ranges[] = { CELLS(REGION_START), CELLS(0x10000), CELLS(MIB) };
    static struct rt_ofw_prop range_props = { "dma-ranges", sizeof(ranges), ranges, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "bus", .props = &range_props };
    static struct rt_ofw_node node = { .full_name = "module", .parent = &bus };
    static struct rt_device near = { .parent.name = "near", .ofw_node = &node };
    static struct rt_device plain = { .parent.name = "plain" };
    rt_region_t region = { REGION_START, REGION_START + MIB, "module" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);
    struct rt_dma_block_pool *blocks;
    rt_ubase_t handle;
    void *block, *elsewhere;

    host_forget_ranges();
    EXPECT(pool);
    blocks = rt_dma_block_pool_create("blocks", &near, 64, 64, 0);
    block = rt_dma_block_pool_alloc(blocks, &handle);
    EXPECT(block && rt_dma_pool_uninstall(pool) == -RT_EBUSY);
    rt_dma_block_pool_free(blocks, block, handle);
    EXPECT(rt_dma_block_pool_destroy(blocks) == RT_EOK);
    elsewhere = rt_dma_alloc(&plain, 64, RT_NULL, 0);
    handle = rt_dma_map_single(&near, elsewhere, 64, RT_DMA_TO_DEVICE);
    EXPECT(handle != RT_DMA_MAPPING_ERROR && rt_dma_pool_uninstall(pool) == -RT_EBUSY);
    rt_dma_unmap_single(&near, handle, 64, RT_DMA_TO_DEVICE);
    rt_dma_free(&plain, 64, elsewhere, 0, 0);
    EXPECT(rt_dmam_alloc(&near, 64, &handle, 0) && rt_dma_pool_uninstall(pool) == -RT_EBUSY);
    rt_dmam_release(&near);
    EXPECT(rt_dma_pool_uninstall(pool) == RT_EOK);
    EXPECT(!rt_dma_alloc(&near, 64, &handle, 0));
    host_forget_ranges();
}

static struct rt_dma_pool *pool_of_the_region(void)
{
    struct rt_dma_pool *pool = RT_NULL;

    do
    {
        pool = rt_dma_pool_next(pool);
    }
    while (pool && pool->region.start != REGION_START);
    return pool;
}

static struct rt_device first_owner = { .parent.name = "first" };
static struct rt_device late_owner = { .parent.name = "late" };
static int calls_meanwhile;

/* The first owner has operations, and the late owner has none yet, so that the two find out at different places. */
static void while_the_region_is_uninstalled(void)
{
    calls_meanwhile++;
    EXPECT(rt_dma_own_region_init(&first_owner, RT_NULL, 0) == -RT_EBUSY);
    EXPECT(rt_dma_own_region_init(&late_owner, RT_NULL, 0) == -RT_EBUSY);
    EXPECT(rt_dma_set_mask(&late_owner, ALL_ADDRESSES) == -RT_EBUSY);
    EXPECT(rt_dma_set_coherent_mask(&late_owner, ALL_ADDRESSES) == -RT_EBUSY);
    EXPECT(rt_dma_set_max_segment(&late_owner, ARCH_PAGE_SIZE) == -RT_EBUSY);
    EXPECT(!late_owner.dma_ops);
}

/* Calls that need the region can be repeated: -RT_ENOMEM would be wrong. */
static void owners_of_a_region_that_is_uninstalled(void)
{
    static fdt32_t reg[] = { CELLS(REGION_START), CELLS(MIB) }, names[] = { CELL(6) };
    static struct rt_ofw_prop reg_prop = { "reg", sizeof(reg), reg, RT_NULL };
    static struct rt_ofw_prop name_prop = { "memory-region", sizeof(names), names, RT_NULL };
    static struct rt_ofw_node memory = { .full_name = "memory", .phandle = 6, .props = &reg_prop };
    static struct rt_ofw_node node = { .full_name = "camera", .props = &name_prop };
    rt_ubase_t handle;
    void *buffer;

    host_add_node(&memory);
    first_owner.ofw_node = &node;
    late_owner.ofw_node = &node;
    late_owner.dma_ops = RT_NULL;
    EXPECT(rt_dma_own_region_init(&first_owner, RT_NULL, 0) == RT_EOK);
    buffer = rt_dma_alloc(&first_owner, ARCH_PAGE_SIZE, &handle, 0);
    EXPECT(buffer && handle == REGION_START);
    rt_dma_free(&first_owner, ARCH_PAGE_SIZE, buffer, handle, 0);
    EXPECT(rt_dma_pool_uninstall(pool_of_the_region()) == -RT_EBUSY);
    rt_dma_own_region_release(&first_owner);

    calls_meanwhile = 0;
    host_call_at_unmap(while_the_region_is_uninstalled);
    EXPECT(rt_dma_pool_uninstall(pool_of_the_region()) == RT_EOK);
    host_call_at_unmap(RT_NULL);
    EXPECT(calls_meanwhile);

    EXPECT(rt_dma_set_mask(&late_owner, ALL_ADDRESSES) == RT_EOK);
    EXPECT(rt_dma_own_region_init(&late_owner, RT_NULL, 0) == RT_EOK);
    rt_dma_own_region_release(&late_owner);
    rt_dmam_release(&late_owner);
    EXPECT_EQ(rt_dma_pool_uninstall(pool_of_the_region()), RT_EOK);
    host_remove_node(6);
}

void pools_that_are_uninstalled(void)
{
    pool_comes_and_goes();
    what_keeps_a_pool();
    owners_of_a_region_that_is_uninstalled();
}
