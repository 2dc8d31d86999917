/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a buffer, and a device's mask, in every call that gives a handle. */
#include <rtdevice.h>
#include <rt_dma.h>
#include "addresses.h"
#include "subjects.h"

/* A BSP's table, set before the mask, whose functions call the table that the device had before. */
static const struct rt_dma_map_ops *wrapped;

static rt_err_t wrapper_sync_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return wrapped->sync_out_data(dev, data, size, dma_handle, flags);
}

void the_end_of_a_buffer_and_the_mask(void)
{
    static struct branch branch;
    static fdt32_t lower[] = { CELLS(POOLS_START), CELLS(0x100000), CELLS(PAGE) };
    static const struct rt_dma_map_ops wrapper = { .sync_out_data = wrapper_sync_out };
    static struct rt_device plain = { .parent.name = "plain" }, masked = { .parent.name = "masked" };
    struct rt_device *dev = device_below_bus(&branch, lower, sizeof(lower));
    const struct rt_dma_map_ops *ops;
    rt_ubase_t handle, synced = 5;
    char *buffer = rt_dma_alloc(&plain, 4 * PAGE, &handle, 0);

    EXPECT(buffer && handle == POOLS_START);
    /* The range covers the first of these two pages. */
    EXPECT(rt_dma_sync_out_data(dev, buffer, 2 * PAGE, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(dev, buffer, PAGE + 1, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(dev, buffer, PAGE + 1, RT_NULL, RT_DMA_F_NOCACHE) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(dev, buffer, PAGE, &synced, 0) == RT_EOK && synced == 0x100000);
    /* A BSP may call the functions of the table itself. */
    ops = dev->dma_ops;
    EXPECT(ops->sync_out_data(dev, buffer, 2 * PAGE, &synced, 0) == -RT_ERROR);
    EXPECT(!ops->alloc(dev, PAGE + 1, &synced, 0));
    EXPECT(rt_dma_map_single(dev, buffer, PAGE + 1, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);

    /* The sync calls obey the streaming mask, and allocations the coherent mask. */
    EXPECT(rt_dma_set_mask(&masked, POOLS_START + PAGE - 1) == RT_EOK);
    synced = 5;
    EXPECT(rt_dma_sync_out_data(&masked, buffer, PAGE + 1, &synced, 0) == -RT_ERROR && synced != POOLS_START);
    EXPECT(rt_dma_sync_out_data(&masked, buffer + PAGE, 1, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(&masked, buffer + PAGE, 1, RT_NULL, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(&masked, buffer, PAGE, &synced, 0) == RT_EOK && synced == POOLS_START);
    EXPECT(rt_dma_sync_in_data(&masked, buffer + PAGE, PAGE, 0, 0) == RT_EOK);
    EXPECT(rt_dma_get_mask(&masked) == POOLS_START + PAGE - 1 && rt_dma_get_coherent_mask(&masked) == ALL_ADDRESSES);
    EXPECT(is_served(&masked, 1, POOLS_START + 4 * PAGE, POOLS_START + 4 * PAGE) == 0);
    EXPECT(rt_dma_set_mask(&masked, ALL_ADDRESSES) == RT_EOK);
    EXPECT(rt_dma_sync_out_data(&masked, buffer, 4 * PAGE, &synced, 0) == RT_EOK && synced == POOLS_START);

    /* The masks count also when the sync call goes through a BSP's table. */
    wrapped = masked.dma_ops;
    masked.dma_ops = &wrapper;
    EXPECT(rt_dma_set_mask_and_coherent(&masked, POOLS_START + PAGE - 1) == RT_EOK);
    EXPECT(rt_dma_sync_out_data(&masked, buffer, PAGE + 1, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(&masked, buffer, PAGE, &synced, 0) == RT_EOK && synced == POOLS_START);
    EXPECT(rt_dma_set_mask_and_coherent(&masked, ALL_ADDRESSES) == RT_EOK && masked.dma_ops == &wrapper);
    masked.dma_ops = RT_NULL;

    rt_dma_free(&plain, 4 * PAGE, buffer, handle, 0);
    host_forget_ranges();
}

/* Without a handle and without cache maintenance there is nothing to do, at a device's first call and later. */
void syncs_that_have_nothing_to_do(void)
{
    static const struct rt_dma_map_ops without_syncs;
    struct rt_device dev = { .parent.name = "new" }, own = { .parent.name = "own", .dma_ops = &without_syncs };
    rt_ubase_t handle = 1;

    for (int call = 0; call < 2; call++)
    {
        EXPECT(rt_dma_sync_out_data(&dev, (void *)8, 64, RT_NULL, 0) == RT_EOK);
        EXPECT(rt_dma_sync_out_data(&own, (void *)8, 64, RT_NULL, 0) == RT_EOK);
    }
    EXPECT(rt_dma_sync_out_data(&dev, (void *)8, 64, &handle, 0) == -RT_EINVAL && handle == 0);
    EXPECT(rt_dma_sync_out_data(&own, (void *)8, 64, &handle, 0) == -RT_EINVAL && handle == 0);
}

/* Devices whose table is not coherent, and buffers that are not cached, need no cache maintenance. */
void syncs_that_leave_the_cache_alone(void)
{
    static struct branch branch;
    static fdt32_t range[] = { CELLS(POOLS_START), CELLS(0x100000), CELLS(MIB) };
    static struct rt_device plain = { .parent.name = "plain" };
    struct rt_device *dev = device_below_bus(&branch, range, sizeof(range));
    rt_ubase_t handle, invalidated, flushed;
    char *buffer = rt_dma_alloc(&plain, PAGE, &handle, 0);

    EXPECT(buffer);
    flushed = host_flushed();
    invalidated = host_invalidated();
    EXPECT(rt_dma_sync_out_data(&plain, buffer, PAGE, &handle, 0) == RT_EOK && handle == POOLS_START);
    EXPECT(rt_dma_sync_in_data(&plain, buffer, PAGE, handle, 0) == RT_EOK);
    EXPECT(rt_dma_sync_out_data(dev, buffer, PAGE, &handle, RT_DMA_F_NOCACHE) == RT_EOK && handle == 0x100000);
    EXPECT(rt_dma_sync_in_data(dev, buffer, PAGE, handle, RT_DMA_F_NOCACHE) == RT_EOK);
    EXPECT(host_flushed() == flushed && host_invalidated() == invalidated);
    EXPECT(rt_dma_sync_out_data(dev, buffer, PAGE, &handle, 0) == RT_EOK && host_flushed() - flushed == PAGE);
    EXPECT(rt_dma_sync_in_data(dev, buffer, PAGE, handle, 0) == RT_EOK && host_invalidated() - invalidated == PAGE);
    rt_dma_free(&plain, PAGE, buffer, POOLS_START, 0);
    host_forget_ranges();
}

void children_that_copied_a_masked_table(void)
{
    static struct branch branch;
    static fdt32_t lower[] = { CELLS(POOLS_START), CELLS(0x100000), CELLS(MIB) };
    static struct rt_device child, grandchild;
    static struct rt_dma_map_ops copy;
    struct rt_device *dev = device_below_bus(&branch, lower, sizeof(lower));
    rt_ubase_t synced, mapped;
    void *buffer;

    EXPECT(rt_dma_set_mask_and_coherent(dev, 0x100000 + 2 * PAGE - 1) == RT_EOK);
    child = (struct rt_device) { .parent.name = "child", .ofw_node = dev->ofw_node, .dma_ops = dev->dma_ops };
    EXPECT(rt_dma_get_mask(&child) == 0x100000 + 2 * PAGE - 1 && rt_dma_get_coherent_mask(&child) == rt_dma_get_mask(&child));
    EXPECT(is_served(&child, 2 * PAGE, POOLS_START, 0x100000));
    EXPECT(!rt_dma_alloc(&child, 2 * PAGE + 1, &synced, 0));
    buffer = rt_dma_alloc(dev, 2 * PAGE, &synced, 0);
    EXPECT(rt_dma_sync_out_data(&child, buffer, 2 * PAGE + 1, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(&child, buffer, 2 * PAGE, &synced, 0) == RT_EOK && synced == 0x100000);
    rt_dma_free(&child, 2 * PAGE, buffer, 0x100000, 0);
    mapped = rt_dma_map_single(&child, (char *)buffer + 3 * PAGE, 1, RT_DMA_TO_DEVICE);
    EXPECT_EQ(mapped, 0x100000);
    rt_dma_unmap_single(&child, mapped, 1, RT_DMA_TO_DEVICE);

    /* The child keeps the masks that it copied when the parent's masks change and when the parent is removed. */
    EXPECT(rt_dma_set_mask_and_coherent(dev, ALL_ADDRESSES) == RT_EOK);
    rt_dmam_release(dev);
    dev->dma_ops = RT_NULL;
    EXPECT(is_served(&child, 2 * PAGE, POOLS_START, 0x100000) && !rt_dma_alloc(&child, 3 * PAGE, &synced, 0));

    /* The child's own coherent mask leaves its streaming mask. Without masks, its translation is still that of the bus. */
    EXPECT(rt_dma_set_coherent_mask(&child, 0x100000 + PAGE - 1) == RT_EOK);
    EXPECT(rt_dma_get_mask(&child) == 0x100000 + 2 * PAGE - 1 && !rt_dma_alloc(&child, PAGE + 1, &synced, 0));
    grandchild = (struct rt_device) { .parent.name = "grandchild", .ofw_node = dev->ofw_node, .dma_ops = child.dma_ops };
    EXPECT(rt_dma_set_mask_and_coherent(&child, ALL_ADDRESSES) == RT_EOK && is_served(&child, 4 * PAGE, POOLS_START, 0x100000));
    EXPECT(is_served(&grandchild, PAGE, POOLS_START, 0x100000) && !rt_dma_alloc(&grandchild, PAGE + 1, &synced, 0));

    /* A device keeps its masks when the board puts a table of its own, with the functions of the masked one, in its place. */
    EXPECT(rt_dma_set_mask_and_coherent(dev, 0x100000 + PAGE - 1) == RT_EOK);
    copy = *(const struct rt_dma_map_ops *)dev->dma_ops;
    dev->dma_ops = &copy;
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x100000) && !rt_dma_alloc(dev, PAGE + 1, &synced, 0));
    host_forget_ranges();
}
