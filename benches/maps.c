/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the msh command dma_bench: instructions of rt_dma_map_single, rt_dma_map_sg and their unmaps.
 *
 * Lines: "map KIND,DIRECTION,SIZE MAP UNMAP". KIND is
 *   linear     a dma-coherent device and heap memory: a direct mapping, no cache is maintained;
 *   flushed    a device that is not coherent and heap memory: a direct mapping, the cache is maintained;
 *   elsewhere  a dma-coherent device and heap memory at a second address, from rt_ioremap_cached: a direct mapping, for
 *              which the page tables are read;
 *   flash      a dma-coherent device and the machine's flash, which is not mapped linearly: a mapping with a record;
 *   pool       a dma-coherent device and memory of a pool: a mapping with a record;
 *   aligned    a device that is not coherent and heap memory that is aligned to a word and shares its first cache line
 *              with other data: it is bounced if the device writes;
 *   misaligned as aligned, but the memory begins 2 bytes after the start of a line;
 *   own-lines  as misaligned, with RT_DMA_ATTR_OWN_LINES;
 *   list       as linear, 16 buffers of SIZE bytes in one scatter list.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <ioremap.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "dma_bench.h"

#define TURNS           31
#define LIST            16
#define LARGEST         65536
/* Where the flash of QEMU's machine begins. No byte of it is read or written. */
#define FLASH           0x04000000

static struct rt_device coherent = { .parent.name = "coherent", .user_data = "qemu,fw-cfg-mmio" };
static struct rt_device plain = { .parent.name = "plain" };

static const struct
{
    const char *name;
    int number;
} directions[] =
{
    { "to-device", RT_DMA_TO_DEVICE },
    { "from-device", RT_DMA_FROM_DEVICE },
    { "bidirectional", RT_DMA_BIDIRECTIONAL },
};

static struct cost single(struct rt_device *dev, void *buffer, rt_size_t size, int direction, rt_ubase_t attrs)
{
    rt_uint64_t overhead = count_overhead(), start = count();
    rt_ubase_t handle = attrs ? rt_dma_map_single_attrs(dev, buffer, size, direction, attrs)
                              : rt_dma_map_single(dev, buffer, size, direction);
    struct cost cost = { .call = count() - start - overhead };

    RT_ASSERT(handle != RT_DMA_MAPPING_ERROR);
    start = count();
    if (attrs)
    {
        rt_dma_unmap_single_attrs(dev, handle, size, direction, attrs);
    }
    else
    {
        rt_dma_unmap_single(dev, handle, size, direction);
    }
    cost.undo = count() - start - overhead;
    return cost;
}

static struct cost list(struct rt_device *dev, void *buffer, rt_size_t size, int direction)
{
    struct rt_dma_sg entries[LIST];
    rt_uint64_t overhead = count_overhead(), start;
    struct cost cost;
    int mapped;

    for (int i = 0; i < LIST; ++i)
    {
        entries[i] = (struct rt_dma_sg) { .addr = (char *)buffer + i * size, .length = size };
    }
    start = count();
    mapped = rt_dma_map_sg(dev, entries, LIST, direction);
    cost.call = count() - start - overhead;
    RT_ASSERT(mapped == LIST);
    start = count();
    rt_dma_unmap_sg(dev, entries, LIST, direction);
    cost.undo = count() - start - overhead;
    return cost;
}

/* How a buffer is mapped: alone, alone with RT_DMA_ATTR_OWN_LINES, or as LIST parts in a list. */
enum way { SINGLE, OWN_LINES, IN_LIST };

/* Measures maps and unmaps in each direction, and prints their median. */
static void bench(const char *kind, struct rt_device *dev, char *buffer, rt_size_t size, enum way way)
{
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(directions); ++i)
    {
        static struct cost turns[TURNS];
        int direction = directions[i].number;
        struct cost cost;

        for (int turn = 0; turn < TURNS; ++turn)
        {
            turns[turn] = way == IN_LIST ? list(dev, buffer, size, direction)
                : single(dev, buffer, size, direction, way == OWN_LINES ? RT_DMA_ATTR_OWN_LINES : 0);
        }
        cost = median_of(turns, TURNS);
        rt_kprintf("map %s,%s,%lu %lu %lu\n", kind, directions[i].name, (unsigned long)size,
                (unsigned long)cost.call, (unsigned long)cost.undo);
    }
}

void bench_maps(void)
{
    static const rt_size_t sizes[] = { 64, 1460, 4096, 8192, 16384, LARGEST };
    rt_ubase_t handle;
    char *heap = rt_malloc(LARGEST + 2 * ARCH_PAGE_SIZE);
    char *pages = (char *)(((rt_ubase_t)heap + ARCH_PAGE_SIZE) & ~(rt_ubase_t)(ARCH_PAGE_SIZE - 1));
    char *pool = rt_dma_alloc(&coherent, LARGEST, &handle, 0);

    /* Not by rt_kmem_v2p: while interrupts are enabled, its result may be that of another address. */
    char *elsewhere = rt_ioremap_cached(pages + PV_OFFSET, LARGEST);
    char *flash = rt_ioremap_cached((void *)FLASH, LARGEST);

    RT_ASSERT(heap && pool && elsewhere && flash);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes); ++i)
    {
        rt_size_t size = sizes[i];

        bench("linear", &coherent, pages, size, SINGLE);
        bench("flushed", &plain, pages, size, SINGLE);
        bench("elsewhere", &coherent, elsewhere, size, SINGLE);
        bench("flash", &coherent, flash, size, SINGLE);
        bench("pool", &coherent, pool, size, SINGLE);
        bench("aligned", &plain, pages + sizeof(rt_ubase_t), size, SINGLE);
        bench("misaligned", &plain, pages + 2, size, SINGLE);
        bench("own-lines", &plain, pages + 2, size, OWN_LINES);
    }
    bench("list", &coherent, pages, LARGEST / LIST, IN_LIST);
    rt_dma_free(&coherent, LARGEST, pool, handle, 0);
    rt_iounmap(flash);
    rt_iounmap(elsewhere);
    rt_free(heap);
}
