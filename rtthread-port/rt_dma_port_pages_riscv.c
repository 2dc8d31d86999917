/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * riscv64: what rt_dma_port_pages.c does about three faults of libcpu/risc-v/common/mmu.c. rt_hw_mmu_map returns an address even
 * if there was no memory for a table; rt_hw_mmu_unmap clears no entry of a page; and only the TLB of one core drops old entries.
 */

#include "rt_dma_port_map_pages.h"

#ifdef __riscv

/* RT-Thread's tlb.h writes to the log. */
#define DBG_TAG "dma.pool"
#define DBG_LVL DBG_WARNING
#include <rtdbg.h>
#include <tlb.h>

int rt_dma_port_page_is_mapped(void *va, uintptr_t pa)
{
    return rt_dma_port_v2p(va) == pa;
}

/*
 * Every entry is dropped from the TLBs of all cores: an address may have been that of another mapping before.
 * rt_hw_tlb_invalidate_aspace() is not enough: in RT-Thread 5.2.2 it reaches the TLB of this core only. With ARCH_USING_ASID
 * it drops the entries of one address space, and a TLB may have entries of several for an address of the kernel.
 */
void rt_dma_port_publish_mappings(void)
{
    rt_hw_tlb_invalidate_all_local();
#ifdef RT_USING_SMP
    rt_hw_tlb_invalidate_all();
#endif
}

/*
 * Clears the entries of pages that are unmapped. rt_hw_mmu_unmap only counts the uses of a table. When the last use ends, it clears
 * the entry that leads to the table, and frees the table. A pool that is installed later, at the linear addresses of such entries,
 * would take them for a map of the boot code, and would lose them together with the table.
 *
 * The first call below writes an entry that is not valid, because its attribute is zero. It counts as a use of the table, and the
 * second call ends that use. RT-Thread's older common64/mmu.c leaves no entry.
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
