/* SPDX-License-Identifier: Apache-2.0 */
/* Tests shared-dma-pool nodes: one with a reg and linux,cma-default, and one with a size only. */
#include <string.h>

#include <rtdevice.h>
#include <drivers/ofw_io.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <linux/of_reserved_mem.h>
#include "expect.h"
#include "kernel.h"

#define BANK_START  (HOST_RAM + 54 * MIB)
#define VIDEO_START (HOST_RAM + 57 * MIB)
#define CMA_START   (HOST_RAM + 58 * MIB)

static char shared[] = "shared-dma-pool", ramoops[] = "ramoops", disabled[] = "disabled";
static fdt32_t size[] = { CELLS(MIB - 100) }, alignment[] = { CELLS(MIB) }, no_size[] = { CELLS(0) };
/* The first range is too small. The second begins a page before its first aligned address. */
static fdt32_t ranges[] = { CELLS(BANK_START), CELLS(ARCH_PAGE_SIZE), CELLS(VIDEO_START - 5000), CELLS(MIB + 5000) };
static fdt32_t cma_reg[] = { CELLS(CMA_START), CELLS(MIB) };

static struct rt_ofw_prop video_props[] =
{
    { "compatible", sizeof(shared), shared, &video_props[1] },
    { "size", sizeof(size), size, &video_props[2] },
    { "alignment", sizeof(alignment), alignment, &video_props[3] },
    { "alloc-ranges", sizeof(ranges), ranges, &video_props[4] },
    { "no-map", 0, RT_NULL, RT_NULL },
};
static struct rt_ofw_prop cma_props[] =
{
    { "compatible", sizeof(shared), shared, &cma_props[1] },
    { "reg", sizeof(cma_reg), cma_reg, &cma_props[2] },
    { "reusable", 0, RT_NULL, &cma_props[3] },
    { "linux,cma-default", 0, RT_NULL, RT_NULL },
};
/* The library ignores both of these nodes. */
static struct rt_ofw_prop log_props[] =
{
    { "compatible", sizeof(ramoops), ramoops, &log_props[1] },
    { "size", sizeof(no_size), no_size, RT_NULL },
};
static struct rt_ofw_prop disabled_props[] =
{
    { "compatible", sizeof(shared), shared, &disabled_props[1] },
    { "status", sizeof(disabled), disabled, &disabled_props[2] },
    { "size", sizeof(no_size), no_size, RT_NULL },
};

static struct rt_ofw_node root = { .full_name = "/" };
/* The addresses of the children are those of the root. */
static fdt32_t same[] = { CELLS(HOST_RAM), CELLS(HOST_RAM), CELLS(HOST_RAM_SIZE) };
static struct rt_ofw_prop same_ranges = { "ranges", sizeof(same), same, RT_NULL };
static struct rt_ofw_node reserved_memory = { .full_name = "reserved-memory", .parent = &root, .props = &same_ranges };
static struct rt_ofw_node off = { .full_name = "off", .parent = &reserved_memory, .props = disabled_props };
static struct rt_ofw_node cma =
{
    .full_name = "linux,cma", .parent = &reserved_memory, .props = cma_props, .sibling = &off
};
static struct rt_ofw_node log =
{
    .full_name = "log", .parent = &reserved_memory, .props = log_props, .sibling = &cma
};
static struct rt_ofw_node video =
{
    .full_name = "video", .phandle = 2, .parent = &reserved_memory, .props = video_props, .sibling = &log
};

/*
 * The tree has addresses of 32 bits, and memory whose size brings it above 4 GiB, where a reg cannot lead. A node is not served
 * from there.
 */
static void node_with_addresses_of_32_bits(void)
{
    static fdt32_t one[] = { CELL(1) }, size_of_a_page[] = { CELL(ARCH_PAGE_SIZE) };
    static struct rt_ofw_prop props[] =
    {
        { "compatible", sizeof(shared), shared, &props[1] },
        { "size", sizeof(size_of_a_page), size_of_a_page, RT_NULL },
    };
    static struct rt_ofw_prop cells[] =
    {
        { "#address-cells", sizeof(one), one, &cells[1] },
        { "#size-cells", sizeof(one), one, RT_NULL },
    };
    static struct rt_ofw_node parent = { .full_name = "reserved-memory", .parent = &root, .props = cells };
    static struct rt_ofw_node node = { .full_name = "audio", .parent = &parent, .props = props };
    static struct rt_mmblk_reg high = { { 1UL << 32, (1UL << 32) + MIB, "memory" }, MEMBLOCK_NONE, 1, { 0 } };
    rt_uint64_t start, bytes;

    parent.child = &node;
    root.child = &parent;
    host_add_memory(&high);
    EXPECT(rt_dma_reserved_memory_install() == -RT_ENOMEM);
    EXPECT(rt_ofw_get_address(&node, 0, &start, &bytes) != RT_EOK);
    high.flags = MEMBLOCK_HOTPLUG;
    root.child = RT_NULL;
}

static void board_with_shared_pools(void)
{
    static struct rt_mmblk_reg ram = { { BANK_START, HOST_RAM + HOST_RAM_SIZE, "memory" }, MEMBLOCK_HOTPLUG, 1, { 0 } };
    /* RT-Thread reserves the memory of a node with a reg. */
    static struct rt_mmblk_reg reserved = { { CMA_START, CMA_START + MIB, "linux,cma" }, MEMBLOCK_NONE, 1, { 0 } };
    rt_uint64_t start, size;
    int blocks;

    EXPECT(rt_dma_reserved_memory_install() == -RT_ENOSYS);
    host_set_root(&root);
    EXPECT(rt_dma_reserved_memory_install() == RT_EOK);
    node_with_addresses_of_32_bits();
    root.child = &reserved_memory;
    EXPECT(rt_dma_reserved_memory_install() == RT_EOK);

    /* The heap has no room for the ranges above the node. */
    reserved_memory.child = &cma;
    host_fail_ranges(1);
    EXPECT(rt_dma_reserved_memory_install() == -RT_ENOMEM && strstr(host_last_text(), "out of memory"));
    host_fail_ranges(0);

    /* Buffers of every device may only lie in memory that is reusable. */
    cma_props[1].next = &cma_props[3];
    EXPECT(rt_dma_reserved_memory_install() == -RT_EINVAL && strstr(host_last_text(), "without reusable"));
    cma_props[1].next = &cma_props[2];

    reserved_memory.child = &video;
    host_enter_interrupt();
    EXPECT(rt_dma_reserved_memory_install() == -RT_EBUSY);
    host_leave_interrupt();

    /* No memory in memblock; then hot-pluggable memory; then memory of the page allocator; then an empty heap. */
    EXPECT(rt_dma_reserved_memory_install() == -RT_EEMPTY);
    host_add_memory(&ram);
    host_reserve(&reserved);
    EXPECT(rt_dma_reserved_memory_install() == -RT_EEMPTY);
    ram.flags = MEMBLOCK_NONE;
    host_set_paged(HOST_RAM, HOST_RAM + HOST_RAM_SIZE);
    blocks = host_heap_blocks();
    EXPECT(rt_dma_reserved_memory_install() == -RT_EEMPTY);
    host_set_paged(BANK_START + MIB, BANK_START + 2 * MIB);
    host_fail_append(1);
    EXPECT(rt_dma_reserved_memory_install() == -RT_ENOMEM && host_heap_blocks() == blocks);
    host_fail_append(0);
    /* The alignment has one cell, as numbers of the device have; then a range has no size. */
    video_props[2].length = 4;
    EXPECT(rt_dma_reserved_memory_install() == -RT_EINVAL && strstr(host_last_text(), "cannot be read"));
    video_props[2].length = sizeof(alignment);
    /* An alignment is one number. */
    video_props[2] = (struct rt_ofw_prop){ "alignment", sizeof(ranges), ranges, &video_props[3] };
    EXPECT(rt_dma_reserved_memory_install() == -RT_EINVAL && strstr(host_last_text(), "cannot be read"));
    video_props[2] = (struct rt_ofw_prop){ "alignment", sizeof(alignment), alignment, &video_props[3] };
    video_props[3].length = 24;
    EXPECT(rt_dma_reserved_memory_install() == -RT_EINVAL && strstr(host_last_text(), "cannot be read"));
    video_props[3].length = sizeof(ranges);
    EXPECT(rt_ofw_get_address(&video, 0, &start, &size) != RT_EOK);

    EXPECT(rt_dma_reserved_memory_install() == RT_EOK && host_heap_blocks() == blocks + 2);
    EXPECT(rt_ofw_get_address(&video, 0, &start, &size) == RT_EOK && start == VIDEO_START && size == 1 * MIB);
    EXPECT(rt_memblock_get_reserved()->reg_list.next);
    host_add_node(&video);
}

static int calls_meanwhile;

static void while_the_default_pool_is_uninstalled(void)
{
    calls_meanwhile++;
    EXPECT(rt_dma_reserved_memory_install() == -RT_EBUSY && strstr(host_last_text(), "pool is leaving"));
}

/* A call while another thread uninstalls the default pool can be repeated. */
static void default_pool_that_is_uninstalled(void)
{
    struct rt_dma_pool *pool = RT_NULL;

    do
    {
        pool = rt_dma_pool_next(pool);
    }
    while (pool && pool->region.start != CMA_START);
    EXPECT(pool);
    calls_meanwhile = 0;
    host_call_at_unmap(while_the_default_pool_is_uninstalled);
    EXPECT(rt_dma_pool_uninstall(pool) == RT_EOK);
    host_call_at_unmap(RT_NULL);
    EXPECT(calls_meanwhile);
    EXPECT(rt_dma_reserved_memory_install() == RT_EOK);
}

void drivers_with_reserved_memory(void)
{
    static fdt32_t names[] = { CELL(2) };
    static char region_names[] = "frames";
    static struct rt_ofw_prop named = { "memory-region-names", sizeof(region_names), region_names, RT_NULL };
    static struct rt_ofw_prop props = { "memory-region", sizeof(names), names, &named };
    static struct rt_ofw_node node = { .full_name = "decoder", .parent = &root, .props = &props };
    static struct rt_device decoder = { .parent.name = "decoder", .ofw_node = &node };
    static struct rt_device plain = { .parent.name = "plain" };
    struct rt_mmblk_reg *reg;
    rt_ubase_t handle;
    void *buffer, *rest[2];

    if (!root.child)
    {
        board_with_shared_pools();
    }
    EXPECT(rt_dma_reserved_memory_install() == RT_EOK);
    rt_slist_for_each_entry(reg, &rt_memblock_get_reserved()->reg_list, node)
    {
        if (reg->memreg.start == VIDEO_START)
        {
            break;
        }
    }
    EXPECT(reg && reg->memreg.end == VIDEO_START + MIB);
    EXPECT(reg->flags == MEMBLOCK_NOMAP && !strcmp(reg->memreg.name, "video"));

    buffer = rt_dma_alloc(&decoder, 4096, &handle, RT_DMA_F_DEVICE);
    EXPECT(buffer && handle == VIDEO_START);
    EXPECT(rt_kmem_v2p((void *)(handle - rt_kmem_pvoff())) == ARCH_MAP_FAILED);
    rt_dma_free(&decoder, 4096, buffer, handle, RT_DMA_F_DEVICE);

    /* As drivers for Linux ask for it. */
    EXPECT(of_reserved_mem_device_init(&decoder) == 0);
    EXPECT(of_reserved_mem_device_init_by_idx(&decoder, (struct device_node *)&node, 0) == 0);
    EXPECT(of_reserved_mem_device_init_by_idx(&decoder, (struct device_node *)&node, 1) == -ENODEV);
    EXPECT(of_reserved_mem_device_init_by_idx(&decoder, (struct device_node *)&video, 0) == -EINVAL);
    EXPECT(of_reserved_mem_device_init_by_name(&decoder, (struct device_node *)&node, "frames") == 0);
    EXPECT(of_reserved_mem_device_init_by_name(&decoder, (struct device_node *)&node, "firmware") == -ENODEV);
    EXPECT(of_reserved_mem_device_init_by_idx(&decoder, (struct device_node *)&node, -1) == -ENODEV);
    EXPECT(of_reserved_mem_device_init_by_name(&decoder, NULL, "frames") == -EINVAL);
    EXPECT(of_reserved_mem_device_init(&plain) == -EINVAL);
    /* A driver does without a region if there is none, but must not if the region cannot be had at this time. */
    host_enter_interrupt();
    EXPECT(of_reserved_mem_device_init(&decoder) == -ENOMEM);
    host_leave_interrupt();
    of_reserved_mem_device_release(&decoder);
    EXPECT(!rt_dma_alloc(&decoder, 4096, &handle, RT_DMA_F_DEVICE));
    EXPECT(of_reserved_mem_device_init(&decoder) == 0);
    buffer = rt_dma_alloc(&decoder, 4096, &handle, RT_DMA_F_DEVICE);
    EXPECT(buffer && handle == VIDEO_START);
    rt_dma_free(&decoder, 4096, buffer, handle, RT_DMA_F_DEVICE);

    /* Every device is served from the default pool when the boot pools are full. */
    rest[0] = rt_dma_alloc(&plain, 2 * MIB, RT_NULL, 0);
    rest[1] = rt_dma_alloc(&plain, 6 * MIB, RT_NULL, 0);
    buffer = rt_dma_alloc(&plain, 1 * MIB, &handle, 0);
    EXPECT(rest[0] && rest[1] && buffer && handle == CMA_START);
    rt_dma_free(&plain, 1 * MIB, buffer, handle, 0);
    default_pool_that_is_uninstalled();
    buffer = rt_dma_alloc(&plain, 1 * MIB, &handle, 0);
    EXPECT(buffer && handle == CMA_START);
    rt_dma_free(&plain, 1 * MIB, buffer, handle, 0);
    rt_dma_free(&plain, 6 * MIB, rest[1], 0, 0);
    rt_dma_free(&plain, 2 * MIB, rest[0], 0, 0);
}
