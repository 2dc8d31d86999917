/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command dma_wrong, which runs drivers with one mistake each. Before each driver it prints "wrong NAME: LABEL": the name of the
 * driver's device, and the label of the line that the mistake must cause.
 */
#include "wrong.h"

char wrong_memory[2][SIZE] rt_align(256);

rt_ubase_t wrong_map(struct rt_device *dev, void *buffer, int direction)
{
    rt_ubase_t handle = rt_dma_map_single(dev, buffer, SIZE, direction);

    return rt_dma_mapping_error(dev, handle) ? 0 : handle;
}

#define DRIVER(function, label) { { .parent.name = #function }, function, label }

static struct
{
    struct rt_device dev;
    void (*run)(struct rt_device *dev);
    const char *label;
} drivers[] =
{
    DRIVER(free_size, "free with another size"),
    DRIVER(free_call, "free by another call"),
    DRIVER(free_device, "free for another device"),
    DRIVER(free_handle, "free with another handle"),
    DRIVER(free_twice, "freed twice"),
    DRIVER(free_foreign, "free of what is not allocated"),
    DRIVER(block_foreign, "free of what is not allocated"),
    DRIVER(held, "still held after removal"),
    DRIVER(held_managed, "still held after removal"),
    DRIVER(held_block, "still held after removal"),
    DRIVER(replaced, "still held after removal"),
    DRIVER(replaced_pool, "still held after removal"),
    DRIVER(replaced_managed, "still held after removal"),
    DRIVER(replaced_mask, "still held after removal"),
    DRIVER(unmap_size, "unmap with another size"),
    DRIVER(unmap_direction, "unmap with another direction"),
    DRIVER(unmap_call, "unmap by another call"),
    DRIVER(unmap_entry, "unmap by another call"),
    DRIVER(unmap_buffer, "unmap by another call"),
    DRIVER(unmap_device, "unmap for another device"),
    DRIVER(unmap_count, "unmap of another number of entries"),
    DRIVER(unmap_twice, "unmapped twice"),
    DRIVER(unmap_foreign, "unmap of what is not mapped"),
    DRIVER(unmap_failed, "unmap of a map that failed"),
    DRIVER(unchecked, "mapping never checked"),
    DRIVER(never_checked, "mapping never checked"),
    DRIVER(map_twice, "mapped twice for writing"),
    DRIVER(map_stack, "buffer on a stack"),
    DRIVER(map_unmapped, "buffer at an unmapped address"),
    DRIVER(sync_foreign, "sync of what is not mapped"),
    DRIVER(sync_device, "sync for another device"),
    DRIVER(sync_end, "sync past the end"),
    DRIVER(sync_direction, "sync in another direction"),
    DRIVER(sync_past_buffer, "sync past the end"),
    DRIVER(sync_freed, "sync of what was freed"),
    DRIVER(sync_nocache, "sync of cached memory with NOCACHE"),
    DRIVER(sync_own_nocache, "sync of cached memory with NOCACHE"),
    DRIVER(sync_cached, "sync of uncached memory without NOCACHE"),
    DRIVER(linux_entry, "unmap by another call"),
    DRIVER(linux_list, "unmap by another call"),
    DRIVER(linux_count, "still held after removal"),
    DRIVER(linux_coherent, "free by another call"),
    DRIVER(linux_block, "free by another call"),
    DRIVER(in_interrupt, "unmap with another direction"),
};

static int dma_wrong(int argc, char *argv[])
{
    int found = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(drivers); ++i)
    {
        rt_ubase_t before = rt_dma_debug_mistakes(RT_NULL);

        rt_kprintf("wrong %s: %s\n", drivers[i].dev.parent.name, drivers[i].label);
        drivers[i].run(&drivers[i].dev);
        found += rt_dma_debug_mistakes(RT_NULL) > before;
    }
    rt_kprintf("dma_wrong: %d drivers, %d found\n", (int)RT_ARRAY_SIZE(drivers), found);
    return 0;
}
MSH_CMD_EXPORT(dma_wrong, run drivers with one mistake each);
