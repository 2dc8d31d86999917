/* SPDX-License-Identifier: Apache-2.0 */
/* Tests masks with each kind of map operations that a device can have. */
#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define PAGE    ARCH_PAGE_SIZE

/* The start of the memory that board_init() gives to pools. */
#define POOLS_START (HOST_RAM + 16 * MIB)

static void wrong_masks(void)
{
    static struct rt_device dev = { .parent.name = "short" };

    EXPECT(rt_dma_set_mask(RT_NULL, ALL_ADDRESSES) == -RT_EINVAL);
    EXPECT(rt_dma_set_coherent_mask(RT_NULL, ALL_ADDRESSES) == -RT_EINVAL);
    EXPECT(rt_dma_set_mask_and_coherent(RT_NULL, ALL_ADDRESSES) == -RT_EINVAL);
    EXPECT(rt_dma_get_mask(RT_NULL) == 0 && rt_dma_get_coherent_mask(RT_NULL) == 0);
    EXPECT(rt_dma_set_mask(&dev, 0) == -RT_EINVAL && rt_dma_set_coherent_mask(&dev, 0) == -RT_EINVAL);
    EXPECT(rt_dma_set_mask_and_coherent(&dev, 0) == -RT_EINVAL);

    /* A driver tries a smaller mask after one that no pool can serve. */
    EXPECT(rt_dma_set_mask_and_coherent(&dev, 0xffffff) == -RT_EIO);
    EXPECT(rt_dma_set_mask(&dev, POOLS_START + PAGE - 2) == -RT_EIO);
    EXPECT(rt_dma_set_coherent_mask(&dev, POOLS_START + PAGE - 2) == -RT_EIO);
    EXPECT(rt_dma_get_mask(&dev) == ALL_ADDRESSES && rt_dma_get_coherent_mask(&dev) == ALL_ADDRESSES);
    EXPECT(rt_dma_set_mask(&dev, POOLS_START + PAGE - 1) == RT_EOK);
    EXPECT(rt_dma_get_mask(&dev) == POOLS_START + PAGE - 1 && rt_dma_get_coherent_mask(&dev) == ALL_ADDRESSES);
    EXPECT(rt_dma_set_mask(&dev, ALL_ADDRESSES) == RT_EOK);
}

/* 24 bits more than the base of RAM would be the classic case; here three pages are within reach. */
static void straddled_pool(void)
{
    static struct rt_device dev = { .parent.name = "short" };
    static struct rt_device other = { .parent.name = "far" };
    rt_ubase_t handles[4], before, more, synced = 0;
    void *buffers[4], *old = rt_dma_alloc_coherent(&dev, PAGE, &before), *beyond;

    EXPECT(old && before == POOLS_START);
    EXPECT(rt_dma_set_mask_and_coherent(&dev, POOLS_START + 3 * PAGE - 1) == RT_EOK);
    EXPECT(rt_dma_get_mask(&dev) == POOLS_START + 3 * PAGE - 1);
    EXPECT(rt_dma_get_coherent_mask(&dev) == POOLS_START + 3 * PAGE - 1);
    for (int i = 0; i < 3; i++)
    {
        buffers[i] = i % 2 ? rt_dma_alloc(&dev, PAGE, &handles[i], 0) : rt_dma_alloc_coherent(&dev, PAGE, &handles[i]);
        EXPECT(i == 2 ? !buffers[i] : buffers[i] && handles[i] == POOLS_START + (i + 1) * PAGE);
    }
    beyond = rt_dma_alloc(&other, PAGE, &more, 0);
    EXPECT(beyond && more == POOLS_START + 3 * PAGE);
    rt_dma_free(&other, PAGE, beyond, more, 0);

    EXPECT(rt_dma_sync_out_data(&dev, buffers[1], PAGE, &synced, 0) == RT_EOK && synced == handles[1]);
    EXPECT(rt_dma_sync_in_data(&dev, buffers[1], PAGE, synced, 0) == RT_EOK);

    /* The mask counts in an interrupt too. A buffer from before the mask can be freed. */
    host_enter_interrupt();
    rt_dma_free(&dev, PAGE, buffers[1], handles[1], 0);
    buffers[1] = rt_dma_alloc(&dev, PAGE, RT_NULL, 0);
    EXPECT(buffers[1] && !rt_dma_alloc(&dev, PAGE, &more, 0));
    EXPECT(rt_dma_get_coherent_mask(&dev) == POOLS_START + 3 * PAGE - 1);
    EXPECT(rt_dma_set_coherent_mask(&dev, POOLS_START + 2 * PAGE - 1) == RT_EOK);
    host_leave_interrupt();
    rt_dma_free(&dev, PAGE, buffers[1], 0, 0);
    EXPECT(!rt_dma_alloc(&dev, PAGE, &more, 0));
    rt_dma_free_coherent(&dev, PAGE, buffers[0], handles[0]);
    rt_dma_free_coherent(&dev, PAGE, old, before);

    /* A mask of all ones ends the limit: the fourth page and larger buffers are served again. */
    EXPECT(rt_dma_set_mask_and_coherent(&dev, ALL_ADDRESSES) == RT_EOK);
    EXPECT(rt_dma_get_mask(&dev) == ALL_ADDRESSES && rt_dma_get_coherent_mask(&dev) == ALL_ADDRESSES);
    beyond = rt_dma_alloc(&dev, 5 * PAGE, &more, 0);
    EXPECT(beyond && more == POOLS_START);
    rt_dma_free(&dev, 5 * PAGE, beyond, more, 0);
}

static int own_frees;
static rt_ubase_t own_handle;
/* What happens on another core while own_alloc runs. */
static void (*meanwhile)(struct rt_device *dev);

static void *own_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    static char memory[64];

    RT_UNUSED(size);
    RT_UNUSED(flags);
    if (meanwhile)
    {
        meanwhile(dev);
    }
    *dma_handle = own_handle;
    return own_handle ? memory : RT_NULL;
}

static void own_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(flags);
    EXPECT(size == 64 && cpu_addr && dma_handle == own_handle);
    own_frees++;
}

/* The result of own_sync_in(), which no function of the library returns. */
#define OWN_RESULT 4711

static rt_err_t own_sync_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(data);
    RT_UNUSED(size);
    RT_UNUSED(dma_handle);
    RT_UNUSED(flags);
    return OWN_RESULT;
}

/* A BSP's own allocation function is called. Memory beyond the mask is returned to it. */
static void own_operations(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = own_alloc, .free = own_free, .sync_in_data = own_sync_in };
    static struct rt_device dev = { .parent.name = "own ops", .dma_ops = &ops };
    rt_ubase_t handle = 1;
    void *buffer;

    own_frees = 0;
    EXPECT(rt_dma_set_coherent_mask(&dev, 0xffff) == RT_EOK);
    own_handle = 0x10000 - 64;
    buffer = rt_dma_alloc(&dev, 64, &handle, 0);
    EXPECT(buffer && handle == own_handle && own_frees == 0);
    EXPECT(rt_dma_sync_in_data(&dev, buffer, 64, handle, 0) == OWN_RESULT);
    rt_dma_free(&dev, 64, buffer, handle, 0);
    EXPECT_EQ(own_frees, 1);
    own_handle = 0x10000 - 63;
    EXPECT(!rt_dma_alloc(&dev, 64, &handle, 0) && own_frees == 2);
    own_handle = 0;
    EXPECT(!rt_dma_alloc(&dev, 64, &handle, 0) && own_frees == 2);
    own_handle = 0x10000;
    EXPECT(rt_dma_set_coherent_mask(&dev, ALL_ADDRESSES) == RT_EOK && rt_dma_alloc(&dev, 64, &handle, 0));
}

static void another_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(cpu_addr);
    RT_UNUSED(dma_handle);
    RT_UNUSED(flags);
    EXPECT(!"the buffer is another table's");
}

static void no_mask_any_more(struct rt_device *dev)
{
    EXPECT(rt_dma_set_coherent_mask(dev, ALL_ADDRESSES) == RT_EOK);
}

static void another_table(struct rt_device *dev)
{
    static const struct rt_dma_map_ops another = { .alloc = own_alloc, .free = another_free };

    no_mask_any_more(dev);
    dev->dma_ops = &another;
}

/* While a call runs, another core sets the device's mask or table: the call goes on with the table that it began with. */
static void operations_that_change_meanwhile(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = own_alloc, .free = own_free, .sync_in_data = own_sync_in };
    static struct rt_device dev = { .parent.name = "meanwhile" };
    void (*const changes[])(struct rt_device *) = { no_mask_any_more, another_table };
    const struct rt_dma_map_ops *masked;
    rt_ubase_t handle;
    void *buffer;

    own_handle = 0x10000;
    for (int i = 0; i < 2; i++)
    {
        dev.dma_ops = &ops;
        own_frees = 0;
        EXPECT(rt_dma_set_coherent_mask(&dev, 0xffff) == RT_EOK);
        meanwhile = changes[i];
        EXPECT(!rt_dma_alloc(&dev, 64, &handle, 0) && own_frees == 1);
        meanwhile = RT_NULL;
    }

    /* A core has read dev->dma_ops just before another one removes the last mask. */
    dev.dma_ops = &ops;
    EXPECT(rt_dma_set_coherent_mask(&dev, 0xffff) == RT_EOK);
    masked = dev.dma_ops;
    EXPECT(rt_dma_set_coherent_mask(&dev, ALL_ADDRESSES) == RT_EOK && dev.dma_ops == &ops && masked != &ops);
    buffer = masked->alloc(&dev, 64, &handle, 0);
    EXPECT(buffer && handle == own_handle);
    EXPECT(masked->sync_in_data(&dev, buffer, 64, handle, 0) == OWN_RESULT);
    masked->free(&dev, 64, buffer, handle, 0);
    EXPECT(own_frees == 2);
}

/* If a BSP's table has no allocation function, the library allocates within the mask. */
static void operations_with_holes(void)
{
    static const struct rt_dma_map_ops ops = { .sync_in_data = own_sync_in };
    static struct rt_device dev = { .parent.name = "holes", .dma_ops = &ops };
    rt_ubase_t handle, synced;
    void *buffer;

    EXPECT(rt_dma_set_coherent_mask(&dev, 0xffff) == -RT_EIO);
    EXPECT(rt_dma_set_coherent_mask(&dev, POOLS_START + PAGE - 1) == RT_EOK);
    buffer = rt_dma_alloc(&dev, PAGE, &handle, 0);
    EXPECT(buffer && handle == POOLS_START && !rt_dma_alloc(&dev, PAGE, &synced, 0));
    EXPECT(rt_dma_sync_out_data(&dev, buffer, PAGE, &synced, 0) == RT_EOK && synced == handle);
    EXPECT(rt_dma_sync_in_data(&dev, buffer, PAGE, handle, 0) == OWN_RESULT);
    rt_dma_free(&dev, PAGE, buffer, handle, 0);
    EXPECT(rt_dma_set_coherent_mask(&dev, ALL_ADDRESSES) == RT_EOK);
    buffer = rt_dma_alloc(&dev, 2 * PAGE, &handle, 0);
    EXPECT(buffer && handle == POOLS_START);
    rt_dma_free(&dev, 2 * PAGE, buffer, handle, 0);
}

/* The mask limits the handle, which is the address on the device's bus. */
static void translated_device(void)
{
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop ranges = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &ranges };
    static struct rt_ofw_node node = { .full_name = "dsp", .parent = &bus };
    static struct rt_device dev = { .parent.name = "dsp", .ofw_node = &node };
    rt_ubase_t first = POOLS_START + HOST_DMA_OFFSET, handle;
    void *buffer, *second;

    EXPECT(rt_dma_set_mask_and_coherent(&dev, POOLS_START + 8 * MIB) == -RT_EIO);
    EXPECT(rt_dma_set_mask_and_coherent(&dev, first + 2 * PAGE - 1) == RT_EOK);
    buffer = rt_dma_alloc(&dev, PAGE, &handle, 0);
    EXPECT(buffer && handle == first);
    EXPECT(!rt_dma_alloc(&dev, PAGE + 1, RT_NULL, 0));
    second = rt_dma_alloc(&dev, PAGE, RT_NULL, 0);
    EXPECT(second && !rt_dma_alloc(&dev, 1, RT_NULL, 0));
    rt_dma_free(&dev, PAGE, second, 0, 0);
    rt_dma_free(&dev, PAGE, buffer, handle, 0);
    EXPECT(rt_dma_set_mask_and_coherent(&dev, ALL_ADDRESSES) == RT_EOK);
    buffer = rt_dma_alloc(&dev, 3 * PAGE, &handle, 0);
    EXPECT(buffer && handle == first);
    rt_dma_free(&dev, 3 * PAGE, buffer, handle, 0);
}

/*
 * The BSP replaces syncs in a copy of the library's table. The library still allocates: within the mask, and aligned, where that
 * memory is not the first.
 */
static void copy_of_a_table_that_translates(void)
{
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop ranges = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &ranges };
    static struct rt_ofw_node node = { .full_name = "vpu", .parent = &bus };
    static struct rt_dma_map_ops copy, masked_copy;
    struct rt_device dev = { .parent.name = "vpu", .ofw_node = &node };
    rt_region_t region = { HOST_RAM + 8 * MIB, HOST_RAM + 9 * MIB, "low" };
    struct rt_dma_pool *low = rt_dma_pool_install(&region);
    rt_ubase_t first, handle;
    void *buffer = rt_dma_alloc(&dev, PAGE, &first, 0), *aligned;

    EXPECT(low && buffer && first == POOLS_START + HOST_DMA_OFFSET);
    copy = *(const struct rt_dma_map_ops *)dev.dma_ops;
    copy.sync_in_data = own_sync_in;
    rt_dma_device_set_ops(&dev, &copy);
    for (int is_masked = 0; is_masked < 2; is_masked++)
    {
        aligned = rt_dma_alloc_aligned(&dev, PAGE, 16 * PAGE, &handle, 0);
        EXPECT(aligned && handle == first + 16 * PAGE);
        rt_dma_free(&dev, PAGE, aligned, handle, 0);
        if (!is_masked)
        {
            EXPECT(rt_dma_set_coherent_mask(&dev, first + MIB) == RT_EOK);
            masked_copy = *(const struct rt_dma_map_ops *)dev.dma_ops;
            rt_dma_device_set_ops(&dev, &masked_copy);
        }
    }
    rt_dma_free(&dev, PAGE, buffer, first, 0);
    rt_dmam_release(&dev);

    EXPECT(rt_dma_set_coherent_mask(&dev, HOST_DMA_OFFSET) == -RT_EIO);
    EXPECT(rt_dma_set_coherent_mask(&dev, region.end + HOST_DMA_OFFSET - 1) == RT_EOK);
    buffer = rt_dma_alloc(&dev, PAGE, &handle, 0);
    EXPECT(buffer && handle == region.start + HOST_DMA_OFFSET);
    rt_dma_free(&dev, PAGE, buffer, handle, 0);
    rt_dmam_release(&dev);
    EXPECT(dev.dma_ops == &copy && rt_dma_pool_uninstall(low) == RT_EOK);
}

/* The first mask of a device needs a thread. From an interrupt the call fails and changes nothing. */
static void mask_in_an_interrupt(void)
{
    static struct rt_device dev = { .parent.name = "interrupt" };

    host_enter_interrupt();
    EXPECT(rt_dma_set_mask_and_coherent(&dev, 0xffffffff) == -RT_EBUSY);
    host_leave_interrupt();
    EXPECT(rt_dma_get_mask(&dev) == ALL_ADDRESSES);
    EXPECT(rt_dma_set_mask(&dev, 0xffffffff) == RT_EOK && rt_dma_get_mask(&dev) == 0xffffffff);
    EXPECT(rt_dma_set_mask(&dev, ALL_ADDRESSES) == RT_EOK);
}

/* Blocks of a pool that has memory already, when a mask is set that does not reach all of it. */
static void blocks_under_a_later_mask(void)
{
    enum { BLOCKS = 12 };
    static struct rt_device dev = { .parent.name = "late" };
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("late", &dev, 2048, 0, 0);
    rt_ubase_t handles[BLOCKS];
    void *blocks[BLOCKS];
    int taken = 0;

    EXPECT(pool);
    for (int i = 0; i < BLOCKS; i++)
    {
        blocks[i] = rt_dma_block_pool_alloc(pool, &handles[i]);
        EXPECT(blocks[i]);
    }
    for (int i = 0; i < BLOCKS; i++)
    {
        rt_dma_block_pool_free(pool, blocks[i], handles[i]);
    }
    EXPECT(rt_dma_set_coherent_mask(&dev, POOLS_START + 2 * PAGE - 1) == RT_EOK);
    while (taken < BLOCKS && (blocks[taken] = rt_dma_block_pool_alloc(pool, &handles[taken])))
    {
        EXPECT(handles[taken] + 2048 <= POOLS_START + 2 * PAGE);
        taken++;
    }
    EXPECT_EQ(taken, 4);
    for (int i = 0; i < taken; i++)
    {
        rt_dma_block_pool_free(pool, blocks[i], handles[i]);
    }
    EXPECT(rt_dma_set_coherent_mask(&dev, ALL_ADDRESSES) == RT_EOK);
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
}

void masked_drivers(void)
{
    wrong_masks();
    straddled_pool();
    own_operations();
    operations_that_change_meanwhile();
    operations_with_holes();
    translated_device();
    copy_of_a_table_that_translates();
    mask_in_an_interrupt();
    blocks_under_a_later_mask();
}
