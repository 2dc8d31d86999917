/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The msh command dma_bench: instructions of rt_dma_alloc and rt_dma_free, counted by the processor's cycle counter.
 * QEMU's -icount shift=0 makes one cycle of one instruction; the first line states whether it does.
 *
 * Lines: "call NAME first ALLOC FREE", "call NAME steady ALLOC FREE"; then those of syncs.c and maps.c. In a kernel
 * that measures how long interrupts are masked: those of stretches.c.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include "dma_bench.h"

#define COHERENT        (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

static struct rt_device dev = { .parent.name = "dma_bench" };

static void counter_on(void)
{
    /* PMCR_EL0: enable, reset, 64 bits; PMCNTENSET_EL0: the cycle counter; PMCCFILTR_EL0: at every level. */
    __asm__ volatile ("msr pmcr_el0, %0" :: "r" (0x45UL));
    __asm__ volatile ("msr pmcntenset_el0, %0" :: "r" (1UL << 31));
    __asm__ volatile ("msr pmccfiltr_el0, %0" :: "r" (0UL));
}

/* A loop of 1,000 rounds with two instructions each. */
static rt_uint64_t calibrate(void)
{
    rt_uint64_t overhead = count_overhead(), start = count(), turns = 1000;

    __asm__ volatile ("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (turns) :: "cc");
    return count() - start - overhead;
}

static struct cost allocate_and_free(rt_size_t size, rt_ubase_t flags)
{
    rt_uint64_t overhead = count_overhead(), start = count();
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&dev, size, &handle, flags);
    struct cost cost = { .call = count() - start - overhead };

    RT_ASSERT(buffer);
    start = count();
    rt_dma_free(&dev, size, buffer, handle, flags);
    cost.undo = count() - start - overhead;
    return cost;
}

#define TURNS           255

static void bench_call(const char *name, rt_size_t size, rt_ubase_t flags)
{
    static struct cost turns[TURNS];
    struct cost cost = allocate_and_free(size, flags);

    rt_kprintf("call %s first %lu %lu\n", name, (unsigned long)cost.call, (unsigned long)cost.undo);
    for (int i = 0; i < TURNS; ++i)
    {
        turns[i] = allocate_and_free(size, flags);
    }
    cost = median_of(turns, TURNS);
    rt_kprintf("call %s steady %lu %lu\n", name, (unsigned long)cost.call, (unsigned long)cost.undo);
}

static int dma_bench(int argc, char **argv)
{
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    counter_on();
    rt_kprintf("calibration %lu\n", (unsigned long)calibrate());
    if (stand_in_longest_stretch)
    {
        bench_stretches();
    }
    else
    {
        bench_call("4KiB,cached", 4096, 0);
        bench_call("4KiB,coherent", 4096, COHERENT);
        bench_call("64KiB,cached", 65536, 0);
        bench_call("64KiB,coherent", 65536, COHERENT);
        bench_call("1MiB,cached", 1 << 20, 0);
        bench_call("1MiB,coherent", 1 << 20, COHERENT);
        bench_syncs();
        bench_maps();
    }
    rt_kprintf("dma_bench: done\n");
    return 0;
}
MSH_CMD_EXPORT(dma_bench, count the instructions of the DMA memory calls);
