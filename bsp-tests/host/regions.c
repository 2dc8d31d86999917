/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the regions that nodes name: those that must not be used, and those of nodes that are there. */
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include <linux/of_reserved_mem.h>
#include "expect.h"
#include "kernel.h"
#include "owners.h"

static fdt32_t reg[] = { CELLS(REGION_START), CELLS(1 * MIB) };
static fdt32_t no_reg[] = { CELLS(1 * MIB) };
static fdt32_t far_reg[] = { CELLS(~0ULL - 4095), CELLS(1 * MIB) };

/*
 * A device whose node names a region with these properties is served from the boot pools, and one line in the log
 * explains why.
 */
static void expect_refused(struct rt_ofw_prop *props, const char *line)
{
    struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .props = props };
    struct rt_device decoder = { .parent.name = "decoder", .ofw_node = &owner_node };
    int blocks = host_heap_blocks();
    rt_ubase_t handle;
    void *buffer;

    if (props)
    {
        host_add_node(&memory);
    }
    else
    {
        host_remove_node(3);
    }
    buffer = rt_dma_alloc(&decoder, 4096, &handle, 0);
    EXPECT(buffer && (handle < REGION_START || handle >= REGION_START + MIB));
    EXPECT(strstr(host_last_text(), line));
    EXPECT_EQ(host_heap_blocks(), blocks);
    rt_dma_free(&decoder, 4096, buffer, handle, 0);
    host_remove_node(3);
}

/* RT-Thread's table of nodes begins and ends with the least and the greatest phandle of the tree. Some nodes have no phandle. */
static void expect_no_node(void)
{
    static const rt_uint32_t phandles[] = { 0, 0x8001, 0xffffffff };
    static struct rt_ofw_node without_phandle = { .full_name = "chosen" };

    host_add_node(&without_phandle);
    for (size_t i = 0; i < RT_ARRAY_SIZE(phandles); i++)
    {
        fdt32_t cell = cpu_to_fdt32(phandles[i]);
        struct rt_ofw_prop names = { "memory-region", sizeof(cell), &cell, RT_NULL };
        struct rt_ofw_node node = { .full_name = "decoder", .props = &names };
        struct rt_device decoder = { .parent.name = "decoder", .ofw_node = &node };
        rt_ubase_t handle;
        void *buffer = rt_dma_alloc(&decoder, 4096, &handle, 0);

        EXPECT(buffer && strstr(host_last_text(), "no such node"));
        rt_dma_free(&decoder, 4096, buffer, handle, 0);
    }
    host_remove_node(0);
}

void regions_that_must_not_be_used(void)
{
    static const char *const not_there[] = { "disabled", "reserved", "fail", "fail-sss", "okay-ish", "" };
    static const char *const uses[] = { "kernel", "memheap", "fdt", "initrd" };
    static struct rt_mmblk_reg ram = { { REGION_START, REGION_START + MIB, "memory" }, MEMBLOCK_NONE, 1, { 0 } };
    static struct rt_mmblk_reg used = { .flags = MEMBLOCK_NONE, .alloc = 1 };
    struct rt_ofw_prop reg_prop = { "reg", sizeof(reg), reg, RT_NULL };
    struct rt_ofw_prop size = { "size", sizeof(no_reg), no_reg, RT_NULL };
    struct rt_ofw_prop far = { "reg", sizeof(far_reg), far_reg, RT_NULL };
    /* Without the second cell of the size, or without a size. */
    struct rt_ofw_prop cut = { "reg", 12, reg, RT_NULL }, without_size = { "reg", 8, reg, RT_NULL };
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
    expect_refused(&cut, "bad reg");
    expect_refused(&without_size, "bad reg");
    expect_refused(&reusable, "no-map and reusable");
    expect_refused(RT_NULL, "no such node");
    expect_no_node();

    /* Memory that the page allocator owns is not used, whatever the node's properties are. */
    if (!ram.node.next)
    {
        host_add_memory(&ram);
    }
    host_set_paged(REGION_START + MIB - ARCH_PAGE_SIZE, REGION_START + MIB);
    expect_refused(&reg_prop, "memory not reserved");
    host_set_paged(0, 0);

    /*
     * Nor is memory that the kernel itself uses. RT-Thread reserves it first, under these names, and then nothing for a node that
     * overlaps it.
     */
    if (!used.node.next)
    {
        host_reserve(&used);
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(uses); i++)
    {
        used.memreg = (rt_region_t) { REGION_START + MIB - ARCH_PAGE_SIZE + 1, REGION_START + MIB, uses[i] };
        expect_refused(&reg_prop, "memory not reserved");
        used.memreg = (rt_region_t) { REGION_START, REGION_START + 1, uses[i] };
        expect_refused(&reg_prop, "memory not reserved");
    }
    used.memreg.name = "memreserve";
}

/* The heap has no room for the ranges by which the kernel translates the region's address. The device waits for its region. */
static void a_region_below_a_bus_with_ranges(void)
{
    static fdt32_t child_reg[] = { CELLS(0x1000), CELLS(MIB) };
    static fdt32_t moved[] = { CELLS(0), CELLS(REGION_START + 5 * MIB - 0x1000), CELLS(2 * MIB) };
    static struct rt_ofw_prop reg_prop = { "reg", sizeof(child_reg), child_reg, RT_NULL };
    static struct rt_ofw_prop ranges = { "ranges", sizeof(moved), moved, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "reserved", .props = &ranges };
    static struct rt_ofw_node memory = { .full_name = "memory", .phandle = 3, .parent = &bus, .props = &reg_prop };
    static struct rt_device dev = { .parent.name = "waiting", .ofw_node = &owner_node };
    rt_ubase_t handle;
    void *buffer;

    host_add_node(&memory);
    if (!dev.dma_ops)
    {
        EXPECT(rt_dma_own_region_init(&dev, &memory, 0) == -RT_EINVAL && !dev.dma_ops);
        host_fail_ranges(1);
        EXPECT(rt_dma_own_region_init(&dev, RT_NULL, 0) == -RT_ENOMEM);
        EXPECT(!rt_dma_alloc(&dev, 4096, &handle, 0) && strstr(host_last_text(), "no memory"));
        host_fail_ranges(0);
    }
    buffer = rt_dma_alloc(&dev, 4096, &handle, 0);
    EXPECT(buffer && handle == REGION_START + 5 * MIB);
    rt_dma_free(&dev, 4096, buffer, handle, 0);

    /* The same when a device that gave its regions up asks for them again. */
    rt_dma_own_region_release(&dev);
    host_forget_ranges();
    host_fail_ranges(1);
    EXPECT(rt_dma_own_region_init(&dev, RT_NULL, 0) == -RT_ENOMEM);
    EXPECT(of_reserved_mem_device_init(&dev) == -ENOMEM);
    host_fail_ranges(0);
    EXPECT(rt_dma_own_region_init(&dev, RT_NULL, 0) == RT_EOK);
    host_remove_node(3);
    host_forget_ranges();
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
            { .parent.name = "encoder0", .ofw_node = &owner_node },
            { .parent.name = "encoder1", .ofw_node = &owner_node },
        };
        rt_ubase_t handle;
        void *buffer;

        host_add_node(&memory);
        buffer = rt_dma_alloc(&devices[i], 4096, &handle, 0);
        EXPECT(buffer && handle == REGION_START + (i + 1) * MIB);
        rt_dma_free(&devices[i], 4096, buffer, handle, 0);
        host_remove_node(3);
    }
    a_region_below_a_bus_with_ranges();
}
