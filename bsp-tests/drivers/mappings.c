/* SPDX-License-Identifier: Apache-2.0 */
/* Memory types, changes from one to another, and mappings that are given back. */
#include <rtthread.h>
#include <rtdevice.h>
#include <ioremap.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <stand_in.h>

#include "../../rtthread-port/rt_dma_port.h"
#include "../../rtthread-port/rt_dma_port_map_pages.h"
#include "buffers.h"
#include "checks.h"

/* RT-Thread maps a block of this size where both addresses are multiples of it. */
#define BLOCK   (2UL << 20)

static const char *check_memory_type(rt_ubase_t flags)
{
    static const rt_size_t sizes[] = { 1, PAGE, 3 * PAGE + 5, 64 * 1024, 1024 * 1024 };
    const char *error = RT_NULL;

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes) && !error; ++i)
    {
        struct buffer buffer;

        if (sizes[i] > stand_in_cma_size() / 2)
        {
            break; /* a larger buffer may not fit in either pool */
        }
        if (!buffer_alloc(&buffer, sizes[i], flags))
        {
            return why("no buffer of %lu bytes", (unsigned long)sizes[i]);
        }
        error = buffer_check(&buffer);
        buffer_free(&buffer);
    }
    return error;
}

const char *check_type_cached(void)
{
    return check_memory_type(0);
}

const char *check_type_uncached(void)
{
    return check_memory_type(COHERENT);
}

#ifdef RT_DMA_F_WT
const char *check_type_write_through(void)
{
    return check_memory_type(RT_DMA_F_WT);
}
#endif

/* Allocates cached and uncached buffers alternately: dirty lines of a freed buffer must not overwrite the next one. */
const char *check_alternating_types(void)
{
    for (rt_uint32_t round = 0; round < 64; ++round)
    {
        struct buffer buffer;

        if (!buffer_alloc(&buffer, 4 * PAGE, round & 1 ? COHERENT : 0))
        {
            return "no buffer";
        }
        buffer_stamp(&buffer, round);
        if (!buffer_is_stamped(&buffer, round))
        {
            buffer_free(&buffer);
            return why("round %u: the buffer does not hold what was written", (unsigned)round);
        }
        buffer_free(&buffer);
    }
    return RT_NULL;
}

#define PAIRS 5000

/* Allocates and frees more coherent buffers than exhaust the ioremap window if each of them leaks its mapping. */
const char *check_no_leak(void)
{
    struct buffer buffer;
    rt_size_t before;

    if (!buffer_alloc(&buffer, 64 * 1024, COHERENT))
    {
        return "no buffer";
    }
    buffer_free(&buffer);
    before = stand_in_heap_used();
    for (int i = 0; i < PAIRS; ++i)
    {
        if (!buffer_alloc(&buffer, 64 * 1024, COHERENT))
        {
            return why("pair %d fails", i);
        }
        buffer_free(&buffer);
    }
    if (stand_in_heap_used() != before)
    {
        return why("the heap grew from %lu to %lu bytes", (unsigned long)before, (unsigned long)stand_in_heap_used());
    }
    return RT_NULL;
}

/*
 * RT-Thread maps a block of 2 MiB where both addresses are multiples of 2 MiB, and removes none. So the port must not let it
 * map one: the address belongs to the next caller of rt_ioremap.
 */
const char *check_large_mapping(void)
{
    const rt_ubase_t size = 2 * BLOCK;
    rt_ubase_t pa = RT_ALIGN_DOWN((rt_ubase_t)stand_in_v2p((void *)check_large_mapping), BLOCK), offset, at;
    void *va = rt_dma_port_map(pa, size, RT_DMA_PORT_UNCACHED);

    if (!va)
    {
        return "no mapping";
    }
    /* The next mapping gets the same address. Both addresses are then multiples of 2 MiB at the same byte. */
    offset = (rt_ubase_t)va % BLOCK;
    rt_dma_port_unmap(va);
    va = rt_dma_port_map(pa + offset, size, RT_DMA_PORT_UNCACHED);
    if (!va || (rt_ubase_t)va % BLOCK != offset)
    {
        return "no mapping at the same address";
    }
    rt_dma_port_unmap(va);
    for (at = 0; at < size; at += PAGE)
    {
        rt_ubase_t left = (rt_ubase_t)stand_in_v2p((char *)va + at);

        if (left == pa + offset + at)
        {
            return why("%p is still mapped", (char *)va + at);
        }
    }
    return RT_NULL;
}

/* Checks that each page of [va, va + size) leads to the page at the same distance from pa. */
static const char *check_leads_to(const char *va, rt_ubase_t pa, rt_ubase_t size)
{
    for (rt_ubase_t at = 0; at < size; at += PAGE)
    {
        if ((rt_ubase_t)stand_in_v2p((void *)(va + at)) != pa + at)
        {
            return why("%p does not lead to 0x%lx", va + at, pa + at);
        }
    }
    return RT_NULL;
}

#ifdef RT_DMA_F_WT
/*
 * rt_aspace_unmap and rt_iounmap leave a block of 2 MiB in the page tables. Where a page is mapped there later, the kernel
 * stops, or uses the block. So the port clears the block in the ioremap window. Elsewhere it maps nothing there: boot code
 * may use the block.
 */
static const char *map_over_left_block(char *va, rt_bool_t is_window)
{
    const rt_ubase_t size = 2 * BLOCK;
    rt_ubase_t pa = RT_ALIGN_DOWN((rt_ubase_t)stand_in_v2p((void *)check_left_block), BLOCK);
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };
    const char *error;

    if (rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_DEVICE, pa >> MM_PAGE_SHIFT, &hint.prefer))
    {
        return "the kernel maps nothing";
    }
    rt_aspace_unmap(&rt_kernel_space, va);
#ifndef __arm__
    if ((rt_ubase_t)stand_in_v2p(va) != pa)
    {
        return "the kernel left no block";
    }
    if (!is_window)
    {
        rt_dma_port_map_linear(va, pa + PAGE, size);
        return (rt_ubase_t)stand_in_v2p(va) == pa ? RT_NULL : "the port took a block away";
    }
#else
    RT_UNUSED(is_window);
#endif
    pa += PAGE; /* not the block's memory */
    rt_dma_port_map_linear(va, pa, size);
    error = check_leads_to(va, pa, size);
    if (error)
    {
        return error;
    }
    rt_dma_port_unmap_linear(va, size);
    return RT_NULL;
}

#ifdef __riscv
/*
 * RT-Thread's rt_hw_mmu_kernel_map_init maps the kernel's memory by blocks of 1 GiB. If a page were mapped there, the
 * kernel would take the block's memory for a page table. The block is not in the ioremap window, so it must be noticed, and
 * nothing more.
 */
static const char *map_over_block_of_1g(void)
{
    const rt_ubase_t block = 1UL << 30;
    rt_ubase_t *entries = rt_kernel_space.page_table, used = (rt_ubase_t)rt_ioremap_start / block, i;
    int can_map;

    for (i = 1; entries[i] || i == used; i++)
    {
        if (i == 255)
        {
            return "no free entry for 1 GiB";
        }
    }
    entries[i] = i * block >> 2 | 0xcf; /* valid, readable, writable, executable, accessed, dirty */
    can_map = rt_dma_port_clear_left_block((void *)(i * block));
    entries[i] = 0;
    __asm__ volatile ("sfence.vma" : : : "memory");
    return can_map ? "a page can be mapped in a block of 1 GiB" : RT_NULL;
}
#endif

/* At the end of the ioremap window, whose addresses have no tables yet, and before its start. */
const char *check_left_block(void)
{
    const rt_ubase_t start = (rt_ubase_t)rt_ioremap_start, end = RT_ALIGN_DOWN(start + rt_ioremap_size, BLOCK);
    const char *error = map_over_left_block((char *)end - 2 * BLOCK, RT_TRUE);

    if (!error)
    {
        error = map_over_left_block((char *)RT_ALIGN_DOWN(start, BLOCK) - 2 * BLOCK, RT_FALSE);
    }
#ifdef __riscv
    if (!error)
    {
        error = map_over_block_of_1g();
    }
#endif
    return error;
}
#endif

/*
 * A mapping for which there is no memory for page tables fails, and leaves the others alone. It begins with the last page
 * of a table in which another mapping has pages: these must stay.
 */
const char *check_no_tables(void)
{
    /* The last is larger than every mapping before it, so it needs new tables, even if the kernel keeps all old ones. */
    static const rt_ubase_t sizes[] = { 2 * PAGE, 1UL << 20, 3UL << 20, 16 * BLOCK };
    const rt_ubase_t pa = RT_ALIGN_DOWN((rt_ubase_t)stand_in_v2p((void *)check_no_tables), BLOCK);
    /* The kernel chooses this address again for the other mapping. */
    char *start = rt_dma_port_map(pa, 8 * BLOCK, RT_DMA_PORT_UNCACHED), *other, *va;
    rt_ubase_t other_size = 3 * BLOCK - PAGE - (rt_ubase_t)start % BLOCK;
    const char *error = RT_NULL;
    rt_bool_t has_failed = RT_FALSE;

    if (!start)
    {
        return "no mapping";
    }
    rt_dma_port_unmap(start);
    other = rt_dma_port_map(pa, other_size, RT_DMA_PORT_UNCACHED);
    if (!other)
    {
        return "no other mapping";
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes) && !error; ++i)
    {
        rt_size_t heap = stand_in_heap_used(), count = stand_in_mappings();

        stand_in_refuse_tables(1);
        va = rt_dma_port_map(pa, sizes[i], RT_DMA_PORT_UNCACHED);
        stand_in_refuse_tables(0);
        has_failed |= !va;
        if (va)
        {
            /* The kernel kept tables of earlier mappings, or the mapping is at another place. */
            error = check_leads_to(va, pa, sizes[i]);
            rt_dma_port_unmap(va);
        }
        if (!error && (stand_in_mappings() != count || stand_in_heap_used() != heap))
        {
            error = "the failed mapping left something";
        }
        if (!error)
        {
            error = check_leads_to(other, pa, other_size);
        }
    }
    rt_dma_port_unmap(other);
    if (!error && !has_failed)
    {
        error = "no mapping has failed";
    }
    return error;
}

/* On aarch64 the library translates up to 16 pages at once, after the first: these are more than two such chunks. */
#define SCATTERED_PAGES 35

/* Maps one page of the window [va, va + SCATTERED_PAGES * PAGE) to another physical address. */
static void remap_page(char *va, rt_size_t page, rt_ubase_t pa)
{
    rt_hw_mmu_unmap(&rt_kernel_space, va + page * PAGE, PAGE);
    rt_hw_mmu_map(&rt_kernel_space, va + page * PAGE, (void *)pa, PAGE, MMU_MAP_K_RWCB);
}

static const char *check_scattered_page(char *va, rt_size_t page)
{
    const rt_size_t size = SCATTERED_PAGES * PAGE;
    rt_ubase_t handle;
    const char *error = RT_NULL;

    for (rt_size_t at = 0; at < SCATTERED_PAGES; ++at)
    {
        va[at * PAGE] = (char)(at + page);
    }
    handle = rt_dma_map_single(&smoke_device, va, size, RT_DMA_TO_DEVICE);
    if (rt_dma_mapping_error(&smoke_device, handle))
    {
        return why("page %lu: not mapped", (unsigned long)page);
    }
    /* The stand-in's linear map is the identity. */
    for (rt_size_t at = 0; at < SCATTERED_PAGES && !error; ++at)
    {
        if (((char *)handle)[at * PAGE] != (char)(at + page))
        {
            error = why("page %lu is elsewhere: the device does not read page %lu", (unsigned long)page, (unsigned long)at);
        }
    }
    rt_dma_unmap_single(&smoke_device, handle, size, RT_DMA_TO_DEVICE);

    return error;
}

/* Maps a buffer for streaming of which one page, each in turn, does not lie next to the one before it. */
const char *check_scattered(void)
{
    static char ram[(SCATTERED_PAGES + 1) * PAGE] rt_align(PAGE);
    rt_ubase_t pa = (rt_ubase_t)stand_in_v2p(ram);
    char *va = rt_ioremap_cached((void *)pa, SCATTERED_PAGES * PAGE);
    const char *error = RT_NULL;

    if (!va)
    {
        return "no mapping";
    }
    for (rt_size_t page = 1; page < SCATTERED_PAGES && !error; ++page)
    {
        remap_page(va, page, pa + SCATTERED_PAGES * PAGE);
        error = check_scattered_page(va, page);
        remap_page(va, page, pa + page * PAGE);
    }
    rt_iounmap(va);

    return error;
}
