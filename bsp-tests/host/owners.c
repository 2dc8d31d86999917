/* SPDX-License-Identifier: Apache-2.0 */
/* Tests devices that are removed without a release: the next device at the same address inherits nothing. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "owners.h"
#include "subjects.h"


static fdt32_t names[] = { CELL(3) };
static struct rt_ofw_prop name_props = { "memory-region", sizeof(names), names, RT_NULL };
struct rt_ofw_node owner_node = { .full_name = "decoder", .props = &name_props };

static fdt32_t region_reg[] = { CELLS(REGION_START + 3 * MIB), CELLS(MIB) };
static struct rt_ofw_prop region_props = { "reg", sizeof(region_reg), region_reg, RT_NULL };
struct rt_ofw_node region_node = { .full_name = "memory", .phandle = 3, .props = &region_props };

static struct rt_device removable;

struct rt_device *add_device(const char *name, struct rt_ofw_node *node)
{
    memset(&removable, 0, sizeof(removable));
    strncpy(removable.parent.name, name, RT_NAME_MAX - 1);
    removable.ofw_node = node;
    return &removable;
}

void remove_device(void)
{
    memset(&removable, 0xdd, sizeof(removable));
    strcpy(removable.parent.name, "gone");
}

void use_region_of_removed_device(void)
{
    struct rt_device *dev = add_device("owner", &owner_node);
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE);

    EXPECT(buffer && handle == REGION_START + 3 * MIB);
    rt_dma_free(dev, 4096, buffer, handle, RT_DMA_F_DEVICE);
    remove_device();
}

/* Whether list_dma_pool has a line for a pool of this name. */
static int is_listed(const char *name)
{
    char line[32];

    host_forget_text();
    list_dma_pool(0, RT_NULL);
    snprintf(line, sizeof(line), "\n%s ", name);
    return strstr(host_text(), line) != RT_NULL;
}

static void a_region_belongs_to_devices_that_are_there(void)
{
    static struct rt_device second = { .parent.name = "second", .ofw_node = &owner_node };
    static struct rt_ofw_node no_names = { .full_name = "no-names" };
    struct rt_device *dev;
    rt_ubase_t handle;
    void *buffer;

    host_add_node(&region_node);
    for (int shares = 0; shares < 2; shares++)
    {
        use_region_of_removed_device();

        /* The pool's name is a copy of the device's name. */
        EXPECT(is_listed("owner") && !is_listed("gone"));

        /* The next device at that address owns no region, with a node, without one, and in an interrupt. */
        dev = add_device("stranger", shares ? &no_names : RT_NULL);
        EXPECT(!rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE));
        buffer = rt_dma_alloc(dev, 4096, &handle, 0);
        EXPECT(buffer && handle != REGION_START + 3 * MIB);
        rt_dma_free(dev, 4096, buffer, handle, 0);
        remove_device();
        dev = add_device("interrupt", RT_NULL);
        host_enter_interrupt();
        EXPECT(!rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE));
        host_leave_interrupt();
        remove_device();

        /* A device whose node names the region owns it, also together with another device. */
        buffer = rt_dma_alloc(&second, 4096, &handle, RT_DMA_F_DEVICE);
        EXPECT(buffer && handle == REGION_START + 3 * MIB);
        rt_dma_free(&second, 4096, buffer, handle, RT_DMA_F_DEVICE);
    }
    dev = add_device("stranger", RT_NULL);
    EXPECT(!rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE));
    remove_device();
    host_remove_node(3);
}

static void masks_end_with_their_device(void)
{
    const rt_uint64_t low = HOST_RAM + 16 * MIB + ARCH_PAGE_SIZE - 1;
    static struct rt_device many[32];
    struct rt_device *dev;
    rt_ubase_t handle;
    int blocks;
    void *buffer;

    /* Devices that set both masks, or one, and are removed without a release. */
    for (int which = 0; which < 3; which++)
    {
        dev = add_device("short", RT_NULL);
        EXPECT(which == 2 || rt_dma_set_mask(dev, low) == RT_EOK);
        EXPECT(which == 1 || rt_dma_set_coherent_mask(dev, low) == RT_EOK);
        remove_device();
        dev = add_device("long", RT_NULL);
        if (which == 0)
        {
            EXPECT(rt_dma_get_mask(dev) == ALL_ADDRESSES && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        }
        buffer = rt_dma_alloc(dev, 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer && handle + ARCH_PAGE_SIZE > low);
        EXPECT(rt_dma_get_mask(dev) == ALL_ADDRESSES && rt_dma_get_coherent_mask(dev) == ALL_ADDRESSES);
        EXPECT(rt_dma_map_single(dev, (char *)buffer + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE) == handle + ARCH_PAGE_SIZE);
        rt_dma_unmap_single(dev, handle + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE);
        rt_dma_free(dev, 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
        remove_device();
    }

    /* The next device's first call may come in an interrupt. The next call from a thread frees the old record. */
    blocks = host_heap_blocks();
    dev = add_device("short", RT_NULL);
    EXPECT(rt_dma_set_mask(dev, low) == RT_EOK);
    remove_device();
    dev = add_device("long", RT_NULL);
    host_enter_interrupt();
    buffer = rt_dma_alloc(dev, 4096, &handle, 0);
    EXPECT(buffer && rt_dma_get_mask(dev) == ALL_ADDRESSES);
    rt_dma_free(dev, 4096, buffer, handle, 0);
    host_leave_interrupt();
    rt_dmam_release(dev);
    EXPECT_EQ(host_heap_blocks(), blocks);
    remove_device();

    /* A driver that releases its device leaves no record. */
    for (size_t i = 0; i < RT_ARRAY_SIZE(many); i++)
    {
        many[i] = (struct rt_device) { .parent.name = "many" };
        EXPECT(rt_dma_set_mask_and_coherent(&many[i], low) == RT_EOK);
        EXPECT(rt_dmam_alloc(&many[i], 64, &handle, 0) && !rt_dma_alloc(&many[i], 4096, &handle, 0));
        rt_dmam_release(&many[i]);
        EXPECT(rt_dma_get_mask(&many[i]) == ALL_ADDRESSES && rt_dma_get_coherent_mask(&many[i]) == ALL_ADDRESSES);
        buffer = rt_dma_alloc(&many[i], 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer);
        rt_dma_free(&many[i], 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
    }
    EXPECT_EQ(host_heap_blocks(), blocks);
}

/* A release does not free managed resources of an earlier device at the same address. */
static void managed_buffers_end_with_their_device(void)
{
    struct rt_device *dev = add_device("sloppy", RT_NULL);
    rt_ubase_t left = 0, handle = 0;
    int blocks = host_heap_blocks(), refused;
    void *buffer = rt_dmam_alloc(dev, 4096, &left, 0);

    EXPECT(buffer);
    remove_device();
    dev = add_device("tidy", RT_NULL);
    refused = refused_calls();
    host_forget_text();
    EXPECT(rt_dmam_alloc(dev, 4096, &handle, 0) && handle == left + ARCH_PAGE_SIZE);
    EXPECT(strstr(host_text(), "tidy: 1 managed resources of an earlier device"));
    EXPECT_EQ(refused_calls(), refused);
    rt_dmam_free(dev, 4096, buffer, left);
    rt_dmam_release(dev);
    EXPECT(rt_dma_alloc(dev, 4096, &handle, 0) && handle == left + ARCH_PAGE_SIZE);
    rt_dma_free(dev, 4096, (char *)buffer + ARCH_PAGE_SIZE, handle, 0);
    rt_dma_free(dev, 4096, buffer, left, 0);
    EXPECT_EQ(host_heap_blocks(), blocks);
    remove_device();

    /* The release, or a free, is the next device's first call. */
    for (int frees = 0; frees < 2; frees++)
    {
        dev = add_device("sloppy", RT_NULL);
        buffer = rt_dmam_alloc(dev, 4096, &left, 0);
        EXPECT(buffer);
        remove_device();
        dev = add_device("tidy", RT_NULL);
        host_forget_text();
        if (frees)
        {
            rt_dmam_free(dev, 4096, buffer, left);
        }
        else
        {
            rt_dmam_release(dev);
        }
        EXPECT(strstr(host_text(), "tidy: 1 managed resources of an earlier device"));
        EXPECT(rt_dma_alloc(dev, 4096, &handle, 0) && handle == left + ARCH_PAGE_SIZE);
        rt_dma_free(dev, 4096, (char *)buffer + ARCH_PAGE_SIZE, handle, 0);
        rt_dma_free(dev, 4096, buffer, left, 0);
        EXPECT_EQ(host_heap_blocks(), blocks);
        remove_device();
    }
}

/* The next device at an address has the default limits, also before its first other call. */
static void limits_end_with_their_device(void)
{
    struct rt_device *dev = add_device("short", RT_NULL);

    EXPECT(rt_dma_set_max_segment(dev, 512) == RT_EOK && rt_dma_set_min_align_mask(dev, 0xfff) == RT_EOK);
    remove_device();
    dev = add_device("long", RT_NULL);
    EXPECT_EQ(rt_dma_get_max_segment(dev), 65536);
    EXPECT_EQ(rt_dma_get_min_align_mask(dev), 0);
    rt_dmam_release(dev);
    remove_device();
}

/* The next device at an address does not meet the mappings of the last one, and their bounce buffers are free. */
static void mappings_end_with_their_device(void)
{
    static const int sizes[] = { 100, 200 };
    struct rt_mm_va_hint hint =
    {
        .map_size = ARCH_PAGE_SIZE,
        .prefer = (void *)(REGION_START + 10 * MIB - rt_kmem_pvoff()),
    };
    char *frame = RT_NULL, *buffer;
    rt_ubase_t handles[2];

    EXPECT(!rt_aspace_map_phy(&rt_kernel_space, &hint, 0, (REGION_START + 10 * MIB) >> MM_PAGE_SHIFT, (void **)&frame));
    buffer = frame + 1;
    for (int which = 0; which < 2; which++)
    {
        struct rt_device *dev = add_device("sloppy", RT_NULL);
        rt_size_t size = sizes[which];

        handles[which] = rt_dma_map_single(dev, buffer, size, RT_DMA_FROM_DEVICE);
        EXPECT(!rt_dma_mapping_error(dev, handles[which]));
        remove_device();
        dev = add_device("tidy", RT_NULL);
        memset(frame, 7, ARCH_PAGE_SIZE);
        host_forget_text();
        /* Its first call is for DMA memory, or for a mapping. */
        if (which)
        {
            rt_ubase_t handle;
            void *memory = rt_dma_alloc(dev, 4096, &handle, 0);

            EXPECT(memory && handle == handles[0]);
            rt_dma_free(dev, 4096, memory, handle, 0);
        }
        else
        {
            rt_ubase_t handle = rt_dma_map_single(dev, buffer, size, RT_DMA_FROM_DEVICE);

            EXPECT(handle == handles[0]);
            rt_dma_unmap_single(dev, handle, size, RT_DMA_FROM_DEVICE);
        }
        EXPECT(strstr(host_text(), "tidy: 1 mappings of an earlier device"));
        rt_dma_unmap_single(dev, handles[which], size, RT_DMA_FROM_DEVICE);
        EXPECT(strstr(host_text(), "not mapped"));
        EXPECT(frame[0] == 7 && frame[1] == 7 && frame[size] == 7);
        remove_device();
    }
    EXPECT(!rt_aspace_unmap(&rt_kernel_space, frame));
}

void devices_that_come_and_go(void)
{
    a_region_belongs_to_devices_that_are_there();
    masks_end_with_their_device();
    tables_of_the_bsp();
    managed_buffers_end_with_their_device();
    limits_end_with_their_device();
    mappings_end_with_their_device();
}
