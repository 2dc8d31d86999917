/* SPDX-License-Identifier: Apache-2.0 */
/* Tests managed resources, which the library releases together with their device. */
#include <stdlib.h>
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "owners.h"

static struct rt_device dev = { .parent.name = "managed" };

/* Returns the handle that an allocation of one page gets. */
static rt_ubase_t next_page(void)
{
    rt_ubase_t handle = 0;
    void *buffer = rt_dma_alloc(&dev, ARCH_PAGE_SIZE, &handle, 0);

    EXPECT(buffer);
    rt_dma_free(&dev, ARCH_PAGE_SIZE, buffer, handle, 0);
    return handle;
}

/* Returns the number of refused calls that list_dma_block_pool prints. */
static int refused_block_pool_calls(void)
{
    static const char prefix[] = "dma.pool: ";
    const char *line;

    host_forget_text();
    list_dma_block_pool(0, RT_NULL);
    line = strstr(host_text(), prefix);
    return line ? atoi(line + strlen(prefix)) : 0;
}

/* A release in an interrupt changes nothing: also for a device that is taken for a new one, nothing is forgotten. */
static void release_in_an_interrupt(void)
{
    const struct rt_dma_map_ops *ops;
    rt_ubase_t first = next_page(), handle = 0;

    EXPECT(rt_dmam_alloc(&dev, 64, &handle, 0));
    ops = dev.dma_ops;
    dev.dma_ops = RT_NULL;
    host_forget_text();
    host_enter_interrupt();
    rt_dmam_release(&dev);
    host_leave_interrupt();
    EXPECT(!strstr(host_text(), "never released"));
    dev.dma_ops = ops;
    rt_dmam_release(&dev);
    EXPECT_EQ(next_page(), first);
}

void managed_drivers(void)
{
    static struct rt_device other = { .parent.name = "not managed" };
    rt_ubase_t first = next_page(), uncached_handle = 0, cached_handle = 0, handle = 0;
    int blocks = host_heap_blocks();
    char *uncached, *cached, *without_handle;

    uncached = rt_dmam_alloc(&dev, 5000, &uncached_handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
    cached = rt_dmam_alloc(&dev, 64, &cached_handle, 0);
    without_handle = rt_dmam_alloc(&dev, 64, RT_NULL, 0);
    EXPECT(uncached && cached && without_handle);
    EXPECT(uncached_handle == first && cached_handle == first + 2 * ARCH_PAGE_SIZE);
    uncached[4999] = cached[63] = without_handle[63] = 1;

    /* None of these calls gets a managed buffer. */
    rt_dmam_free(&dev, 5000, cached, uncached_handle);
    rt_dmam_free(&dev, 5000, uncached, uncached_handle + 1);
    rt_dmam_free(&dev, 4000, uncached, uncached_handle);
    rt_dmam_free(&other, 5000, uncached, uncached_handle);
    rt_dmam_free(&dev, 5000, &dev, 0);
    rt_dmam_free(RT_NULL, 5000, uncached, uncached_handle);
    rt_dmam_free(&dev, 0, uncached, uncached_handle);
    rt_dmam_free(&dev, 5000, RT_NULL, uncached_handle);
    host_enter_interrupt();
    EXPECT(!rt_dmam_alloc(&dev, 64, &handle, 0));
    rt_dmam_free(&dev, 5000, uncached, uncached_handle);
    rt_dmam_release(&dev);
    host_leave_interrupt();
    EXPECT(!rt_dmam_alloc(RT_NULL, 64, &handle, 0));
    EXPECT(!rt_dmam_alloc(&dev, 0, &handle, 0) && !rt_dmam_alloc(&dev, ~0UL, &handle, 0));
    EXPECT(next_page() == cached_handle + 2 * ARCH_PAGE_SIZE);

    rt_dmam_free(&dev, 64, cached, cached_handle);
    EXPECT(next_page() == cached_handle);
    rt_dmam_free(&dev, 64, cached, cached_handle);
    rt_dmam_free(&dev, 64, without_handle, 0);
    rt_dmam_release(RT_NULL);
    rt_dmam_release(&other);
    EXPECT(next_page() == cached_handle);
    rt_dmam_release(&dev);
    EXPECT(next_page() == first);
    rt_dmam_release(&dev);
    EXPECT(next_page() == first && host_heap_blocks() == blocks);

    release_in_an_interrupt();

    /* Managed buffers obey the device's mask. */
    EXPECT(rt_dma_set_coherent_mask(&dev, first + ARCH_PAGE_SIZE - 1) == RT_EOK);
    EXPECT(rt_dmam_alloc(&dev, 64, &handle, 0) && handle == first && !rt_dmam_alloc(&dev, 64, &handle, 0));
    rt_dmam_release(&dev);
    EXPECT(rt_dma_set_coherent_mask(&dev, ALL_ADDRESSES) == RT_EOK);
}

/* Two managed mappings have one handle: an unmap that fits neither does nothing. */
static void one_handle_mapped_twice(char *buffer)
{
    rt_ubase_t mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE);
    int both;

    EXPECT(rt_dmam_map_single(&dev, buffer, 64, RT_DMA_TO_DEVICE) == mapped);
    both = host_heap_blocks();
    host_forget_text();
    rt_dmam_unmap_single(&dev, mapped, 128, RT_DMA_TO_DEVICE);
    EXPECT(host_heap_blocks() == both && strstr(host_text(), ": unknown or ambiguous"));
    rt_dmam_unmap_single(&dev, mapped, 64, RT_DMA_TO_DEVICE);
    rt_dmam_unmap_single(&dev, mapped, 4096, RT_DMA_TO_DEVICE);
}

/* Block pools and mappings are released with their device, exactly once. */
void managed_pools_and_maps(void)
{
    static struct rt_device other = { .parent.name = "not managed" };
    rt_ubase_t first = next_page(), handle = 0, mapped;
    int blocks, refused;
    rt_size_t requested;
    struct rt_dma_block_pool *pool, *plain;
    char *buffer, *block;

    /* From here on the library keeps spare records. */
    buffer = rt_dma_alloc(&dev, 4096, &handle, 0);
    rt_dma_unmap_single(&dev, rt_dma_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE), 4096, RT_DMA_TO_DEVICE);
    blocks = host_heap_blocks();

    mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_BIDIRECTIONAL);
    EXPECT_EQ(mapped, handle);
    rt_dmam_unmap_single(&dev, mapped, 4096, RT_DMA_TO_DEVICE); /* wrong direction: unmapped as it was mapped */
    EXPECT_EQ(host_heap_blocks(), blocks);
    mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_BIDIRECTIONAL);
    rt_dmam_unmap_single(&dev, mapped, 64, RT_DMA_BIDIRECTIONAL); /* wrong size: unmapped with the size of the mapping */
    EXPECT_EQ(host_heap_blocks(), blocks);
    mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_BIDIRECTIONAL);
    rt_dmam_unmap_single(&dev, mapped + 1, 4096, RT_DMA_BIDIRECTIONAL);
    rt_dmam_unmap_single(&other, mapped, 4096, RT_DMA_BIDIRECTIONAL);
    rt_dmam_unmap_single(RT_NULL, mapped, 4096, RT_DMA_BIDIRECTIONAL);
    EXPECT(host_heap_blocks() > blocks);
    rt_dmam_unmap_single(&dev, mapped, 4096, RT_DMA_BIDIRECTIONAL);
    EXPECT_EQ(host_heap_blocks(), blocks);
    rt_dmam_unmap_single(&dev, mapped, 4096, RT_DMA_BIDIRECTIONAL);
    host_forget_text();
    EXPECT(rt_dmam_map_single(RT_NULL, buffer, 4096, 0) == RT_DMA_MAPPING_ERROR);
    EXPECT(strstr(host_text(), ": a streaming mapping needs a device"));
    EXPECT(rt_dmam_map_single(&dev, RT_NULL, 4096, 0) == RT_DMA_MAPPING_ERROR);
    EXPECT_EQ(host_heap_blocks(), blocks);
    one_handle_mapped_twice(buffer);
    EXPECT_EQ(host_heap_blocks(), blocks);

    /* The pool is the newest resource and is released first: its page is freed before the mapping is. */
    EXPECT(rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE) == handle);
    pool = rt_dmam_block_pool_create("managed", &dev, 64, 64, 0);
    EXPECT(pool);
    block = rt_dma_block_pool_alloc(pool, RT_NULL);
    EXPECT(block);
    rt_dmam_block_pool_destroy(pool); /* a block is in use: the pool stays and is still managed */
    rt_dma_block_pool_free(pool, block, 0);
    rt_dmam_release(&dev);
    EXPECT_EQ(host_heap_blocks(), blocks);
    rt_dmam_release(&dev);
    rt_dma_free(&dev, 4096, buffer, handle, 0);
    EXPECT(next_page() == first);

    pool = rt_dmam_block_pool_create("managed", &dev, 64, 64, 0);
    plain = rt_dma_block_pool_create("plain", &dev, 64, 64, 0);
    EXPECT(pool && plain);
    refused = refused_block_pool_calls();
    host_forget_text();
    rt_dmam_block_pool_destroy(plain); /* this pool is not managed */
    EXPECT(strstr(host_text(), "dma.pool: managed destroy of ") && strstr(host_text(), ": not a managed block pool"));
    EXPECT_EQ(refused_block_pool_calls(), refused + 1);
    EXPECT(rt_dma_block_pool_destroy(plain) == RT_EOK);
    host_enter_interrupt();
    rt_dmam_block_pool_destroy(pool);
    host_leave_interrupt();
    requested = host_heap_requested();
    rt_dmam_block_pool_destroy(pool);
    EXPECT_EQ(host_heap_requested(), requested); /* the heap may be full */
    rt_dmam_block_pool_destroy(pool); /* this pool was destroyed */
    rt_dmam_block_pool_destroy(RT_NULL);
    EXPECT(!rt_dmam_block_pool_create("bad", &dev, 64, 3, 0));
    refused = refused_block_pool_calls();
    host_forget_text();
    EXPECT(!rt_dmam_block_pool_create("deviceless", RT_NULL, 64, 0, 0));
    EXPECT(strstr(host_text(), "deviceless: blocks of 64 bytes") && strstr(host_text(), ": no device"));
    EXPECT(!rt_dmam_block_pool_create_linux("deviceless", RT_NULL, 64, 0, 0));
    EXPECT_EQ(refused_block_pool_calls(), refused + 2);
    host_enter_interrupt();
    EXPECT(!rt_dmam_block_pool_create("interrupt", &dev, 64, 0, 0));
    host_leave_interrupt();
    EXPECT(next_page() == first && host_heap_blocks() == blocks);
}

/* Makes the library keep its views and spare records. Returns the number of blocks of the heap that are in use then. */
static int make_spares(void)
{
    rt_ubase_t handle = 0;
    char *buffer = rt_dma_alloc(&dev, 4096, &handle, RT_DMA_F_NOCACHE);

    /* No test here needs more than two records at a time. */
    EXPECT_EQ(rt_dma_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE), rt_dma_map_single(&dev, buffer, 64, RT_DMA_TO_DEVICE));
    rt_dma_unmap_single(&dev, handle, 64, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&dev, handle, 4096, RT_DMA_TO_DEVICE);
    rt_dma_free(&dev, 4096, buffer, handle, RT_DMA_F_NOCACHE);
    return host_heap_blocks();
}

static void managed_buffer_freed_plainly(rt_ubase_t first)
{
    enum { FOR_ITS_DEVICE, FOR_ANOTHER_DEVICE, IN_WHOLE_PAGES, IN_AN_INTERRUPT, WAYS };
    static struct rt_device other = { .parent.name = "second owner" }, third = { .parent.name = "third" };
    int blocks = host_heap_blocks();

    for (int way = 0; way < WAYS; way++)
    {
        rt_ubase_t managed_handle = 0, taken_handle = 0, last_handle = 0;
        char *managed, *taken, *last;

        managed = rt_dmam_alloc(&dev, 5000, &managed_handle, way == IN_AN_INTERRUPT ? RT_DMA_F_NOCACHE : 0);
        EXPECT(managed && managed_handle == first);
        rt_dma_free(&dev, 64, managed, managed_handle, 0); /* wrong size: the buffer is still managed */
        EXPECT(next_page() != first);
        if (way == FOR_ITS_DEVICE)
        {
            rt_dma_free(&dev, 5000, managed, managed_handle, 0);
        }
        else if (way == FOR_ANOTHER_DEVICE)
        {
            rt_dma_free(&third, 5000, managed, managed_handle, 0);
        }
        else if (way == IN_WHOLE_PAGES)
        {
            rt_dma_free(&dev, 8192, managed, 0, 0);
        }
        else
        {
            host_enter_interrupt();
            rt_dma_free(&dev, 5000, managed, managed_handle, 0);
            host_leave_interrupt();
        }

        /* The pages belong to another device when the driver's device is released, and stay that device's. */
        taken = rt_dma_alloc(&other, 5000, &taken_handle, 0);
        EXPECT(taken && taken_handle == first);
        rt_dmam_release(&dev);
        last = rt_dma_alloc(&third, 5000, &last_handle, 0);
        EXPECT(last && last_handle != first);
        rt_dma_free(&third, 5000, last, last_handle, 0);
        rt_dma_free(&other, 5000, taken, taken_handle, 0);
        EXPECT(next_page() == first && host_heap_blocks() == blocks);
    }
}

/* A freed buffer is not managed any more. The others are released. */
static void other_buffers_stay_managed(rt_ubase_t first)
{
    static struct rt_device other = { .parent.name = "second owner" };
    rt_ubase_t freed_handle = 0, kept_handle = 0, both_handle = 0;
    char *freed = rt_dmam_alloc(&dev, 64, &freed_handle, 0);
    char *kept = rt_dmam_alloc(&dev, 64, &kept_handle, 0);
    char *both;

    rt_dma_free(&dev, 64, freed, freed_handle, 0);
    rt_dmam_free(&dev, 64, freed, freed_handle);
    EXPECT(next_page() == first);
    rt_dmam_release(&dev);
    both = rt_dma_alloc(&other, 8192, &both_handle, 0);
    EXPECT(kept && both && both_handle == first);
    rt_dma_free(&other, 8192, both, both_handle, 0);
}

/*
 * Where PV_OFFSET is not zero, the physical address of one buffer may be the virtual address of another. A plain call
 * frees the unmapped buffer, the other one, or an unmanaged one of another device at the same address.
 */
static void managed_buffers_at_one_address(void)
{
    enum { UNMAPPED, OTHER, UNMANAGED, KINDS };
    static const struct rt_dma_map_ops ops = { .alloc = own_alloc, .free = own_free };
    rt_region_t region = { HOST_RAM + 30 * MIB, HOST_RAM + 30 * MIB + ARCH_PAGE_SIZE, "unmapped" };
    int blocks = 0;

    for (int freed = 0; freed < KINDS; freed++)
    {
        static struct rt_device own = { .parent.name = "own operations" }, unmanaged = { .parent.name = "not managed" };
        struct rt_dma_pool *pool = rt_dma_pool_install(&region);
        rt_ubase_t handle = 0, own_handle = 0;
        void *buffer, *other;

        EXPECT(pool);
        pool->flags |= RT_DMA_F_NOMAP;
        rt_dma_device_set_ops(&own, &ops);
        rt_dma_device_set_ops(&unmanaged, &ops);
        buffer = own_memory = rt_dmam_alloc(&dev, 64, &handle, RT_DMA_F_NOMAP);
        EXPECT(buffer && (rt_ubase_t)buffer == HOST_RAM + 30 * MIB);
        other = freed == UNMANAGED ? rt_dma_alloc(&unmanaged, 64, &own_handle, 0)
                : rt_dmam_alloc(&own, 64, &own_handle, 0);
        EXPECT(other == buffer && own_buffers == 1);
        host_forget_text();
        if (freed == UNMAPPED)
        {
            rt_dma_free(&dev, 64, buffer, handle, RT_DMA_F_NOMAP);
        }
        else
        {
            rt_dma_free(freed == OTHER ? &own : &unmanaged, 64, other, own_handle, 0);
        }
        EXPECT_EQ(own_buffers, freed == UNMAPPED ? 1 : 0);
        rt_dmam_release(&own);
        rt_dmam_release(&dev);
        EXPECT(!*host_text() && own_buffers == 0);
        EXPECT(rt_dma_pool_uninstall(pool) == RT_EOK);
        /* The library keeps what the first pool needed. */
        blocks = freed == UNMAPPED ? host_heap_blocks() : blocks;
        EXPECT_EQ(host_heap_blocks(), blocks);
    }
}

/* A managed mapping was unmapped by a plain call. Its buffer is mapped again, unmanaged, when the device is released. */
static void managed_mapping_unmapped_plainly(void)
{
    rt_ubase_t handle = 0, mapped, again;
    char *buffer = rt_dma_alloc(&dev, 4096, &handle, 0);

    mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&dev, mapped, 4096, RT_DMA_TO_DEVICE);
    again = rt_dma_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE);
    EXPECT_EQ(again, mapped);
    rt_dmam_release(&dev);
    rt_dma_free(&dev, 64, &dev, 0, 0); /* a wrong call, whose line is then the last one in the log */
    rt_dma_unmap_single(&dev, again, 4096, RT_DMA_TO_DEVICE);
    EXPECT(!strstr(host_last_text(), "unmap")); /* the mapping was still there */
    rt_dma_free(&dev, 4096, buffer, handle, 0);
}

/* Two mappings of one buffer have one handle. A plain call unmaps the one with its size and direction, and the other one stays managed. */
static void one_of_two_managed_mappings_unmapped_plainly(void)
{
    rt_ubase_t handle = 0, mapped;
    char *buffer = rt_dma_alloc(&dev, 8192, &handle, 0);

    for (int unmaps_first = 0; unmaps_first < 2; unmaps_first++)
    {
        mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE);
        EXPECT_EQ(rt_dmam_map_single(&dev, buffer, 8192, RT_DMA_BIDIRECTIONAL), mapped);
        host_forget_text();
        if (unmaps_first)
        {
            rt_dma_unmap_single(&dev, mapped, 4096, RT_DMA_TO_DEVICE);
        }
        else
        {
            rt_dma_unmap_single(&dev, mapped, 8192, RT_DMA_BIDIRECTIONAL);
        }
        rt_dmam_release(&dev);
        EXPECT(!*host_text());
    }
    rt_dma_free(&dev, 8192, buffer, handle, 0);
}

/* A plain mapping has the handle of a managed one. A plain call unmaps it, and the managed one stays managed. */
static void plain_mapping_with_the_handle_of_a_managed_one(void)
{
    rt_ubase_t handle = 0, mapped;
    char *buffer = rt_dma_alloc(&dev, 8192, &handle, 0);

    mapped = rt_dmam_map_single(&dev, buffer, 4096, RT_DMA_TO_DEVICE);
    EXPECT_EQ(rt_dma_map_single(&dev, buffer, 8192, RT_DMA_TO_DEVICE), mapped);
    host_forget_text();
    rt_dma_unmap_single(&dev, mapped, 8192, RT_DMA_TO_DEVICE);
    rt_dmam_release(&dev);
    EXPECT(!*host_text());
    rt_dma_unmap_single(&dev, mapped, 4096, RT_DMA_TO_DEVICE); /* the release has done it */
    EXPECT(strstr(host_text(), "unmap"));
    rt_dma_free(&dev, 8192, buffer, handle, 0);
}

/* A block pool was destroyed by a plain call. Another pool has its address now. */
static void managed_pool_destroyed_plainly(void)
{
    static struct rt_device other = { .parent.name = "second owner" };
    struct rt_dma_block_pool *pool = rt_dmam_block_pool_create("managed", &dev, 64, 64, 0), *second;
    char *block;

    EXPECT(pool && rt_dma_block_pool_destroy(pool) == RT_EOK);
    second = rt_dma_block_pool_create("second", &other, 64, 64, 0);
    EXPECT(second);
    rt_dmam_release(&dev);
    EXPECT(rt_dma_block_pool_destroy(second) == RT_EOK);

    /* While a block is in use, the pool stays and is still managed. */
    pool = rt_dmam_block_pool_create("managed", &dev, 64, 64, 0);
    block = rt_dma_block_pool_alloc(pool, RT_NULL);
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_EBUSY);
    rt_dma_block_pool_free(pool, block, 0);
    rt_dmam_release(&dev);
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_EINVAL);
}

/* Memory that a driver freed by a plain call may belong to another device when the driver's device is released. */
void managed_and_freed_plainly(void)
{
    rt_ubase_t first = next_page();
    int blocks;

    managed_buffers_at_one_address();
    blocks = make_spares();
    managed_buffer_freed_plainly(first);
    other_buffers_stay_managed(first);
    managed_mapping_unmapped_plainly();
    one_of_two_managed_mappings_unmapped_plainly();
    plain_mapping_with_the_handle_of_a_managed_one();
    managed_pool_destroyed_plainly();
    EXPECT(next_page() == first && host_heap_blocks() == blocks);
}
