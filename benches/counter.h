/* SPDX-License-Identifier: Apache-2.0 */
/* The processor's cycle counter. QEMU's -icount shift=0 makes one cycle of one instruction. */
#ifndef BENCHES_COUNTER_H
#define BENCHES_COUNTER_H

#include <rtthread.h>

static inline rt_uint64_t count(void)
{
    rt_uint64_t cycles;

    __asm__ volatile ("isb\n\tmrs %0, pmccntr_el0" : "=r" (cycles) :: "memory");
    return cycles;
}

/* What counting itself costs, once the counter runs. */
static inline rt_uint64_t count_overhead(void)
{
    rt_uint64_t least = ~0UL;

    for (int i = 0; i < 16; ++i)
    {
        rt_uint64_t start = count(), end = count();

        least = end - start < least ? end - start : least;
    }
    return least;
}

#endif /* BENCHES_COUNTER_H */
