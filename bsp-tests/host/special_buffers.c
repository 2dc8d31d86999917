/* SPDX-License-Identifier: Apache-2.0 */
/* Tests special buffers: zeroed, write-combining, aligned. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define COHERENT    (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

static struct rt_device device = { .parent.name = "special" };
static char bsp_memory[64];

static int is_zero(const char *bytes, rt_size_t size)
{
    while (size && !*bytes)
    {
        ++bytes;
        --size;
    }
    return !size;
}

/* Writes to the pages that the next buffer gets. */
static void make_dirty(rt_size_t size)
{
    rt_ubase_t handle;
    char *buffer = rt_dma_alloc(&device, size, &handle, 0);

    EXPECT(buffer);
    memset(buffer, 0xa5, size);
    rt_dma_free(&device, size, buffer, handle, 0);
}

static void zeroed_buffers(rt_ubase_t flags)
{
    static const rt_size_t sizes[] = { 1, 7, 8, 4096, 4099, 20000 };

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes); ++i)
    {
        rt_ubase_t handle = 0;
        rt_size_t flushed;
        char *buffer;

        make_dirty(sizes[i]);
        flushed = host_flushed();
        buffer = rt_dma_zalloc(&device, sizes[i], &handle, flags);
        EXPECT(buffer && (rt_ubase_t)rt_kmem_v2p(buffer) == handle);
        EXPECT(is_zero(buffer, sizes[i]) && is_zero(host_device_view(handle), sizes[i]));
        /* The lines of the whole buffer were flushed. */
        EXPECT(host_flushed() - flushed >= sizes[i]);
        rt_dma_free(&device, sizes[i], buffer, handle, flags);
    }
}

static void write_combining_buffer(void)
{
    rt_ubase_t handle = 0, again = 0;
    char *buffer, *cached;

    make_dirty(5000);
    buffer = rt_dma_alloc_wc(&device, 5000, &handle);
    EXPECT(buffer && (rt_ubase_t)rt_kmem_v2p(buffer) == handle && is_zero(buffer, 5000));
    rt_dma_free(&device, 5000, buffer, handle, rt_dma_wc_flags(&device));
    cached = rt_dma_alloc(&device, 5000, &again, 0);
    EXPECT(again == handle && cached != buffer);
    rt_dma_free(&device, 5000, cached, again, 0);
}

/* The handle of all memory that bsp_alloc() returns. */
#define BSP_HANDLE 0x1234

static void *bsp_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    *dma_handle = BSP_HANDLE;
    return bsp_memory + 5;
}

/* Memory of a BSP's own operations may begin and end at any byte. Exactly the requested size is cleared. */
static void memory_of_the_bsp(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = bsp_alloc };
    struct rt_device own = { .parent.name = "own ops" };

    rt_dma_device_set_ops(&own, &ops);
    for (rt_size_t size = 1; size <= 40; ++size)
    {
        rt_ubase_t handle = 0;
        char *buffer;

        memset(bsp_memory, 0x5a, sizeof(bsp_memory));
        buffer = rt_dma_zalloc(&own, size, &handle, RT_DMA_F_NOCACHE);
        EXPECT(buffer == bsp_memory + 5 && handle == BSP_HANDLE);
        EXPECT(is_zero(buffer, size) && buffer[-1] == 0x5a && buffer[size] == 0x5a);
        EXPECT(!rt_dma_zalloc(&own, size, &handle, RT_DMA_F_NOMAP));
    }
    /* A BSP's own operations may not know RT_DMA_F_WT. */
    EXPECT(rt_dma_wc_flags(&own) == COHERENT && rt_dma_wc_flags(RT_NULL) == COHERENT);
}

static void wrong_calls(void)
{
    rt_ubase_t handle = 77;

    EXPECT(!rt_dma_zalloc(RT_NULL, 64, &handle, 0) && !rt_dma_zalloc(&device, 0, &handle, 0));
    EXPECT(!rt_dma_zalloc(&device, ~0UL, &handle, 0) && !rt_dma_zalloc(&device, 64, &handle, RT_DMA_F_NOMAP));
    EXPECT(!rt_dma_alloc_wc(RT_NULL, 64, &handle) && !rt_dma_alloc_wc(&device, 0, &handle));
    EXPECT_EQ(handle, 77);
}

/* The lowest aligned address is used. A page below it is in use, and the pages above it are free. */
static void aligned_buffers(void)
{
    rt_ubase_t low, handle, next;
    char *first = rt_dma_alloc(&device, 4096, &low, 0), *second, *third;

    EXPECT(first);
    for (rt_size_t align = 1; align <= 1 << 20; align <<= 1)
    {
        rt_size_t step = align > 4096 ? align : 4096;

        second = rt_dma_alloc_aligned(&device, 5000, align, &handle, 0);
        EXPECT(second && handle % align == 0 && (rt_ubase_t)rt_kmem_v2p(second) == handle);
        EXPECT(handle > low && handle - low <= step);
        third = rt_dma_alloc_aligned(&device, 4096, align, &next, COHERENT);
        EXPECT(third && next % align == 0 && next >= handle + 8192 && next - handle <= 8192 + step);
        rt_dma_free(&device, 5000, second, handle, 0);
        rt_dma_free(&device, 4096, third, next, COHERENT);
    }
    rt_dma_free(&device, 4096, first, low, 0);

    handle = 77;
    EXPECT(!rt_dma_alloc_aligned(RT_NULL, 64, 64, &handle, 0) && !rt_dma_alloc_aligned(&device, 0, 64, &handle, 0));
    EXPECT(!rt_dma_alloc_aligned(&device, 64, 0, &handle, 0) && !rt_dma_alloc_aligned(&device, 64, 96, &handle, 0));
    EXPECT(!rt_dma_alloc_aligned(&device, 64, 4097, &handle, 0) && !rt_dma_alloc_aligned(&device, 64, 3 * 4096, &handle, 0));
    EXPECT(!rt_dma_alloc_aligned(&device, 64, ~0UL / 2 + 1, &handle, 0));
    EXPECT(!rt_dma_alloc_aligned(&device, ~0UL, 64, &handle, 0) && handle == 77);
}

void special_buffers(void)
{
    char *buffer;

    aligned_buffers();

    zeroed_buffers(0);
    zeroed_buffers(COHERENT);
    write_combining_buffer();
    memory_of_the_bsp();
    wrong_calls();

    /* A caller that does not ask for the handle, and calls from an interrupt. */
    buffer = rt_dma_zalloc(&device, 100, RT_NULL, COHERENT);
    EXPECT(buffer);
    rt_dma_free(&device, 100, buffer, 0, COHERENT);
    host_enter_interrupt();
    zeroed_buffers(0);
    zeroed_buffers(COHERENT);
    host_leave_interrupt();
}
