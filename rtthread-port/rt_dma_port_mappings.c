/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Mappings at addresses that the kernel chooses. */

#include "rt_dma_port_pages.h"

#ifdef __aarch64__

/* Returns the attributes with which RT-Thread's ioremap maps such memory (components/mm/ioremap.c). */
static rt_size_t attributes_of(int memory)
{
    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        return MMU_MAP_K_RWCB;
    case RT_DMA_PORT_UNCACHED:
        return MMU_MAP_K_DEVICE;
    case RT_DMA_PORT_WRITE_THROUGH:
    default:
        return MMU_MAP_K_RW;
    }
}

#endif /* __aarch64__ */

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
    if (!rt_dma_port_has_page_tables())
    {
        return memory == RT_DMA_PORT_CACHED ? (void *)(pa - PV_OFFSET) : RT_NULL;
    }

#ifdef __aarch64__
    if (size >= ARCH_SECTION_SIZE)
    {
        return rt_dma_port_map_pages(RT_NULL, pa, size, attributes_of(memory));
    }
#endif

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

void rt_dma_port_unmap(void *va)
{
    if (rt_dma_port_has_page_tables())
    {
        rt_iounmap(va);
    }
}
