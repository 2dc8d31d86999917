/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Mappings: of memory at its linear address, which is the physical address minus PV_OFFSET, and of memory at an address
 * that the kernel chooses.
 */

#include "rt_dma_port_map_pages.h"

/*
 * The mapping has the address that is asked for, or fails. The result is not returned: the library checks each mapping
 * by rt_dma_port_v2p(), because a kernel may report success although it mapped other memory.
 */
void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
    /* In revision 1 of drivers/dma.h only boot code maps linearly. Memory that it left out stays out. */
    if (RT_DMA_PORT_REVISION >= 2 && rt_dma_port_has_page_tables())
    {
        rt_dma_port_map_pages(va, pa, size, RT_DMA_PORT_CACHED);
    }
}

/* Only rt_dma_pool_uninstall calls this. */
RT_DMA_PORT_OWN_SECTION(unmap_linear) void rt_dma_port_unmap_linear(void *va, uintptr_t size)
{
    RT_UNUSED(size);
    rt_dma_port_unmap(va);
}

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
    if (!rt_dma_port_has_page_tables())
    {
        /* Without page tables all memory is taken for cached memory at its linear address. */
        return memory == RT_DMA_PORT_CACHED ? (void *)(pa - PV_OFFSET) : RT_NULL;
    }

    return rt_dma_port_map_pages(RT_NULL, pa, size, memory);
}

void rt_dma_port_unmap(void *va)
{
    if (rt_dma_port_has_page_tables())
    {
        rt_dma_port_unmap_pages(va);
    }
}
