/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The msh command dma_bench: instructions of rt_dma_alloc and rt_dma_free, and of the longest stretch with interrupts
 * masked, counted by the processor's cycle counter. QEMU's -icount shift=0 makes one cycle of one instruction; the
 * first line states whether it does.
 *
 * Lines: "call NAME first ALLOC FREE", "call NAME steady ALLOC FREE", "stretch NAME OVER LONGEST PAGES": the longest
 * stretch less the 4 instructions that each 64 pages of the request may cost, that stretch, and the pages of the request.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include "counter.h"

#include "syncs.h"

#define PAGE            ARCH_PAGE_SIZE
#define COHERENT        (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

/* The longest time with interrupts masked, in instructions: see context.rs. Zero if the kernel does not measure it. */
extern volatile rt_uint64_t stand_in_longest_stretch;
/* Called each time interrupts are on again. */
extern void (*volatile stand_in_between)(void);

/* See maps.c. */
void bench_maps(void);

static struct rt_device dev = { .parent.name = "dma_bench" };
/* The instructions that counting itself takes: for an empty call, and for an empty section with interrupts masked. */
static rt_uint64_t overhead, empty_stretch;

static void counter_on(void)
{
    /* PMCR_EL0: enable, reset, 64 bits; PMCNTENSET_EL0: the cycle counter; PMCCFILTR_EL0: at every level. */
    __asm__ volatile ("msr pmcr_el0, %0" :: "r" (0x45UL));
    __asm__ volatile ("msr pmcntenset_el0, %0" :: "r" (1UL << 31));
    __asm__ volatile ("msr pmccfiltr_el0, %0" :: "r" (0UL));
    overhead = count_overhead();
    stand_in_longest_stretch = stand_in_longest_stretch ? 1 : 0;
    rt_hw_local_irq_enable(rt_hw_local_irq_disable());
    empty_stretch = stand_in_longest_stretch;
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

/* ---- the longest stretch, on a pool of 262,144 pages -------------------------------------------------------------- */

#define BIG_PAGES       262144UL
#define BIG_START       0x1000000000UL  /* No memory is there. Its buffers are never mapped or accessed. */
#define BIG_FLAGS       (RT_DMA_F_NOMAP | RT_DMA_F_DEVICE)

static struct rt_device big_dev = { .parent.name = "dma_bench_big" };
static rt_uint32_t *lengths; /* the length of the allocation that begins at each page, 0 if none begins there */

static struct
{
    const char *name;
    rt_uint64_t over, longest, pages;
} worst;

static void judge(rt_size_t pages)
{
    rt_uint64_t longest = stand_in_longest_stretch - empty_stretch;
    rt_uint64_t allowed = 4 * ((pages + 63) / 64);
    rt_uint64_t over = longest > allowed ? longest - allowed : 0;

    if (over > worst.over)
    {
        worst.over = over;
        worst.longest = longest;
        worst.pages = pages;
    }
    stand_in_longest_stretch = empty_stretch;
}

/* Records the result of a request. Returns the first page, or BIG_PAGES if the request failed. */
static rt_size_t taken(rt_size_t pages, const void *buffer, rt_ubase_t handle)
{
    judge(pages);
    if (!buffer)
    {
        return BIG_PAGES;
    }
    lengths[(handle - BIG_START) / PAGE] = (rt_uint32_t)pages;
    return (handle - BIG_START) / PAGE;
}

static rt_size_t take(rt_size_t pages)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&big_dev, pages * PAGE, &handle, BIG_FLAGS);

    return taken(pages, buffer, handle);
}

/* Allocates pages whose first page is a multiple of the alignment. Returns the first page, or BIG_PAGES. */
static rt_size_t take_aligned(rt_size_t pages, rt_size_t align)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc_aligned(&big_dev, pages * PAGE, align * PAGE, &handle, BIG_FLAGS);

    return taken(pages, buffer, handle);
}

static void give(rt_size_t page)
{
    rt_ubase_t handle = BIG_START + page * PAGE;
    rt_size_t pages;

    RT_ASSERT(page < BIG_PAGES);
    pages = lengths[page];
    lengths[page] = 0;
    rt_dma_free(&big_dev, pages * PAGE, (void *)handle, handle, BIG_FLAGS);
    judge(pages);
}

static void give_all(void)
{
    for (rt_size_t page = 0; page < BIG_PAGES; ++page)
    {
        if (lengths[page])
        {
            give(page);
        }
    }
}

static void report(const char *name)
{
    rt_kprintf("stretch %s %lu %lu %lu\n", name, (unsigned long)worst.over, (unsigned long)worst.longest,
            (unsigned long)worst.pages);
    worst.over = 0;
}

static rt_uint32_t random_below(rt_uint32_t below)
{
    static rt_uint32_t state = 2463534242U;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

/* Allocates and frees all kinds of sizes until the pool is fragmented. */
static void stretch_random(void)
{
    for (int step = 0; step < 60000; ++step)
    {
        rt_size_t page = random_below(BIG_PAGES);

        if (step % 7000 < 4000)
        {
            take(1 + random_below(1U << random_below(12)));
            continue;
        }
        for (int tries = 0; tries < 4096 && !lengths[page]; ++tries)
        {
            page = (page + 1) % BIG_PAGES;
        }
        if (lengths[page])
        {
            give(page);
        }
    }
    give_all();
    report("random");
}

/* Allocates every page separately, and frees every second one. The pool then has the highest possible number of free runs, each
 * of one page. */
static void stretch_checkerboard(void)
{
    while (take(1) != BIG_PAGES)
    {
    }
    for (rt_size_t page = 0; page < BIG_PAGES; page += 2)
    {
        give(page);
    }
    for (int step = 0; step < 4000; ++step)
    {
        take(2);
        rt_size_t page = take(1);

        if (page != BIG_PAGES && step % 2)
        {
            give(page);
        }
    }
    give_all();
    report("checkerboard");
}

/*
 * Around each boundary of the tree, where the two words that a call changes have nothing above them in common but the
 * top: runs grow and shrink across it, as the longest of all.
 */
static void stretch_boundaries(void)
{
    for (rt_size_t boundary = 64; boundary < BIG_PAGES; boundary *= 4)
    {
        for (rt_size_t times = 1; times < 4; ++times)
        {
            static const int offsets[] = { -65, -64, -1, 0, 1, 63, 64 };

            for (rt_size_t i = 0; i < RT_ARRAY_SIZE(offsets); ++i)
            {
                rt_size_t at = boundary * times + (rt_size_t)offsets[i];
                rt_size_t low, middle, high, rest;

                if (boundary * times < 206 || at + 200 > BIG_PAGES)
                {
                    continue;
                }
                low = take(at - 70);
                middle = take(70);
                high = take(37);
                rest = take(BIG_PAGES - at - 37);
                give(rest);             /* the longest run begins after `high` */
                give(high);             /* now it begins earlier */
                give(middle);           /* now it begins in another word */
                middle = take(3);
                give(low);
                low = take(5);
                give(middle);
                middle = take(at - 80);
                give(low);
                give(middle);
            }
        }
    }
    give_all();
    report("boundaries");
}

/* Each request takes almost all free pages. The buffers are freed in the reverse order. */
static void stretch_large(void)
{
    for (rt_size_t pages = BIG_PAGES; pages > 64; pages -= pages / 7)
    {
        rt_size_t most = take(pages), left = take(BIG_PAGES - pages), page;

        give(most);
        page = take(pages - 1);
        give(page);
        if (left != BIG_PAGES)
        {
            give(left);
        }
    }
    report("large");
}

/* Aligned requests examine one free run after the other: in a fragmented pool, and where the only fitting run is far away. */
static void stretch_aligned(void)
{
    while (take(1 + random_below(8)) != BIG_PAGES)
    {
    }
    for (rt_size_t page = 0; page < BIG_PAGES; ++page)
    {
        if (lengths[page] && random_below(8))
        {
            give(page);
        }
    }
    for (int step = 0; step < 1000; ++step)
    {
        rt_size_t page = take_aligned(1 + random_below(48), 1U << random_below(10));

        if (page != BIG_PAGES && step % 4 == 0)
        {
            give(page);
        }
    }
    give_all();
    for (rt_size_t pages = BIG_PAGES - 300; pages; pages /= 4)
    {
        rt_size_t most = take(pages), single = take(1), rest = take(BIG_PAGES - 200 - pages), far = take_aligned(70, 64);

        give(single);
        give(take_aligned(20, 16));
        give(far);
        give(rest);
        give(most);
    }
    report("aligned");
}

#define OTHERS 8

/* What an interrupt does between two stretches of another call: it leaves the map something to settle. */
static void disturb(void)
{
    static struct { void *buffer; rt_ubase_t handle; rt_size_t size; } others[OTHERS];
    static rt_uint32_t turn;
    rt_uint32_t at = turn++ * 5 % OTHERS;

    if (others[at].buffer)
    {
        rt_dma_free(&big_dev, others[at].size, others[at].buffer, others[at].handle, BIG_FLAGS);
    }
    others[at].size = (1 + turn % 3) * PAGE;
    others[at].buffer = rt_dma_alloc(&big_dev, others[at].size, &others[at].handle, BIG_FLAGS);
}

/* A call that finds something to settle again after each step does the rest in one stretch after a while. */
static void stretch_patience(void)
{
    while (take(1 + random_below(64)) != BIG_PAGES)
    {
    }
    for (rt_size_t page = 0; page < BIG_PAGES; ++page)
    {
        if (lengths[page] && random_below(2))
        {
            give(page);
        }
    }
    stand_in_between = disturb;
    for (int step = 0; step < 400; ++step)
    {
        rt_size_t page = take(1 + random_below(96)), other = take_aligned(1 + random_below(24), 8);

        if (page != BIG_PAGES && step % 4)
        {
            give(page);
        }
        if (other != BIG_PAGES && step % 4 != 1)
        {
            give(other);
        }
    }
    stand_in_between = RT_NULL;
    report("patience");
}

static void bench_stretches(void)
{
    rt_region_t region = { BIG_START, BIG_START + BIG_PAGES * PAGE, "big" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);

    lengths = rt_calloc(BIG_PAGES, sizeof(*lengths));
    RT_ASSERT(pool && lengths);
    pool->flags |= BIG_FLAGS;
    pool->dev = &big_dev;
    take(1);
    give(0);
    worst.over = 0;

    stretch_boundaries();
    stretch_large();
    stretch_random();
    stretch_checkerboard();
    stretch_aligned();
    stretch_patience();
    rt_free(lengths);
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
