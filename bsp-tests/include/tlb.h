/* SPDX-License-Identifier: Apache-2.0 */
/* The translation lookaside buffer, as in RT-Thread 5.2.2. */
#ifndef TLB_H__
#define TLB_H__

struct rt_aspace;

/* Drops old entries from the TLBs of all cores. */
void stand_in_invalidate_tlbs(void);

static inline void rt_hw_tlb_invalidate_all(void)
{
    stand_in_invalidate_tlbs();
}

/* Drops them from the TLB of this core. */
static inline void rt_hw_tlb_invalidate_all_local(void)
{
    __asm__ volatile ("sfence.vma" : : : "memory");
}

static inline void rt_hw_tlb_invalidate_aspace(struct rt_aspace *aspace)
{
    (void)aspace;
    rt_hw_tlb_invalidate_all_local();
}

#endif
