/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What the files about mappings share. */

#ifndef RT_DMA_PORT_MAP_PAGES_H__
#define RT_DMA_PORT_MAP_PAGES_H__

#include "rt_dma_port_rtthread.h"

/*
 * Maps whole pages, and returns their address; null on failure. If va is not null, the pages are mapped there, and
 * `memory` is RT_DMA_PORT_CACHED. If it is null, the kernel chooses an address in the ioremap window, and `memory` is
 * RT_DMA_PORT_CACHED, RT_DMA_PORT_UNCACHED or RT_DMA_PORT_WRITE_THROUGH. Context: thread.
 *
 * rt_dma_port_map_pages.c defines this function and the next one for the processors on which RT-Thread maps blocks of 2
 * MiB, rt_dma_port_ioremap.c for the others.
 */
void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, int memory);

/* Removes a mapping of rt_dma_port_map_pages(), all of it. Context: thread. */
void rt_dma_port_unmap_pages(void *va);

/* On these processors RT-Thread's own functions map blocks of 2 MiB, so rt_dma_port_map_pages.c takes their place. */
#if defined(__aarch64__) || defined(__riscv)
#define RT_DMA_PORT_KERNEL_MAPS_BLOCKS

/*
 * Makes room for pages at va: clears the page-table entry of a block of 2 MiB that an earlier mapping left there.
 * Returns 0 if a block stays, so that no page can be mapped at va; else 1.
 *
 * A block of 2 MiB in the ioremap window was left, because the caller has reserved va. Any other block stays: boot code
 * may have mapped it without reserving its addresses. On riscv64 the TLBs may still hold the block when the call
 * returns, so the caller calls rt_dma_port_publish_mappings() before it uses the addresses.
 */
int rt_dma_port_clear_left_block(void *va);
#endif

/*
 * What differs between the processors of rt_dma_port_map_pages.c. rt_dma_port_map_pages_riscv.c defines it for riscv64.
 */
#if defined(__riscv)

/*
 * Returns whether a piece is mapped: whether its first page, va, leads to pa. rt_hw_mmu_map may return an address
 * although it mapped nothing. It fails only if there is no memory for a page table. A piece lies within one table, so
 * its first page is enough.
 */
int rt_dma_port_page_is_mapped(void *va, uintptr_t pa);

/* Makes every core use the new entries of the page tables. */
void rt_dma_port_publish_mappings(void);

/*
 * The kernel calls this in place of rt_hw_mmu_unmap when the area is unmapped. varea->data is how many bytes are
 * mapped.
 */
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
