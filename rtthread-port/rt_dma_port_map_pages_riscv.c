/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * For riscv64: makes up for three errors of RT-Thread's libcpu/risc-v/common/mmu.c.
 * 1. rt_hw_mmu_map returns an address even without memory for a page table: rt_dma_port_page_is_mapped() checks.
 * 2. rt_hw_mmu_unmap leaves the entries of the pages: clear_left_entries() clears them.
 * 3. Only the TLB of the calling core drops old entries: rt_dma_port_publish_mappings() reaches the others.
 */

#include "rt_dma_port_map_pages.h"

#ifdef __riscv

/* RT-Thread's tlb.h uses the macros of rtdbg.h, but does not include it. */
#define DBG_TAG "dma.pool"
#define DBG_LVL DBG_WARNING
#include <rtdbg.h>
#include <tlb.h>

int rt_dma_port_page_is_mapped(void *va, uintptr_t pa)
{
    return rt_dma_port_v2p(va) == pa;
}

/*
 * The TLBs of all cores drop every entry, because an address may have been that of another mapping before.
 * rt_hw_tlb_invalidate_aspace() is not enough: in RT-Thread 5.2.2 it reaches the TLB of this core only. With
 * ARCH_USING_ASID it drops the entries of one address space, and a TLB may have entries of several for an address of
 * the kernel.
 */
void rt_dma_port_publish_mappings(void)
{
    rt_hw_tlb_invalidate_all_local();
#ifdef RT_USING_SMP
    rt_hw_tlb_invalidate_all();
#endif
}

/*
 * Clears the entries that rt_hw_mmu_unmap left. That function only counts how many uses a page table still has. When
 * the last use ends, it clears the entry that leads to the table, and frees the table. If a later pool lies at the
 * linear addresses of the entries that were left, the library takes them for mappings of boot code, and loses them when
 * the table is freed.
 *
 * RT-Thread has no call that clears one entry, so two calls are made. With the attribute 0, rt_hw_mmu_map writes an
 * entry that is not valid, and counts one use more. rt_hw_mmu_unmap ends this use. RT-Thread's older common64/mmu.c
 * leaves no entry.
 */
static void clear_left_entries(rt_aspace_t aspace, char *va, uintptr_t size)
{
    for (; size != 0; size -= ARCH_PAGE_SIZE, va += ARCH_PAGE_SIZE)
    {
        if (rt_hw_mmu_v2p(aspace, va) != ARCH_MAP_FAILED)
        {
            rt_hw_mmu_map(aspace, va, RT_NULL, ARCH_PAGE_SIZE, 0);
            rt_hw_mmu_unmap(aspace, va, ARCH_PAGE_SIZE);
        }
    }
}

void rt_dma_port_close_area(struct rt_varea *varea)
{
    uintptr_t size = (uintptr_t)varea->data;

    rt_hw_mmu_unmap(varea->aspace, varea->start, size);
    clear_left_entries(varea->aspace, varea->start, size);
    rt_dma_port_publish_mappings();
}

#endif /* __riscv */
