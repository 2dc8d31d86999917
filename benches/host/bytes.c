/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: heap memory that the library asks for.
 *
 * Lines: "bytes NAME BYTES". NAME is
 *   pool,PAGES   a pool of that many pages;
 *   device       what is remembered of a device: of one with a mask;
 *   managed      one managed buffer of a device, beyond that;
 *   mapping      the record of a mapping of pool memory, or of one with a bounce buffer (which takes pages of a pool,
 *                too). A direct mapping has none;
 *   block-pool   a block pool without blocks.
 */
#include <rt_dma.h>

#include "kernel.h"
#include "bench.h"

static rt_size_t before;
static int blocks_before;

static void start(void)
{
    before = host_heap_requested();
    blocks_before = host_heap_blocks();
}

static void report(const char *name, rt_size_t bytes)
{
    printf("bytes %s %lu\n", name, (unsigned long)bytes);
}

int main(void)
{
    static const rt_size_t pools[] = { 512, 2048, 6144, 16384, 262144 };
    static struct rt_device device = { .parent.name = "bytes" };
    rt_ubase_t handle;
    rt_size_t at = HOST_RAM;
    void *buffer;

    host_start();
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(pools); ++i)
    {
        rt_region_t region = { at, at + pools[i] * ARCH_PAGE_SIZE, "bytes" };
        char name[32];

        start();
        MUST(rt_dma_pool_install(&region));
        snprintf(name, sizeof(name), "pool,%lu", (unsigned long)pools[i]);
        report(name, host_heap_requested() - before);
        at = region.end;
    }
    buffer = rt_dma_alloc(&device, ARCH_PAGE_SIZE, &handle, 0);
    MUST(buffer);

    start();
    MUST(rt_dma_map_single(&device, buffer, 64, RT_DMA_TO_DEVICE) != RT_DMA_MAPPING_ERROR);
    /* The first call allocates a stock of records, and nothing else. */
    report("mapping", (host_heap_requested() - before) / (host_heap_blocks() - blocks_before));

    start();
    MUST(rt_dma_set_mask(&device, 0xffffffffUL) == RT_EOK);
    report("device", host_heap_requested() - before);

    start();
    MUST(rt_dmam_alloc(&device, ARCH_PAGE_SIZE, &handle, 0));
    report("managed", host_heap_requested() - before);

    start();
    MUST(rt_dma_block_pool_create("bytes", &device, 64, 64, 0));
    report("block-pool", host_heap_requested() - before);
    return 0;
}
