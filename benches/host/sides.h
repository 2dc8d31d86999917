/* SPDX-License-Identifier: Apache-2.0 */
/* The allocators of pages that are measured side by side: the library, and two scans of a bitmap. */
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
static struct side bits = { "bits", bit_by_bit_alloc, bit_by_bit_free, { .parent.name = "bits" }, RT_NULL };
static struct side words = { "words", word_by_word_alloc, word_by_word_free, { .parent.name = "words" }, RT_NULL };
static struct side *const sides[] = { &ours, &bits, &words };
static struct side *const baselines[] = { &bits, &words };

/* Starts the kernel, and gives each side a pool of `pages` pages at the start of RAM. */
static inline void install_all(rt_size_t pages)
{
    rt_region_t region = { HOST_RAM, HOST_RAM + pages * PAGE, "bench" };

    host_start();
    ours.pool = rt_dma_pool_install(&region);
    bits.pool = bit_by_bit_install(&region);
    words.pool = word_by_word_install(&region);
    MUST(ours.pool && (ours.pool->flags & RT_DMA_F_LINEAR));
}

#endif
