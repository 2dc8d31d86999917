/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Mappings by RT-Thread's own functions, for the processors on which these map no blocks. */

#include "rt_dma_port_map_pages.h"

#ifndef RT_DMA_PORT_KERNEL_MAPS_BLOCKS

/* Drops old entries from the TLBs of all cores: an address may have been that of another mapping before. */
static void invalidate_tlbs(void)
{
    /*
     * RT-Thread drops those of the core that maps or unmaps (libcpu/arm/cortex-a/tlb.h). With one core, nothing else is
     * needed.
     */
#if defined(RT_DMA_PORT_HAS_CP15) && defined(RT_USING_SMP)
    /* TLBIALLIS */
    __asm__ volatile ("dsb\n\tmcr p15, 0, %0, c8, c3, 0\n\tdsb\n\tisb" : : "r" (0) : "memory");
#endif
}

static void *map_at(void *va, uintptr_t pa, uintptr_t size)
{
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };

    if (rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_RWCB, pa >> MM_PAGE_SHIFT, &va))
    {
        return RT_NULL;
    }

    return va;
}

static void *map_anywhere(uintptr_t pa, uintptr_t size, int memory)
{
    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        return rt_ioremap_cached((void *)pa, size);
    case RT_DMA_PORT_UNCACHED:
        return rt_ioremap_nocache((void *)pa, size);
    case RT_DMA_PORT_WRITE_THROUGH:
    default:
        return rt_ioremap_wt((void *)pa, size);
    }
}

void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, int memory)
{
    /* In revision 1 no address is given: without this, the compiler would keep map_at(), 108 bytes on 32-bit Arm. */
    int is_at_va = RT_DMA_PORT_REVISION >= 2 && va;
    void *mapped = is_at_va ? map_at(va, pa, size) : map_anywhere(pa, size, memory);

    invalidate_tlbs();

    return mapped;
}

void rt_dma_port_unmap_pages(void *va)
{
    rt_iounmap(va);
    invalidate_tlbs();
}

#endif /* !RT_DMA_PORT_KERNEL_MAPS_BLOCKS */
