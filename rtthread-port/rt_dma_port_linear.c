/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The linear map. */

#include "rt_dma_port_pages.h"

#if RT_DMA_PORT_REVISION < 2

/* In this revision only boot code maps linearly. Memory that it left out stays out. */
void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
    RT_UNUSED(va);
    RT_UNUSED(pa);
    RT_UNUSED(size);
}

#else

#ifdef __aarch64__

static void map_fixed(void *va, uintptr_t pa, uintptr_t size)
{
    rt_dma_port_map_pages(va, pa, size, MMU_MAP_K_RWCB);
}

#else

static void map_fixed(void *va, uintptr_t pa, uintptr_t size)
{
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };

    rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_RWCB, pa >> MM_PAGE_SHIFT, &hint.prefer);
}

#endif /* __aarch64__ */

/* The mapping has the address that is asked for, or fails. The library finds out by rt_dma_port_v2p(). */
void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
    if (rt_dma_port_has_page_tables())
    {
        map_fixed(va, pa, size);
    }
}

#endif /* revision */
