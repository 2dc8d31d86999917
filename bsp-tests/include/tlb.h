/* SPDX-License-Identifier: Apache-2.0 */
/* The translation lookaside buffer. */
#ifndef TLB_H__
#define TLB_H__

#include <stddef.h>

struct rt_aspace;

/* Drops old entries from the TLBs of all cores. */
void stand_in_invalidate_tlbs(void);

static inline void rt_hw_tlb_invalidate_aspace(struct rt_aspace *aspace)
{
    (void)aspace;
    stand_in_invalidate_tlbs();
}

/* As in RT-Thread 5.2.2, an entry of one page is dropped from the TLB of this core only. rt_hw_mmu_map() has done that. */
static inline void rt_hw_tlb_invalidate_range(struct rt_aspace *aspace, void *start, size_t size, size_t stride)
{
    (void)start;
    (void)stride;
    if (size > 4096)
    {
        rt_hw_tlb_invalidate_aspace(aspace);
    }
}

#endif
