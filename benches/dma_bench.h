/* SPDX-License-Identifier: Apache-2.0 */
/* The msh command dma_bench: its parts, and how they count instructions. */
#ifndef DMA_BENCH_H__
#define DMA_BENCH_H__

#include <rtthread.h>

/* The longest time with interrupts masked, in instructions: see context.rs. Zero if the kernel does not measure it. */
extern volatile rt_uint64_t stand_in_longest_stretch;

/* The parts, each in the file of this name. They print their lines. The cycle counter is on. */
void bench_maps(void);
void bench_stretches(void);
void bench_syncs(void);

/* The instructions of a call, such as an allocation or a map, and of the call that undoes it. */
struct cost
{
    rt_uint64_t call, undo;
};

/* Returns the processor's cycle counter. QEMU's -icount shift=0 makes one cycle of one instruction. */
static inline rt_uint64_t count(void)
{
    rt_uint64_t cycles;

    __asm__ volatile ("isb\n\tmrs %0, pmccntr_el0" : "=r" (cycles) :: "memory");
    return cycles;
}

/* Returns what counting itself costs. The cycle counter is on. */
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

/* Sorts the costs and returns the median. A turn that a timer interrupt makes longer is far from it. */
static inline struct cost median_of(struct cost *turns, int number)
{
    for (int i = 1; i < number; ++i)
    {
        struct cost cost = turns[i];
        int at = i;

        for (; at && turns[at - 1].call + turns[at - 1].undo > cost.call + cost.undo; --at)
        {
            turns[at] = turns[at - 1];
        }
        turns[at] = cost;
    }
    return turns[number / 2];
}

#endif
