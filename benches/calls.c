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
#include "counter.h"

#include "stretches.h"
#include "syncs.h"

#define COHERENT        (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

/* See maps.c. */
void bench_maps(void);

static struct rt_device dev = { .parent.name = "dma_bench" };
/* The instructions that counting itself takes. */
static rt_uint64_t overhead;

static void counter_on(void)
{
    /* PMCR_EL0: enable, reset, 64 bits; PMCNTENSET_EL0: the cycle counter; PMCCFILTR_EL0: at every level. */
    __asm__ volatile ("msr pmcr_el0, %0" :: "r" (0x45UL));
    __asm__ volatile ("msr pmcntenset_el0, %0" :: "r" (1UL << 31));
    __asm__ volatile ("msr pmccfiltr_el0, %0" :: "r" (0UL));
    overhead = count_overhead();
}

/* A loop of 1,000 rounds with two instructions each. */
static rt_uint64_t calibrate(void)
{
    rt_uint64_t start = count(), turns = 1000;

    __asm__ volatile ("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (turns) :: "cc");
    return count() - start - overhead;
}

static void pair(rt_size_t size, rt_ubase_t flags, rt_uint64_t *alloc, rt_uint64_t *give_back)
{
    rt_ubase_t handle;
    rt_uint64_t start = count();
    void *buffer = rt_dma_alloc(&dev, size, &handle, flags);

    *alloc = count() - start - overhead;
    RT_ASSERT(buffer);
    start = count();
    rt_dma_free(&dev, size, buffer, handle, flags);
    *give_back = count() - start - overhead;
}

#define TURNS           255

/* The turn in the middle of all, by cost: now and then one is longer by a timer interrupt. */
static void bench_call(const char *name, rt_size_t size, rt_ubase_t flags)
{
    static struct { rt_uint64_t alloc, give_back; } turns[TURNS];
    rt_uint64_t alloc, give_back;

    pair(size, flags, &alloc, &give_back);
    rt_kprintf("call %s first %lu %lu\n", name, (unsigned long)alloc, (unsigned long)give_back);
    for (int i = 0; i < TURNS; ++i)
    {
        int at = i;

        pair(size, flags, &alloc, &give_back);
        for (; at && turns[at - 1].alloc + turns[at - 1].give_back > alloc + give_back; --at)
        {
            turns[at] = turns[at - 1];
        }
        turns[at].alloc = alloc;
        turns[at].give_back = give_back;
    }
    rt_kprintf("call %s steady %lu %lu\n", name, (unsigned long)turns[TURNS / 2].alloc,
            (unsigned long)turns[TURNS / 2].give_back);
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
        bench_syncs(overhead);
        bench_maps();
    }
    rt_kprintf("dma_bench: done\n");
    return 0;
}
MSH_CMD_EXPORT(dma_bench, count the instructions of the DMA memory calls);
