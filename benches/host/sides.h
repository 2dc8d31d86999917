/* SPDX-License-Identifier: Apache-2.0 */
/* The two allocators of pages that are measured side by side: the library, and bit_by_bit.c. */
#ifndef SIDES_H__
#define SIDES_H__

#include "kernel.h"
#include "bench.h"

#define PAGE ARCH_PAGE_SIZE

struct side
{
    const char *name;
    void *(*alloc)(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
    void (*free)(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);
    struct rt_device dev;
    struct rt_dma_pool *pool;
};

static struct side ours = { "ours", rt_dma_alloc, rt_dma_free, { .parent.name = "ours" }, RT_NULL };
static struct side baseline = { "baseline", bit_by_bit_alloc, bit_by_bit_free, { .parent.name = "baseline" }, RT_NULL };

/* Starts the kernel, and gives both sides a pool of `pages` pages at the start of RAM. */
static inline void install_both(rt_size_t pages)
{
    rt_region_t region = { HOST_RAM, HOST_RAM + pages * PAGE, "bench" };

    host_start();
    ours.pool = rt_dma_pool_install(&region);
    baseline.pool = bit_by_bit_install(&region);
    MUST(ours.pool && (ours.pool->flags & RT_DMA_F_LINEAR));
}

#endif
