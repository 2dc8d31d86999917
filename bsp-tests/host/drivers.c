/* SPDX-License-Identifier: Apache-2.0 */
/* C drivers, written as those of a BSP, with the calls of drivers/dma.h, and wrong calls. */
#include <string.h>

#include <rtdevice.h>
#include <drivers/pci.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "subjects.h"

static struct rt_device plain = { .parent.name = "plain" };

/* A ring of descriptors in coherent memory, each with the handle of the next. */
void ring_driver(void)
{
    struct descriptor { rt_uint64_t next, data; } *ring;
    rt_ubase_t handle;
    rt_size_t count = 300, size = count * sizeof(*ring);

    ring = rt_dma_alloc_coherent(&plain, size, &handle);
    EXPECT(ring && handle >= HOST_RAM + 16 * MIB);
    for (rt_size_t i = 0; i < count; i++)
    {
        ring[i].next = handle + (i + 1) % count * sizeof(*ring);
        ring[i].data = i;
    }
    for (rt_size_t i = 0, at = handle; i < count; i++)
    {
        struct descriptor *seen = host_device_view(at);

        EXPECT(seen->data == i);
        at = seen->next;
    }
    rt_dma_free_coherent(&plain, size, ring, handle);
}

/* A buffer that is synced to the device and back. */
void streaming_driver(void)
{
    rt_ubase_t handle = 0, synced = 0;
    char *buffer = rt_dma_alloc(&plain, 10000, &handle, 0);

    EXPECT(buffer);
    memset(buffer, 0x5a, 10000);
    EXPECT(rt_dma_sync_out_data(&plain, buffer + 3, 9990, &synced, 0) == RT_EOK);
    EXPECT(synced == handle + 3);
    EXPECT(((char *)host_device_view(synced))[9989] == 0x5a);
    memset(host_device_view(handle), 0x77, 10000);
    EXPECT(rt_dma_sync_in_data(&plain, buffer, 10000, handle, 0) == RT_EOK);
    EXPECT(buffer[0] == 0x77 && buffer[9999] == 0x77);
    rt_dma_free(&plain, 10000, buffer, handle, 0);

    /* A caller that did not ask for the handle passes 0 to the free. */
    buffer = rt_dma_alloc(&plain, 1, RT_NULL, 0);
    EXPECT(buffer);
    rt_dma_free(&plain, 1, buffer, 0, 0);
}

/* The handle of all memory that bsp_alloc() returns. */
#define BSP_HANDLE 0x1234

static void *bsp_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    static char own[64];

    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    *dma_handle = BSP_HANDLE;
    return own;
}

/* A BSP's own table in which some functions are NULL. */
void driver_with_own_ops(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = bsp_alloc };
    struct rt_device dev = { .parent.name = "own ops" };
    rt_ubase_t handle = 0;
    void *buffer;

    rt_dma_device_set_ops(&dev, &ops);
    EXPECT(rt_dma_alloc(&dev, 64, &handle, 0) && handle == BSP_HANDLE);
    /* The function writes the handle even for a driver that does not ask for it. */
    EXPECT(rt_dma_alloc(&dev, 64, RT_NULL, 0));
    buffer = rt_dma_alloc(&plain, 64, &handle, 0);
    EXPECT(rt_dma_sync_out_data(&dev, buffer, 64, &handle, 0) == RT_EOK);
    EXPECT(rt_dma_sync_in_data(&dev, buffer, 64, handle, 0) == RT_EOK);
    rt_dma_free(&dev, 64, buffer, handle, 0);
}

/* Two devices below one bus with dma-ranges share a no-map region. */
void device_tree_drivers(void)
{
    static const rt_ubase_t start = HOST_RAM + 40 * MIB;
    static fdt32_t reg[] = { CELLS(HOST_RAM + 40 * MIB), CELLS(1 * MIB) };
    static fdt32_t names[2] = { CELL(1), CELL(7) };
    static struct rt_ofw_prop memory_props[2] =
    {
        { "reg", sizeof(reg), reg, &memory_props[1] },
        { "no-map", 0, RT_NULL, RT_NULL },
    };
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop bus_props = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_prop device_props = { "memory-region", sizeof(names), names, RT_NULL };
    static struct rt_ofw_node memory = { .full_name = "memory@42800000", .phandle = 1, .props = memory_props };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static struct rt_ofw_node node = { .full_name = "camera", .parent = &bus, .props = &device_props };
    static struct rt_device first = { .parent.name = "camera0", .ofw_node = &node };
    static struct rt_device second = { .parent.name = "camera1", .ofw_node = &node };
    rt_ubase_t first_handle, second_handle;
    void *first_buffer, *second_buffer;

    host_add_node(&memory);
    first_buffer = rt_dma_alloc(&first, 5000, &first_handle, 0);
    second_buffer = rt_dma_alloc(&second, 5000, &second_handle, 0);
    EXPECT(first_buffer && first_handle == start + HOST_DMA_OFFSET);
    EXPECT(second_buffer && second_handle == first_handle + 2 * ARCH_PAGE_SIZE);
    strcpy(first_buffer, "a frame");
    EXPECT(!strcmp(host_device_view(first_handle - HOST_DMA_OFFSET), "a frame"));
    EXPECT(rt_kmem_v2p((void *)(start - rt_kmem_pvoff())) == ARCH_MAP_FAILED);
    rt_dma_free(&first, 5000, first_buffer, first_handle, 0);
    rt_dma_free(&second, 5000, second_buffer, second_handle, 0);
    first_buffer = rt_dma_alloc(&first, 4096, &first_handle, RT_DMA_F_NOMAP);
    EXPECT((rt_ubase_t)first_buffer == start && first_handle == start + HOST_DMA_OFFSET);
    rt_dma_free(&first, 4096, first_buffer, first_handle, RT_DMA_F_NOMAP);
#if STAND_IN_REVISION >= 2
    EXPECT(rt_dma_ofw_device_map_ops(RT_NULL) == RT_NULL);
    EXPECT(rt_dma_ofw_device_map_ops(&plain) == RT_NULL);
    EXPECT(rt_dma_ofw_device_map_ops(&first) == first.dma_ops);
#endif
}

#if STAND_IN_REVISION >= 2
/* A device below a host bridge whose window moves memory. */
void pci_driver(void)
{
    static struct rt_pci_bus_region window = { 0x1000, HOST_RAM, HOST_RAM_SIZE, 0, 0 };
    static struct rt_pci_host_bridge bridge = { .dma_regions_nr = 1, .dma_regions = &window };
    static struct rt_bus bus = { .name = "pci" };
    static struct rt_pci_bus pci_bus = { .host_bridge = &bridge };
    static struct rt_pci_device pci = { .parent = { .parent.name = "nvme", .bus = &bus }, .bus = &pci_bus };
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&pci.parent, 4096, &handle, 0);

    EXPECT(buffer && handle == (rt_ubase_t)rt_kmem_v2p(buffer) - HOST_RAM + 0x1000);
    rt_dma_free(&pci.parent, 4096, buffer, handle, 0);
}

void write_through_driver(void)
{
    rt_ubase_t handle;
    void *cached = rt_dma_alloc(&plain, 64, &handle, 0), *buffer;

    rt_dma_free(&plain, 64, cached, handle, 0);
    buffer = rt_dma_alloc(&plain, 64, &handle, RT_DMA_F_WT);
    EXPECT(buffer && buffer != cached && rt_kmem_v2p(buffer) == (void *)handle);
    rt_dma_free(&plain, 64, buffer, handle, RT_DMA_F_WT);
}
#endif

/* A board installs a pool itself. It may write the pool's flags and device at any time. */
void fixed_region(void)
{
    rt_region_t region = { HOST_RAM + 50 * MIB + 1, HOST_RAM + 50 * MIB + 3 * ARCH_PAGE_SIZE, "fixed" };
    rt_region_t bad[] =
    {
        { HOST_RAM + 50 * MIB, HOST_RAM + 51 * MIB, "overlap" },
        { HOST_RAM + 52 * MIB, HOST_RAM + 52 * MIB, "empty" },
        { HOST_RAM + 53 * MIB, HOST_RAM + 52 * MIB, "backwards" },
        { HOST_RAM + 52 * MIB + 1, HOST_RAM + 52 * MIB + ARCH_PAGE_SIZE, "no page" },
    };
    struct rt_device owner = { .parent.name = "owner" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);
    rt_ubase_t handle;
    void *buffer;

    EXPECT(pool && pool->bits == 2 && pool->start == HOST_RAM + 50 * MIB + ARCH_PAGE_SIZE);
    EXPECT(pool->flags == (RT_DMA_F_LINEAR | RT_DMA_F_32BITS) || STAND_IN_REVISION < 2);
    EXPECT(rt_dma_pool_install(RT_NULL) == RT_NULL);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(bad); i++)
    {
        int blocks = host_heap_blocks();

        EXPECT(rt_dma_pool_install(&bad[i]) == RT_NULL);
        EXPECT_EQ(host_heap_blocks(), blocks);
    }

    pool->flags |= RT_DMA_F_DEVICE;
    pool->dev = &owner;
    EXPECT(!rt_dma_alloc(&plain, 4096, &handle, RT_DMA_F_DEVICE));
    buffer = rt_dma_alloc(&owner, 8192, &handle, RT_DMA_F_DEVICE);
    EXPECT(buffer && handle == pool->start && *pool->map == 3);
    rt_dma_free(&owner, 8192, buffer, handle, RT_DMA_F_DEVICE);
    EXPECT(*pool->map == 0);

#if STAND_IN_REVISION < 2
    {
        rt_region_t around[] = { { HOST_RAM + 50 * MIB - ARCH_PAGE_SIZE, HOST_RAM + 52 * MIB, "around" } };

        /* The memory before the pool in the middle is not lost when memory after that pool is extracted. */
        EXPECT(rt_dma_pool_extract(around, 1, 4 * ARCH_PAGE_SIZE, 0) == RT_EOK);
        EXPECT(around[0].start == HOST_RAM + 50 * MIB - ARCH_PAGE_SIZE);
        EXPECT(rt_dma_pool_extract(around, 1, ARCH_PAGE_SIZE, 0) == RT_EOK);
        EXPECT(around[0].start == HOST_RAM + 50 * MIB);
    }
#endif
}

/* Each of these calls logs a line and changes nothing. */
void wrong_calls(void)
{
    rt_ubase_t handle;
    char *buffer, on_stack[64];

    EXPECT(!rt_dma_alloc(RT_NULL, 64, &handle, 0) && !rt_dma_alloc(&plain, 0, &handle, 0));
    EXPECT(!rt_dma_alloc(&plain, ~0UL, &handle, 0) && !rt_dma_alloc(&plain, 1UL << 40, &handle, 0));
    EXPECT(rt_dma_sync_out_data(RT_NULL, on_stack, 64, &handle, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_out_data(&plain, RT_NULL, 64, &handle, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_out_data(&plain, on_stack, 0, &handle, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_out_data(&plain, (void *)8, 64, &handle, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_in_data(RT_NULL, on_stack, 64, 0, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_in_data(&plain, RT_NULL, 64, 0, 0) == -RT_EINVAL);
    EXPECT(rt_dma_sync_in_data(&plain, on_stack, 0, 0, 0) == -RT_EINVAL);

    buffer = rt_dma_alloc(&plain, 8192, &handle, 0);
    rt_dma_free(RT_NULL, 8192, buffer, handle, 0);
    rt_dma_free(&plain, 0, buffer, handle, 0);
    rt_dma_free(&plain, 8192, RT_NULL, handle, 0);
    rt_dma_free(&plain, 8192, on_stack, handle, 0);
    rt_dma_free(&plain, 8192, buffer + 1, handle, 0);
    rt_dma_free(&plain, 4096, buffer, handle, 0);
    rt_dma_free(&plain, 8192, buffer, handle + 1, 0);
    EXPECT(rt_dma_alloc(&plain, 4096, RT_NULL, 0) == buffer + 8192);
    rt_dma_free(&plain, 4096, buffer + 8192, 0, 0);
    rt_dma_free(&plain, 8192, buffer, handle, 0);
    rt_dma_free(&plain, 8192, buffer, handle, 0);
    EXPECT(rt_dma_alloc(&plain, 4096, RT_NULL, 0) == buffer);
    rt_dma_free(&plain, 4096, buffer, 0, 0);
}

int refused_calls(void)
{
    const char *line;

    host_forget_text();
    list_dma_pool(0, RT_NULL);
    line = strstr(host_text(), " calls refused");
    while (line && line > host_text() && line[-1] != '\n')
    {
        line--;
    }
    return line ? atoi(line) : 0;
}

/* Each call that needs a thread is counted when an interrupt makes it. */
static void calls_that_need_a_thread_are_counted(struct rt_device *dev)
{
    int before = refused_calls();

    host_enter_interrupt();
    EXPECT(rt_dma_map_fill(dev, 1) == -RT_EBUSY);
    EXPECT(rt_dma_own_region_init(dev, RT_NULL, 0) == -RT_EBUSY);
    EXPECT(rt_dma_reserved_memory_install() == -RT_EBUSY);
    EXPECT(rt_dma_set_max_segment(dev, 4096) == -RT_EBUSY);
    rt_dmam_release(dev);
    host_forget_text();
    EXPECT(list_dma_pool(0, RT_NULL) == -1);
    EXPECT(rt_dma_list_pools(0, RT_NULL) == -1);
    EXPECT(list_dma_block_pool(0, RT_NULL) == -1);
    EXPECT(!*host_text());
    host_leave_interrupt();
    /* list_dma_block_pool counts its calls itself. */
    EXPECT_EQ(refused_calls(), before + 7);
}

/* A network driver's interrupt refills its ring. */
void from_an_interrupt(void)
{
    static struct rt_device fresh = { .parent.name = "fresh" };
    struct rt_ofw_node node = { .full_name = "node" };
    struct rt_device unserved = { .parent.name = "unserved", .ofw_node = &node };
    rt_ubase_t handle = 1;
    void *buffer;

    host_enter_interrupt();
    /* The operations of a device with a node are chosen in a thread only. A driver may ignore the result. */
    EXPECT(rt_dma_sync_out_data(&unserved, &node, 8, &handle, 0) == -RT_ERROR && handle == 0);
    EXPECT(rt_dma_sync_out_data(&unserved, &node, 8, RT_NULL, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_in_data(&unserved, &node, 8, 0, 0) == -RT_ERROR && !unserved.dma_ops);
    for (int i = 0; i < 2; i++)
    {
        rt_ubase_t flags = i ? RT_DMA_F_NOCACHE : 0;

        /* A thread maps the pool for such buffers. */
        host_leave_interrupt();
        buffer = rt_dma_alloc(&plain, 64, &handle, flags);
        EXPECT(buffer);
        rt_dma_free(&plain, 64, buffer, handle, flags);
        host_enter_interrupt();
        buffer = rt_dma_alloc(&fresh, 2048, &handle, flags);
        EXPECT(buffer);
        rt_dma_free(&fresh, 2048, buffer, handle, flags);
        rt_dma_free(&fresh, 2048, buffer, handle, flags);
    }
    host_leave_interrupt();
    calls_that_need_a_thread_are_counted(&fresh);
}

/*
 * Boot code of the first core runs alone, and may use the heap. Boot code of a further core may not: a thread on another core may be
 * in the middle of a change.
 */
void from_boot_code(void)
{
    struct rt_dma_block_pool *pool;
    rt_ubase_t handle;
    void *buffer;

    /* A thread maps the pool. */
    buffer = rt_dma_alloc(&plain, 64, &handle, 0);
    EXPECT(buffer);
    rt_dma_free(&plain, 64, buffer, handle, 0);

    host_enter_boot_of_further_core();
    pool = rt_dma_block_pool_create("boot", &plain, 64, 0, 0);
    buffer = rt_dma_alloc(&plain, 64, &handle, 0);
    host_leave_boot();
    EXPECT(!pool && buffer);
    rt_dma_free(&plain, 64, buffer, handle, 0);

    host_enter_boot_of_first_core();
    pool = rt_dma_block_pool_create("boot", &plain, 64, 0, 0);
    host_leave_boot();
    EXPECT(pool && rt_dma_block_pool_destroy(pool) == RT_EOK);
}
