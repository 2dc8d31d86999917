/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What the files about mappings share. */

#ifndef RT_DMA_PORT_MAP_PAGES_H__
#define RT_DMA_PORT_MAP_PAGES_H__

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

/* RT-Thread's own functions map blocks of 2 MiB, so rt_dma_port_pages.c takes their place. */
#if defined(__aarch64__) || defined(__riscv)
#define RT_DMA_PORT_KERNEL_MAPS_BLOCKS

/*
 * Clears the page-table entry of a block of 2 MiB that contains va, if there is one. In the ioremap window no mapping uses the
 * block, because the caller has reserved va: an earlier mapping left it. Elsewhere boot code may have mapped it without
 * reserving its addresses, so it stays. Returns whether pages can be mapped at va. On riscv64 the TLBs may hold the block until
 * rt_dma_port_publish_mappings() is called, which the caller does before the addresses are used.
 */
int rt_dma_port_clear_left_block(void *va);
#endif

/* What differs between the processors of rt_dma_port_pages.c. rt_dma_port_pages_riscv.c defines it for riscv64. */
#if defined(__riscv)

/*
 * Returns whether the page at va is mapped to pa: rt_hw_mmu_map may return an address although it mapped nothing. If the first page
 * of a piece is mapped, so are the others: a map fails only if there is no memory for a table, and a piece lies within one.
 */
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

#endif /* RT_DMA_PORT_MAP_PAGES_H__ */
