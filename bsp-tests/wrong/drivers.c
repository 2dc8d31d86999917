/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers with one mistake each, and the command dma_wrong, which runs them with the debug mode on. Before each driver it
 * prints "wrong NAME: LABEL": the name of the driver's device, and the label of the line that the mistake must cause.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <rt_dma_debug.h>

#define SIZE        2048
#define COHERENT    (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)
#define UNMAPPED    ((void *)0x10)

/* A driver's own memory: in whole cache lines, and mapped linearly. */
static char memory[2][SIZE] rt_align(256);

/* The result is not optimized away, so that a driver is a function with its own return addresses. */
#define WRONG static __attribute__((noinline)) void

static rt_ubase_t map(struct rt_device *dev, void *buffer, int direction)
{
    rt_ubase_t handle = rt_dma_map_single(dev, buffer, SIZE, direction);

    return rt_dma_mapping_error(dev, handle) ? 0 : handle;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

WRONG free_size(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, 2 * SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG free_call(struct rt_device *dev)
{
    rt_ubase_t handle;
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("wrong", dev, 64, 64, 0);
    void *block = rt_dma_block_pool_alloc(pool, &handle);

    rt_dma_free(dev, 64, block, handle, COHERENT);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_destroy(pool);
}

WRONG free_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(&parent, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG free_handle(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle + 64, COHERENT);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG free_twice(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG free_foreign(struct rt_device *dev)
{
    rt_dma_free(dev, SIZE, memory[0], 0, COHERENT);
}

WRONG held(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* Its removal frees only what is managed. */
    rt_dmam_release(dev);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG replaced(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    /* The next device lies at the same address, as one on the stack of the same function does. */
    dev->dma_ops = RT_NULL;
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

/* ---- maps ------------------------------------------------------------------------------------------------------- */

WRONG unmap_size(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE / 2, RT_DMA_FROM_DEVICE);
}

WRONG unmap_direction(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_call(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_page(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_entry(struct rt_device *dev)
{
    struct rt_dma_sg list[] = { { memory[0], SIZE, 0 }, { memory[1], SIZE, 0 } };

    rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, list[0].dma_handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, list[1].dma_handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_buffer(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

WRONG unmap_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle = map(&parent, memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&parent, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_count(struct rt_device *dev)
{
    struct rt_dma_sg list[] = { { memory[0], SIZE, 0 }, { memory[1], SIZE, 0 } };

    rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE);
    rt_dma_unmap_sg(dev, list, 1, RT_DMA_TO_DEVICE);
    rt_dma_unmap_sg(dev, list + 1, 1, RT_DMA_TO_DEVICE);
}

WRONG unmap_twice(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_foreign(struct rt_device *dev)
{
    rt_dma_unmap_single(dev, (rt_ubase_t)rt_kmem_v2p(memory[1]), SIZE, RT_DMA_TO_DEVICE);
}

WRONG unmap_failed(struct rt_device *dev)
{
    rt_ubase_t handle = rt_dma_map_single(dev, memory[0], SIZE, RT_DMA_NONE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_NONE);
}

WRONG unchecked(struct rt_device *dev)
{
    rt_ubase_t handle = rt_dma_map_single(dev, memory[0], SIZE, RT_DMA_TO_DEVICE);

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG map_twice(struct rt_device *dev)
{
    static struct rt_device other = { .parent.name = "other" };
    rt_ubase_t first = map(&other, memory[0], RT_DMA_FROM_DEVICE);
    rt_ubase_t second = rt_dma_map_single(dev, memory[0] + SIZE / 2, SIZE, RT_DMA_FROM_DEVICE);

    (void)rt_dma_mapping_error(dev, second);
    rt_dma_unmap_single(dev, second, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&other, first, SIZE, RT_DMA_FROM_DEVICE);
}

WRONG map_stack(struct rt_device *dev)
{
    char buffer[64] rt_align(64) = { 0 };
    rt_ubase_t handle = rt_dma_map_single(dev, buffer, sizeof(buffer), RT_DMA_TO_DEVICE);

    (void)rt_dma_mapping_error(dev, handle);
    rt_dma_unmap_single(dev, handle, sizeof(buffer), RT_DMA_TO_DEVICE);
}

WRONG map_unmapped(struct rt_device *dev)
{
    (void)rt_dma_mapping_error(dev, rt_dma_map_single(dev, UNMAPPED, SIZE, RT_DMA_TO_DEVICE));
}

/* ---- syncs ------------------------------------------------------------------------------------------------------ */

WRONG sync_foreign(struct rt_device *dev)
{
    rt_dma_sync_single_for_cpu(dev, (rt_ubase_t)rt_kmem_v2p(memory[1]), SIZE, RT_DMA_FROM_DEVICE);
}

WRONG sync_device(struct rt_device *dev)
{
    static struct rt_device parent = { .parent.name = "parent" };
    rt_ubase_t handle = map(&parent, memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&parent, handle, SIZE, RT_DMA_FROM_DEVICE);
}

WRONG sync_end(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_FROM_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle + SIZE / 2, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
}

WRONG sync_direction(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_TO_DEVICE);

    rt_dma_sync_single_for_cpu(dev, handle, SIZE, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
}

WRONG sync_past_buffer(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_sync_in_data(dev, buffer, 2 * SIZE, handle, 0);
    rt_dma_free(dev, SIZE, buffer, handle, 0);
}

WRONG sync_freed(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_free(dev, SIZE, buffer, handle, 0);
    rt_dma_sync_out_data(dev, buffer, SIZE, &handle, 0);
}

/* What RT-Thread's driver for Cadence's Ethernet MAC does with its packets. */
WRONG sync_nocache(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *packet = rt_dma_alloc(dev, SIZE, &handle, 0);

    rt_dma_sync_out_data(dev, packet, SIZE, &handle, RT_DMA_F_NOCACHE);
    rt_dma_free(dev, SIZE, packet, handle, 0);
}

/* The same mistake with memory that is not a pool's. */
WRONG sync_own_nocache(struct rt_device *dev)
{
    rt_dma_sync_in_data(dev, memory[0], SIZE, (rt_ubase_t)rt_kmem_v2p(memory[0]), RT_DMA_F_NOCACHE);
}

WRONG sync_cached(struct rt_device *dev)
{
    rt_ubase_t handle;
    void *ring = rt_dma_alloc(dev, SIZE, &handle, COHERENT);

    rt_dma_sync_in_data(dev, ring, SIZE, handle, 0);
    rt_dma_free(dev, SIZE, ring, handle, COHERENT);
}

/* ---- in an interrupt -------------------------------------------------------------------------------------------- */

/* Its line is written by the next call of a thread. */
WRONG in_interrupt(struct rt_device *dev)
{
    rt_ubase_t handle = map(dev, memory[0], RT_DMA_FROM_DEVICE);
    rt_base_t level = rt_hw_interrupt_disable();

    rt_dma_unmap_single(dev, handle, SIZE, RT_DMA_TO_DEVICE);
    rt_hw_interrupt_enable(level);
    rt_dma_free(dev, SIZE, rt_dma_alloc(dev, SIZE, RT_NULL, 0), 0, 0);
}

/* In linux.c. */
void linux_entry(struct rt_device *dev);
void linux_list(struct rt_device *dev);
void linux_coherent(struct rt_device *dev);
void linux_block(struct rt_device *dev);

#define DRIVER(function, label) { { .parent.name = #function }, function, label }

static struct
{
    struct rt_device dev;
    void (*run)(struct rt_device *dev);
    const char *label;
} drivers[] =
{
    DRIVER(free_size, "free with another size"),
    DRIVER(free_call, "free by another call"),
    DRIVER(free_device, "free for another device"),
    DRIVER(free_handle, "free with another handle"),
    DRIVER(free_twice, "freed twice"),
    DRIVER(free_foreign, "free of what is not allocated"),
    DRIVER(held, "still held after removal"),
    DRIVER(replaced, "still held after removal"),
    DRIVER(unmap_size, "unmap with another size"),
    DRIVER(unmap_direction, "unmap with another direction"),
    DRIVER(unmap_call, "unmap by another call"),
    DRIVER(unmap_entry, "unmap by another call"),
    DRIVER(unmap_buffer, "unmap by another call"),
    DRIVER(unmap_device, "unmap for another device"),
    DRIVER(unmap_count, "unmap of another number of entries"),
    DRIVER(unmap_twice, "unmapped twice"),
    DRIVER(unmap_foreign, "unmap of what is not mapped"),
    DRIVER(unmap_failed, "unmap of a map that failed"),
    DRIVER(unchecked, "mapping never checked"),
    DRIVER(map_twice, "mapped twice for writing"),
    DRIVER(map_stack, "buffer on a stack"),
    DRIVER(map_unmapped, "buffer at an unmapped address"),
    DRIVER(sync_foreign, "sync of what is not mapped"),
    DRIVER(sync_device, "sync for another device"),
    DRIVER(sync_end, "sync past the end"),
    DRIVER(sync_direction, "sync in another direction"),
    DRIVER(sync_past_buffer, "sync past the end"),
    DRIVER(sync_freed, "sync of what was freed"),
    DRIVER(sync_nocache, "sync of cached memory with NOCACHE"),
    DRIVER(sync_own_nocache, "sync of cached memory with NOCACHE"),
    DRIVER(sync_cached, "sync of uncached memory without NOCACHE"),
    DRIVER(linux_entry, "unmap by another call"),
    DRIVER(linux_list, "unmap by another call"),
    DRIVER(linux_coherent, "free by another call"),
    DRIVER(linux_block, "free by another call"),
    DRIVER(in_interrupt, "unmap with another direction"),
};

static int dma_wrong(int argc, char *argv[])
{
    int found = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(drivers); ++i)
    {
        rt_ubase_t before = rt_dma_debug_mistakes(RT_NULL);

        rt_kprintf("wrong %s: %s\n", drivers[i].dev.parent.name, drivers[i].label);
        drivers[i].run(&drivers[i].dev);
        found += rt_dma_debug_mistakes(RT_NULL) > before;
    }
    rt_kprintf("dma_wrong: %d drivers, %d found\n", (int)RT_ARRAY_SIZE(drivers), found);
    return 0;
}
MSH_CMD_EXPORT(dma_wrong, run drivers with one mistake each);
