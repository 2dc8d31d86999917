/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The linear map. */

#include "rt_dma_port_rtthread.h"

void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
#if RT_DMA_PORT_REVISION >= 2
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };

    if (!rt_dma_port_has_page_tables())
    {
        return;
    }

    /* The mapping lands where it was wanted, or nowhere. The library finds out by rt_dma_port_v2p(). */
    rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_RWCB, pa >> MM_PAGE_SHIFT, &hint.prefer);
#else
    /* Here the linear map is the boot code's alone: what it left out, it left out on purpose. */
    RT_UNUSED(va);
    RT_UNUSED(pa);
    RT_UNUSED(size);
#endif
}
