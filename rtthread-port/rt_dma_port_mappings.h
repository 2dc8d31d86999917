/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What the files about mappings share. */

#ifndef RT_DMA_PORT_MAPPINGS_H__
#define RT_DMA_PORT_MAPPINGS_H__

#include "rt_dma_port_rtthread.h"

/*
 * Maps whole pages at va, or in the ioremap window if va is null. `memory` is RT_DMA_PORT_CACHED, RT_DMA_PORT_UNCACHED or
 * RT_DMA_PORT_WRITE_THROUGH; with an address it is RT_DMA_PORT_CACHED. Returns the address, or null on failure.
 * Context: thread.
 *
 * rt_dma_port_pages.c defines this for the processors on which RT-Thread maps blocks of 2 MiB, rt_dma_port_ioremap.c for the
 * others.
 */
void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, int memory);

/*
 * Removes a mapping of rt_dma_port_map_pages(), which is one area of the address space, as a whole. Defined as that one.
 * Context: thread.
 */
void rt_dma_port_unmap_pages(void *va);

#if defined(__aarch64__) || defined(__riscv)
#define RT_DMA_PORT_MAPS_BLOCKS
#endif

/* What differs between the processors of rt_dma_port_pages.c. rt_dma_port_pages_riscv.c defines it for riscv64. */
#if defined(__riscv)

/* Returns whether rt_hw_mmu_map has mapped the page at va. It may return an address without doing so. */
int rt_dma_port_page_is_mapped(void *va, uintptr_t pa);

/* Makes new mappings valid on all cores. */
void rt_dma_port_publish_mappings(void);

/* The kernel calls this in place of rt_hw_mmu_unmap when the area is unmapped. varea->data is how many bytes are mapped. */
void rt_dma_port_close_area(struct rt_varea *varea);
#define RT_DMA_PORT_CLOSE_AREA rt_dma_port_close_area

#elif defined(__aarch64__)

rt_inline int rt_dma_port_page_is_mapped(void *va, uintptr_t pa)
{
    RT_UNUSED(va);
    RT_UNUSED(pa);

    return 1;
}

rt_inline void rt_dma_port_publish_mappings(void)
{
    __asm__ volatile ("dsb ish\n\tisb" : : : "memory");
}

/* The kernel unmaps the area by itself. */
#define RT_DMA_PORT_CLOSE_AREA RT_NULL

#endif

#endif /* RT_DMA_PORT_MAPPINGS_H__ */
