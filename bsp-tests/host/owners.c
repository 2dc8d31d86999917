/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the ownership of memory: regions that must not be used, and devices that are removed without a release. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define REGION_START   (HOST_RAM + 32 * MIB)

static fdt32_t reg[] = { CELLS(REGION_START), CELLS(1 * MIB) };
static fdt32_t no_reg[] = { CELLS(1 * MIB) };
static fdt32_t far_reg[] = { CELLS(~0ULL - 4095), CELLS(1 * MIB) };
static fdt32_t names[] = { CELL(3) };
static struct rt_ofw_prop name_props = { "memory-region", sizeof(names), names, RT_NULL };
static struct rt_ofw_node device_node = { .full_name = "decoder", .props = &name_props };

/*
 * A device whose node names a region with these properties is served from the boot pools, and one line in the log
 * explains why.
 */
static void expect_refused(struct rt_ofw_prop *props, const char *line)
{
    struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .props = props };
    struct rt_device decoder = { .parent.name = "decoder", .ofw_node = &device_node };
    int blocks = host_heap_blocks();
    rt_ubase_t handle;
    void *buffer;

    memory.props ? host_add_node(&memory) : host_remove_node(3);
    buffer = rt_dma_alloc(&decoder, 4096, &handle, 0);
    EXPECT(buffer && (handle < REGION_START || handle >= REGION_START + MIB));
    EXPECT(strstr(host_last_text(), line));
    EXPECT_EQ(host_heap_blocks(), blocks);
    rt_dma_free(&decoder, 4096, buffer, handle, 0);
    host_remove_node(3);
}

void regions_that_must_not_be_used(void)
{
    static const char *const not_there[] = { "disabled", "reserved", "fail", "fail-sss", "okay-ish", "" };
    static struct rt_mmblk_reg ram = { { REGION_START, REGION_START + MIB, "memory" }, MEMBLOCK_NONE, 1, { 0 } };
    struct rt_ofw_prop reg_prop = { "reg", sizeof(reg), reg, RT_NULL };
    struct rt_ofw_prop size = { "size", sizeof(no_reg), no_reg, RT_NULL };
    struct rt_ofw_prop far = { "reg", sizeof(far_reg), far_reg, RT_NULL };
    struct rt_ofw_prop no_map = { "no-map", 0, RT_NULL, &reg_prop };
    struct rt_ofw_prop reusable = { "reusable", 0, RT_NULL, &no_map };

    /* RT-Thread reserves nothing for a node whose status is not "okay": its memory belongs to the page allocator. */
    for (size_t i = 0; i < RT_ARRAY_SIZE(not_there); i++)
    {
        struct rt_ofw_prop status = { "status", (int)strlen(not_there[i]) + 1, (void *)not_there[i], &reg_prop };

        expect_refused(&status, "node is disabled");
    }
    expect_refused(&size, "decoder: not served: no reg");
    expect_refused(&far, "bad reg");
    expect_refused(&reusable, "no-map and reusable");
    expect_refused(RT_NULL, "no such node");

    /* Memory that the page allocator owns is not used, whatever the node's properties are. */
    if (!ram.node.next)
    {
        host_add_memory(&ram);
    }
    host_set_paged(REGION_START + MIB - ARCH_PAGE_SIZE, REGION_START + MIB);
    expect_refused(&reg_prop, "memory not reserved");
    host_set_paged(0, 0);
}

void regions_of_nodes_that_are_there(void)
{
    static const char *const there[] = { "okay", "ok" };
    static fdt32_t regs[2][4] =
    {
        { CELLS(REGION_START + MIB), CELLS(MIB) },
        { CELLS(REGION_START + 2 * MIB), CELLS(MIB) },
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(there); i++)
    {
        struct rt_ofw_prop reg_prop = { "reg", sizeof(regs[i]), regs[i], RT_NULL };
        struct rt_ofw_prop status = { "status", (int)strlen(there[i]) + 1, (void *)there[i], &reg_prop };
        struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .props = &status };
        static struct rt_device devices[2] =
        {
            { .parent.name = "encoder0", .ofw_node = &device_node },
            { .parent.name = "encoder1", .ofw_node = &device_node },
        };
        rt_ubase_t handle;
        void *buffer;

        host_add_node(&memory);
        buffer = rt_dma_alloc(&devices[i], 4096, &handle, 0);
        EXPECT(buffer && handle == REGION_START + (i + 1) * MIB);
        rt_dma_free(&devices[i], 4096, buffer, handle, 0);
        host_remove_node(3);
    }
}

int list_dma_pool(int argc, char **argv);

/* Devices that are added and removed. All have this address, as devices on a thread's stack may. */
static struct rt_device removable;

static struct rt_device *add_device(const char *name, struct rt_ofw_node *node)
{
    memset(&removable, 0, sizeof(removable));
    strncpy(removable.parent.name, name, RT_NAME_MAX - 1);
    removable.ofw_node = node;
    return &removable;
}

/* Removes the device: its memory is overwritten. */
static void remove_device(void)
{
    memset(&removable, 0xdd, sizeof(removable));
    strcpy(removable.parent.name, "gone");
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
    static fdt32_t named_reg[] = { CELLS(REGION_START + 3 * MIB), CELLS(MIB) };
    static struct rt_ofw_prop reg_prop = { "reg", sizeof(named_reg), named_reg, RT_NULL };
    static struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .props = &reg_prop };
    static struct rt_device second = { .parent.name = "second", .ofw_node = &device_node };
    static struct rt_ofw_node no_names = { .full_name = "no-names" };
    struct rt_device *dev;
    rt_ubase_t handle;
    void *buffer;

    host_add_node(&memory);
    for (int shares = 0; shares < 2; shares++)
    {
        dev = add_device("owner", &device_node);
        buffer = rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE);
        EXPECT(buffer && handle == REGION_START + 3 * MIB);
        rt_dma_free(dev, 4096, buffer, handle, RT_DMA_F_DEVICE);
        remove_device();

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
        host_interrupt(1);
        EXPECT(!rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE));
        host_interrupt(0);
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
    const rt_uint64_t all = ~(rt_uint64_t)0, low = HOST_RAM + 16 * MIB + ARCH_PAGE_SIZE - 1;
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
            EXPECT(rt_dma_get_mask(dev) == all && rt_dma_get_coherent_mask(dev) == all);
        }
        buffer = rt_dma_alloc(dev, 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer && handle + ARCH_PAGE_SIZE > low);
        EXPECT(rt_dma_get_mask(dev) == all && rt_dma_get_coherent_mask(dev) == all);
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
    host_interrupt(1);
    buffer = rt_dma_alloc(dev, 4096, &handle, 0);
    EXPECT(buffer && rt_dma_get_mask(dev) == all);
    rt_dma_free(dev, 4096, buffer, handle, 0);
    host_interrupt(0);
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
        EXPECT(rt_dma_get_mask(&many[i]) == all && rt_dma_get_coherent_mask(&many[i]) == all);
        buffer = rt_dma_alloc(&many[i], 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer);
        rt_dma_free(&many[i], 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
    }
    EXPECT_EQ(host_heap_blocks(), blocks);
}

/*
 * The BSP gives a device its table before the device's first call, so the library chooses none for it. It has neither a mask
 * nor a region of an earlier device at its address, whatever table that one had.
 */
static void a_table_of_the_bsp_before_the_first_call(void)
{
    const rt_uint64_t all = ~(rt_uint64_t)0, low = HOST_RAM + 16 * MIB + ARCH_PAGE_SIZE - 1;
    static fdt32_t named_reg[] = { CELLS(REGION_START + 3 * MIB), CELLS(MIB) };
    static struct rt_ofw_prop reg_prop = { "reg", sizeof(named_reg), named_reg, RT_NULL };
    static struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .props = &reg_prop };
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
        EXPECT(rt_dma_get_mask(dev) == all && rt_dma_get_coherent_mask(dev) == all);
        buffer = rt_dma_alloc(dev, 2 * ARCH_PAGE_SIZE, &handle, 0);
        EXPECT(buffer && handle + ARCH_PAGE_SIZE > low);
        EXPECT(rt_dma_map_single(dev, (char *)buffer + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE) == handle + ARCH_PAGE_SIZE);
        rt_dma_unmap_single(dev, handle + ARCH_PAGE_SIZE, 4096, RT_DMA_TO_DEVICE);

        /* The mask that it sets is its only one. The other one is not the earlier device's. */
        EXPECT(rt_dma_set_mask(dev, 0xffffffff) == RT_EOK);
        EXPECT(rt_dma_get_mask(dev) == 0xffffffff && rt_dma_get_coherent_mask(dev) == all);
        rt_dma_free(dev, 2 * ARCH_PAGE_SIZE, buffer, handle, 0);
        rt_dmam_release(dev);
        EXPECT(dev->dma_ops == &own);
        remove_device();
    }
    EXPECT_EQ(host_heap_blocks(), blocks);

    host_add_node(&memory);
    dev = add_device("owner", &device_node);
    buffer = rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_DEVICE);
    EXPECT(buffer && handle == REGION_START + 3 * MIB);
    rt_dma_free(dev, 4096, buffer, handle, RT_DMA_F_DEVICE);
    remove_device();
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
        host_interrupt(1);
        rt_dmam_release(dev); /* refused in an interrupt: changes nothing */
        host_interrupt(0);
        EXPECT(dev->dma_ops != before && rt_dma_get_coherent_mask(dev) == 0xffffffff);
        rt_dmam_release(dev);
        EXPECT(dev->dma_ops == before && rt_dma_get_coherent_mask(dev) == ~(rt_uint64_t)0);
        remove_device();
    }
}

/* A release does not free managed resources of an earlier device at the same address. */
static void managed_buffers_end_with_their_device(void)
{
    struct rt_device *dev = add_device("sloppy", RT_NULL);
    rt_ubase_t left = 0, handle = 0;
    int blocks = host_heap_blocks();
    void *buffer = rt_dmam_alloc(dev, 4096, &left, 0);

    EXPECT(buffer);
    remove_device();
    dev = add_device("tidy", RT_NULL);
    host_forget_text();
    EXPECT(rt_dmam_alloc(dev, 4096, &handle, 0) && handle == left + ARCH_PAGE_SIZE);
    EXPECT(strstr(host_text(), "tidy: 1 managed resources of an earlier device"));
    rt_dmam_free(dev, 4096, buffer, left);
    rt_dmam_release(dev);
    EXPECT(rt_dma_alloc(dev, 4096, &handle, 0) && handle == left + ARCH_PAGE_SIZE);
    rt_dma_free(dev, 4096, (char *)buffer + ARCH_PAGE_SIZE, handle, 0);
    rt_dma_free(dev, 4096, buffer, left, 0);
    EXPECT_EQ(host_heap_blocks(), blocks);
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
    a_table_of_the_bsp_before_the_first_call();
    operations_come_back();
    managed_buffers_end_with_their_device();
    mappings_end_with_their_device();
}
