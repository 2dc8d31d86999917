/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the tables of map operations of devices that are removed: those of the BSP, and those that a release restores. */
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "owners.h"

/*
 * The BSP gives a device its table before the device's first call, so the library chooses none for it. It has neither a mask
 * nor a region of an earlier device at its address, whatever table that one had.
 */
static void a_table_of_the_bsp_before_the_first_call(void)
{
    const rt_uint64_t low = HOST_RAM + 16 * MIB + ARCH_PAGE_SIZE - 1;
    static const struct rt_dma_map_ops own = { 0 };
    int blocks = host_heap_blocks();
    struct rt_device *dev;
    rt_ubase_t handle;
    void *buffer;

    for (int which = 0; which < 2; which++)
    {
        dev = add_device("short", RT_NULL);
        if (which)
        {
            rt_dma_device_set_ops(dev, &own);
        }
        EXPECT(rt_dma_set_mask_and_coherent(dev, low) == RT_EOK);
        remove_device();
        dev = add_device("long", RT_NULL);
        rt_dma_device_set_ops(dev, &own);
        EXPECT(rt_dma_get_mask(dev) == ALL_ADDRESSES && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        buffer = rt_dma_alloc(dev, 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer && handle + ARCH_PAGE_SIZE > low);
        EXPECT(rt_dma_map_single(dev, (char *)buffer + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE) == handle + ARCH_PAGE_SIZE);
        rt_dma_unmap_single(dev, handle + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE);

        /* The mask that it sets is its only one. The other one is not the earlier device's. */
        EXPECT(rt_dma_set_mask(dev, 0xffffffff) == RT_EOK);
        EXPECT(rt_dma_get_mask(dev) == 0xffffffff && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        rt_dma_free(dev, 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
        rt_dmam_release(dev);
        EXPECT(dev->dma_ops == &own);
        remove_device();
    }
    EXPECT_EQ(host_heap_blocks(), blocks);

    host_add_node(&region_node);
    use_region_of_removed_device();
    dev = add_device("stranger", RT_NULL);
    rt_dma_device_set_ops(dev, &own);
    EXPECT(!rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE));
    remove_device();
    host_remove_node(3);
}

/* After a release, a device has the map operations that it had before its mask. */
static void operations_come_back(void)
{
    static struct rt_ofw_prop bus_props = { "dma-ranges", 12, RT_NULL, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static struct rt_ofw_node node = { .full_name = "translated", .parent = &bus };
    static const struct rt_dma_map_ops own = { 0 };

    for (int which = 0; which < 3; which++)
    {
        struct rt_device *dev = add_device("masked", which == 1 ? &node : RT_NULL);
        const struct rt_dma_map_ops *before;
        rt_ubase_t handle;
        void *buffer;

        if (which == 2)
        {
            rt_dma_device_set_ops(dev, &own);
        }
        buffer = rt_dma_alloc(dev, 64, &handle, 0);
        EXPECT(buffer);
        rt_dma_free(dev, 64, buffer, handle, 0);
        before = dev->dma_ops;
        EXPECT(before && rt_dma_set_coherent_mask(dev, 0xffffffff) == RT_EOK && dev->dma_ops != before);
        host_enter_interrupt();
        rt_dmam_release(dev); /* refused in an interrupt: changes nothing */
        host_leave_interrupt();
        EXPECT(dev->dma_ops != before && rt_dma_get_coherent_mask(dev) == 0xffffffff);
        rt_dmam_release(dev);
        EXPECT(dev->dma_ops == before && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        remove_device();
    }
}

static const struct rt_dma_map_ops *masked_table;

static void *call_masked_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return masked_table->alloc(dev, size, dma_handle, flags);
}

static void call_masked_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    masked_table->free(dev, size, cpu_addr, dma_handle, flags);
}

/* The BSP replaces a masked table by one that calls it. A device without a mask of its own has this table, too. */
static void a_table_that_calls_the_masked_one(void)
{
    static const struct rt_dma_map_ops caller = { .alloc = call_masked_alloc, .free = call_masked_free };

    for (int which = 0; which < 3; which++)
    {
        struct rt_device *dev = add_device("caller", RT_NULL);
        rt_ubase_t handle;
        void *buffer;

        EXPECT(rt_dma_set_coherent_mask(dev, 0xffffffff) == RT_EOK);
        masked_table = dev->dma_ops;
        rt_dma_device_set_ops(dev, &caller);
        if (which == 0)
        {
            rt_dmam_release(dev);
        }
        else if (which == 1)
        {
            remove_device();
            dev = add_device("child", RT_NULL);
            rt_dma_device_set_ops(dev, &caller);
        }
        else
        {
            EXPECT(rt_dma_set_coherent_mask(dev, ALL_ADDRESSES) == RT_EOK);
            rt_dma_device_set_ops(dev, &caller);
        }
        buffer = rt_dma_alloc(dev, 64, &handle, 0);
        EXPECT(buffer);
        rt_dma_free(dev, 64, buffer, handle, 0);
        remove_device();
    }
}

/* The BSP copies the masked table of a device, to replace an operation of it. Masks that are set later count for the copy. */
static void a_copy_of_a_masked_table(void)
{
    const rt_uint64_t low = HOST_RAM + 16 * MIB + ARCH_PAGE_SIZE - 1;
    static const struct rt_dma_map_ops own = { 0 };
    int blocks = host_heap_blocks();

    for (int which = 0; which < 4; which++)
    {
        static struct rt_dma_map_ops copy;
        struct rt_device *dev = add_device("copy", RT_NULL);
        const struct rt_dma_map_ops *before;
        rt_ubase_t handle;
        void *buffer;

        if (which & 1)
        {
            rt_dma_device_set_ops(dev, &own);
        }
        buffer = rt_dma_alloc(dev, 64, &handle, 0);
        rt_dma_free(dev, 64, buffer, handle, 0);
        before = dev->dma_ops;
        EXPECT(rt_dma_set_coherent_mask(dev, 0xffffffff) == RT_EOK);
        copy = *(const struct rt_dma_map_ops *)dev->dma_ops;
        rt_dma_device_set_ops(dev, &copy);
        EXPECT(rt_dma_set_coherent_mask(dev, low) == RT_EOK);
        EXPECT(dev->dma_ops == &copy && rt_dma_get_coherent_mask(dev) == low && rt_dma_get_mask(dev) == ALL_ADDRESSES);
        EXPECT(!rt_dma_alloc(dev, 2 * ARCH_PAGE_SIZE, &handle, 0));
        buffer = rt_dma_alloc(dev, 64, &handle, 0);
        EXPECT(buffer && handle <= low);
        EXPECT(rt_dma_sync_out_data(dev, buffer, 64, &handle, 0) == RT_EOK);
        rt_dma_free(dev, 64, buffer, handle, 0);

        /* Without a mask, the device has its original table again. */
        if (which < 2)
        {
            rt_dmam_release(dev);
        }
        else
        {
            EXPECT(rt_dma_set_coherent_mask(dev, ALL_ADDRESSES) == RT_EOK);
        }
        EXPECT(dev->dma_ops == before && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        remove_device();
    }
    EXPECT_EQ(host_heap_blocks(), blocks);
}

void *own_memory;
int own_buffers;

void *own_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    own_buffers++;
    *dma_handle = 0x1000;
    return own_memory;
}

void own_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(dma_handle);
    RT_UNUSED(flags);
    EXPECT(cpu_addr == own_memory);
    own_buffers--;
}

/* The operations of the BSP in a copy of a masked table free the managed buffers that they allocated. */
static void managed_buffers_of_a_copy(void)
{
    static struct rt_dma_map_ops copy;
    static char memory[4096];
    struct rt_device *dev = add_device("copy", RT_NULL);
    rt_ubase_t handle;

    own_memory = memory;
    own_buffers = 0;
    EXPECT(rt_dma_set_mask(dev, 0xffffffff) == RT_EOK);
    copy = *(const struct rt_dma_map_ops *)dev->dma_ops;
    copy.alloc = own_alloc;
    copy.free = own_free;
    rt_dma_device_set_ops(dev, &copy);
    EXPECT(rt_dmam_alloc(dev, 64, &handle, 0) && own_buffers == 1);
    host_forget_text();
    rt_dmam_release(dev);
    EXPECT_EQ(own_buffers, 0);
    EXPECT(!*host_text() && dev->dma_ops != &copy && rt_dma_get_mask(dev) == ALL_ADDRESSES);
    remove_device();
}

/* A refused free leaves a managed buffer managed, also where the free is in a table of the BSP. */
static void refused_free_by_a_copy(void)
{
    for (int is_masked = 0; is_masked < 2; is_masked++)
    {
        static struct rt_ofw_prop bus_props = { "dma-ranges", 12, RT_NULL, RT_NULL };
        static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
        static struct rt_ofw_node node = { .full_name = "copied", .parent = &bus };
        static struct rt_dma_map_ops copy;
        struct rt_device *dev = add_device("copied", &node);
        rt_ubase_t handle, again;
        void *buffer;

        EXPECT(rt_dma_set_max_segment(dev, 4096) == RT_EOK);
        EXPECT(!is_masked || rt_dma_set_mask(dev, 0xffffffff) == RT_EOK);
        copy = *(const struct rt_dma_map_ops *)dev->dma_ops;
        rt_dma_device_set_ops(dev, &copy);
        buffer = rt_dmam_alloc(dev, 64, &handle, 0);
        EXPECT(buffer);
        host_forget_text();
        rt_dma_free(dev, 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
        EXPECT(strstr(host_text(), "free: wrong size"));
        rt_dmam_release(dev);
        buffer = rt_dma_alloc(dev, 64, &again, 0);
        EXPECT_EQ(again, handle);
        rt_dma_free(dev, 64, buffer, again, 0);
        remove_device();
    }
}

/* A device without a mask has a copy of another device's masked table, with an operation of the BSP. The copy stays. */
static void a_copy_of_the_table_of_another_device(void)
{
    static struct rt_dma_map_ops copy;
    struct rt_device *parent = add_device("parent", RT_NULL);
    struct rt_device *dev;

    EXPECT(rt_dma_set_coherent_mask(parent, 0xffffffff) == RT_EOK);
    copy = *(const struct rt_dma_map_ops *)parent->dma_ops;
    rt_dmam_release(parent);
    remove_device();
    dev = add_device("child", RT_NULL);
    rt_dma_device_set_ops(dev, &copy);
    EXPECT(rt_dma_set_mask_and_coherent(dev, ALL_ADDRESSES) == RT_EOK);
    EXPECT(dev->dma_ops == &copy && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
    rt_dmam_release(dev);
    EXPECT(dev->dma_ops == &copy);
    remove_device();
}

/*
 * A child with the table of `last`, whose masks are not known. What it allocated before it got this table is freed with its
 * handle, by the table as by rt_dma_free and by the release, and in an interrupt with handle 0; a second free is refused. A free
 * writes no line, not even of a region that the child's node names in vain.
 */
static void free_without_known_masks(struct rt_device *child, const struct rt_device *last)
{
    rt_ubase_t handle, handles[3];
    void *before[3];

    child->dma_ops = last->dma_ops;
    EXPECT(!rt_dma_alloc(child, 64, &handle, 0));
    child->dma_ops = RT_NULL;
    for (int i = 0; i < 3; i++)
    {
        before[i] = rt_dma_alloc(child, 64, &handles[i], 0);
        EXPECT(before[i]);
    }
    EXPECT(rt_dmam_alloc(child, 64, &handle, 0));
    child->dma_ops = last->dma_ops;
    host_forget_text();
    rt_dma_free(child, 64, before[0], handles[0], 0);
    ((const struct rt_dma_map_ops *)child->dma_ops)->free(child, 64, before[1], handles[1], 0);
    rt_dmam_release(child);
    host_enter_interrupt();
    rt_dma_free(child, 64, before[2], 0, 0);
    host_leave_interrupt();
    EXPECT(!*host_text());
    for (int i = 1; i < 3; i++)
    {
        host_forget_text();
        ((const struct rt_dma_map_ops *)last->dma_ops)->free(child, 64, before[i], handles[i], 0);
        EXPECT(strstr(host_text(), "free: not in use"));
    }
}

/*
 * More masks than the library has tables for. Each device keeps its masks. A child that copies the table of the last device
 * has no record of them, and gets no memory. The tables stay taken, so this subject is the last one.
 */
void more_masks_than_tables(void)
{
    static struct rt_device many[40];
    struct rt_device *last = &many[RT_ARRAY_SIZE(many) - 1];
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop ranges = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &ranges };
    static struct rt_ofw_node node = { .full_name = "translated", .parent = &bus };
    static fdt32_t missing;
    static struct rt_ofw_prop names = { "memory-region", sizeof(missing), &missing, RT_NULL };
    struct rt_device child;
    int blocks = host_heap_blocks();
    rt_ubase_t handle;
    void *buffer;

    missing = cpu_to_fdt32(99);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(many); i++)
    {
        many[i] = (struct rt_device) { .parent.name = "many" };
        EXPECT(rt_dma_set_mask_and_coherent(&many[i], ((rt_uint64_t)(i + 1) << 32) - 1) == RT_EOK);
    }
    EXPECT(many[0].dma_ops != many[1].dma_ops && (last - 1)->dma_ops == last->dma_ops);
    child = (struct rt_device) { .parent.name = "child" };
    free_without_known_masks(&child, last);
    child = (struct rt_device) { .parent.name = "translated", .ofw_node = &node };
    free_without_known_masks(&child, last);
    node.props = &names;
    free_without_known_masks(&child, last);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(many); i++)
    {
        const rt_uint64_t mask = ((rt_uint64_t)(i + 1) << 32) - 1;

        EXPECT(rt_dma_get_mask(&many[i]) == mask && rt_dma_get_coherent_mask(&many[i]) == mask);
        buffer = rt_dma_alloc(&many[i], 64, &handle, 0);
        EXPECT(buffer && rt_dma_sync_out_data(&many[i], buffer, 64, &handle, 0) == RT_EOK);
        rt_dma_free(&many[i], 64, buffer, handle, 0);
        rt_dmam_release(&many[i]);
        EXPECT(many[i].dma_ops != last->dma_ops || &many[i] == last);
        EXPECT(rt_dma_get_mask(&many[i]) == ALL_ADDRESSES && rt_dma_get_coherent_mask(&many[i]) == ALL_ADDRESSES);
    }
    EXPECT_EQ(host_heap_blocks(), blocks);
}

void tables_of_the_bsp(void)
{
    a_copy_of_the_table_of_another_device();
    a_copy_of_a_masked_table();
    managed_buffers_of_a_copy();
    refused_free_by_a_copy();
    a_table_that_calls_the_masked_one();
    a_table_of_the_bsp_before_the_first_call();
    operations_come_back();
}
