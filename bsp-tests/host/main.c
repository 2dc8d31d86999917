/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots the host stand-in as a BSP does, and runs the drivers and wrong calls of this folder. An argument selects one subject.
 * Exits with 0 if all checks passed.
 */
#include <stdio.h>
#include <string.h>

#include <rtdevice.h>
#include "expect.h"
#include "kernel.h"
#include "subjects.h"


/* Sets a board up, as libcpu's boot code does. */
static void board_init(void)
{
#if STAND_IN_REVISION >= 2
    static struct rt_mmblk_reg dma = { { HOST_RAM + 16 * MIB, HOST_RAM + 28 * MIB, "dma-pool" }, MEMBLOCK_NONE, 1, { 0 } };
    static struct rt_mmblk_reg anonymous = { { HOST_RAM, HOST_RAM + 16 * MIB, RT_NULL }, MEMBLOCK_NONE, 1, { 0 } };
    static struct rt_mmblk_reg hotplug = { { HOST_RAM, HOST_RAM + 16 * MIB, "dma-pool" }, MEMBLOCK_HOTPLUG, 1, { 0 } };
    static struct rt_mmblk_reg unused = { { HOST_RAM, HOST_RAM + 16 * MIB, "dma-pool" }, MEMBLOCK_NONE, 0, { 0 } };

    host_reserve(&dma);
    host_reserve(&anonymous);
    host_reserve(&hotplug);
    host_reserve(&unused);
    EXPECT(rt_dma_pool_extract(1 * MIB, 2 * MIB) == -RT_EINVAL);
    EXPECT(rt_dma_pool_extract(0, 0) == -RT_EINVAL);
    EXPECT(rt_dma_pool_extract(13 * MIB, 2 * MIB) == -RT_EEMPTY);
    EXPECT(rt_dma_pool_extract(8 * MIB, 2 * MIB) == RT_EOK);
    EXPECT(rt_dma_pool_extract(8 * MIB, 2 * MIB) == -RT_EEMPTY);
    EXPECT(dma.alloc == 1 && dma.memreg.start == HOST_RAM + 16 * MIB);
#else
    rt_region_t list[] =
    {
        { HOST_RAM, HOST_RAM + 16 * MIB, RT_NULL },
        { HOST_RAM + 16 * MIB, HOST_RAM + 28 * MIB, "memory" },
    };

    EXPECT(rt_dma_pool_extract(RT_NULL, 2, 8 * MIB, 2 * MIB) == -RT_EINVAL);
    EXPECT(rt_dma_pool_extract(list, 0, 8 * MIB, 2 * MIB) == -RT_EINVAL);
    EXPECT(rt_dma_pool_extract(list, 2, 13 * MIB, 2 * MIB) == -RT_EEMPTY);
    EXPECT(rt_dma_pool_extract(list, 2, 8 * MIB, 2 * MIB) == RT_EOK);
    EXPECT(list[1].start == HOST_RAM + 24 * MIB);
#endif
}

/* All subjects, in the order in which a run without an argument takes them. */
static const struct { const char *name; void (*run)(void); } subjects[] =
{
    { "ring", ring_driver },
    { "syncs", streaming_driver },
    { "own ops", driver_with_own_ops },
    { "device tree", device_tree_drivers },
#if STAND_IN_REVISION >= 2
    { "pci", pci_driver },
    { "write-through", write_through_driver },
#endif
    { "wrong calls", wrong_calls },
    { "interrupt", from_an_interrupt },
    { "boot", from_boot_code },
    { "special_buffers", special_buffers },
    { "linux", linux_drivers },
    { "masks", masked_drivers },
    { "limits", limits_of_segments },
    { "managed drivers", managed_drivers },
    { "managed pools", managed_pools_and_maps },
    { "managed", managed_and_freed_plainly },
    { "reserved memory", drivers_with_reserved_memory },
    { "nodes", regions_of_nodes_that_are_there },
    { "regions", regions_that_must_not_be_used },
    { "owners", devices_that_come_and_go },
    { "streaming", streaming_drivers },
    { "block pools", block_pools },
    { "ranges", memory_that_no_range_covers },
    { "ends", the_end_of_a_buffer_and_the_mask },
    { "children", children_that_copied_a_masked_table },
    { "nothing to do", syncs_that_have_nothing_to_do },
    { "no maintenance", syncs_that_leave_the_cache_alone },
    { "console", console_with_dma },
    { "statistics", statistics },
    { "lending", borrowers },
    { "uninstall", pools_that_are_uninstalled },
    { "more masks than tables", more_masks_than_tables },
};

static int run_one(const char *name)
{
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(subjects); i++)
    {
        if (!strcmp(name, subjects[i].name))
        {
            subjects[i].run();
            return 1;
        }
    }
    return 0;
}

/* Runs all subjects three times. Only the first run may leave memory and mappings in use: what the library keeps for later. */
static void run_all(void)
{
    int blocks = 0, mappings = 0;

    /* From then on, threads keep 40 spare records. */
    ring_in_an_interrupt();
    for (int round = 0; round < 3; round++)
    {
        for (rt_size_t i = 0; i < RT_ARRAY_SIZE(subjects); i++)
        {
            subjects[i].run();
        }
        if (round == 0)
        {
            fixed_region();
            blocks = host_heap_blocks();
            mappings = host_mappings();
        }
        EXPECT_EQ(host_heap_blocks(), blocks);
        EXPECT_EQ(host_mappings(), mappings);
    }
    list_dma_pool(0, RT_NULL);
}

int main(int argc, char **argv)
{
    host_start();
    board_init();
    if (argc > 1)
    {
        EXPECT(run_one(argv[1]));
    }
    else
    {
        run_all();
    }
    printf("drivers: all is well\n");
    return 0;
}
