/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Mappings at addresses that the kernel chooses. */

#include "rt_dma_port_rtthread.h"

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
    if (!rt_dma_port_has_page_tables())
    {
        return memory == RT_DMA_PORT_CACHED ? (void *)(pa - PV_OFFSET) : RT_NULL;
    }

    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        return rt_ioremap_cached((void *)pa, size);
    case RT_DMA_PORT_UNCACHED:
        return rt_ioremap_nocache((void *)pa, size);
    default:
        return rt_ioremap_wt((void *)pa, size);
    }
}

void rt_dma_port_unmap(void *va)
{
    if (rt_dma_port_has_page_tables())
    {
        rt_iounmap(va);
    }
}
