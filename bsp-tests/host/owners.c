/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns memory: regions that a device's node names and that must not be used. */
#include <string.h>

#include <rtdevice.h>
#include "expect.h"
#include "kernel.h"

#define PLACE   (HOST_RAM + 46 * MIB)

static fdt32_t reg[] = { CELLS(PLACE), CELLS(1 * MIB) };
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
    EXPECT(buffer && (handle < PLACE || handle >= PLACE + MIB));
    EXPECT(strstr(host_last_text(), line));
    EXPECT(host_heap_blocks() == blocks);
    rt_dma_free(&decoder, 4096, buffer, handle, 0);
    host_remove_node(3);
}

void regions_that_must_not_be_used(void)
{
    static const char *const not_there[] = { "disabled", "reserved", "fail", "fail-sss", "okay-ish", "" };
    static struct rt_mmblk_reg ram = { { PLACE, PLACE + MIB, "memory" }, MEMBLOCK_NONE, 1, { 0 } };
    struct rt_ofw_prop place = { "reg", sizeof(reg), reg, RT_NULL };
    struct rt_ofw_prop size = { "size", sizeof(no_reg), no_reg, RT_NULL };
    struct rt_ofw_prop far = { "reg", sizeof(far_reg), far_reg, RT_NULL };
    struct rt_ofw_prop no_map = { "no-map", 0, RT_NULL, &place };
    struct rt_ofw_prop reusable = { "reusable", 0, RT_NULL, &no_map };

    /* RT-Thread reserves nothing for a node that is not there: its memory belongs to the page allocator. */
    for (size_t i = 0; i < RT_ARRAY_SIZE(not_there); i++)
    {
        struct rt_ofw_prop status = { "status", (int)strlen(not_there[i]) + 1, (void *)not_there[i], &place };

        expect_refused(&status, "node is disabled");
    }
    expect_refused(&size, "decoder: not served: no reg");
    expect_refused(&far, "bad reg");
    expect_refused(&reusable, "no-map and reusable");
    expect_refused(RT_NULL, "no such node");

    /* Whatever the node says: what the page allocator owns is nobody else's. */
    if (!ram.node.next)
    {
        host_add_memory(&ram);
    }
    host_set_paged(PLACE + MIB - ARCH_PAGE_SIZE, PLACE + MIB);
    expect_refused(&place, "memory not reserved");
    host_set_paged(0, 0);
}

void regions_of_nodes_that_are_there(void)
{
    static const char *const there[] = { "okay", "ok" };
    static fdt32_t regs[2][4] = { { CELLS(PLACE + MIB), CELLS(MIB) }, { CELLS(PLACE + 2 * MIB), CELLS(MIB) } };

    for (size_t i = 0; i < RT_ARRAY_SIZE(there); i++)
    {
        struct rt_ofw_prop place = { "reg", sizeof(regs[i]), regs[i], RT_NULL };
        struct rt_ofw_prop status = { "status", (int)strlen(there[i]) + 1, (void *)there[i], &place };
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
        EXPECT(buffer && handle == PLACE + (i + 1) * MIB);
        rt_dma_free(&devices[i], 4096, buffer, handle, 0);
        host_remove_node(3);
    }
}
