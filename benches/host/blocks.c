/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks count: instructions of rt_dma_block_pool_alloc and _free, against in_band.c, side by side in one run under
 * callgrind: 100 rounds of 1,024 to 8,192 allocations, then as many frees, for each size and order of the frees. Then
 * the same calls of the library again, first to last, with a pool that has all its pages, and the loop without them.
 * blocks touch: calls that access DMA memory, all of which is out of bounds: each access is a fault, and counted.
 *
 * Lines: "blocks SIZE ORDER PAIRS", which callgrind counted under "SIZE ORDER SIDE"; "pair SIZE PAIRS", under "SIZE
 * ours" and "SIZE none"; "touch SIZE SIDE CALLS FAULTS".
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <mm_aspace.h>
#include <rt_dma.h>

#include "kernel.h"
#include "bench.h"

#define ROUNDS      100
#define LEAST       1024
#define MOST        8192
#define POOL_SIZE   (64UL << 20)

static struct rt_device dev = { .parent.name = "blocks" };

static void *our_create(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_size_t boundary)
{
    return rt_dma_block_pool_create("bench", dev, size, align, boundary);
}

static void our_destroy(void *pool)
{
    MUST(rt_dma_block_pool_destroy(pool) == RT_EOK);
}

/* The calls of both sides as one type: a pool is a pointer to a pool of either side. */
static const struct side
{
    const char *name;
    void *(*create)(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_size_t boundary);
    void *(*alloc)(void *pool, rt_ubase_t *dma_handle);
    void (*free)(void *pool, void *block, rt_ubase_t dma_handle);
    void (*destroy)(void *pool);
} sides[] =
{
    {
        "ours", our_create,
        (void *(*)(void *, rt_ubase_t *))rt_dma_block_pool_alloc,
        (void (*)(void *, void *, rt_ubase_t))rt_dma_block_pool_free,
        our_destroy,
    },
    {
        "baseline",
        (void *(*)(struct rt_device *, rt_size_t, rt_size_t, rt_size_t))in_band_create,
        (void *(*)(void *, rt_ubase_t *))in_band_alloc,
        (void (*)(void *, void *, rt_ubase_t))in_band_free,
        (void (*)(void *))in_band_destroy,
    },
};

static const struct shape
{
    const char *name;
    rt_size_t size, align, boundary;
} shapes[] =
{
    { "16", 16, 16, 0 },
    { "64", 64, 64, 0 },
    { "256", 256, 256, 0 },
    { "1024", 1024, 1024, 0 },
    { "4096", 4096, 4096, 0 },
    { "68/32/4096", 68, 32, 4096 },
};

static struct block
{
    void *va;
    rt_ubase_t handle;
} blocks[MOST];

/* The order in which the blocks of a round are freed. A round has LEAST << n allocations. */
static rt_uint32_t order[4][MOST];

static void first_to_last(rt_uint32_t *order, int count)
{
    for (int i = 0; i < count; ++i)
    {
        order[i] = i;
    }
}

static void last_to_first(rt_uint32_t *order, int count)
{
    for (int i = 0; i < count; ++i)
    {
        order[i] = count - 1 - i;
    }
}

static void shuffled(rt_uint32_t *order, int count)
{
    first_to_last(order, count);
    for (int i = count - 1; i > 0; --i)
    {
        int other = bench_random() % (i + 1);
        rt_uint32_t kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
}

static const struct order
{
    const char *name;
    void (*make)(rt_uint32_t *order, int count);
} orders[] =
{
    { "first-to-last", first_to_last },
    { "last-to-first", last_to_first },
    { "shuffled", shuffled },
};

static __attribute__((noinline)) long run_rounds(const struct side *side, void *pool)
{
    long pairs = 0;

    for (int round = 0; round < ROUNDS; ++round)
    {
        int count = LEAST << round % 4;

        for (int i = 0; i < count; ++i)
        {
            blocks[i].va = side->alloc(pool, &blocks[i].handle);
        }
        for (int i = 0; i < count; ++i)
        {
            struct block *block = &blocks[order[round % 4][i]];

            side->free(pool, block->va, block->handle);
        }
        pairs += count;
    }
    return pairs;
}

static void measure_order(const struct shape *shape, const struct order *by)
{
    long pairs;

    for (int i = 0; i < 4; ++i)
    {
        by->make(order[i], LEAST << i);
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sides); ++i)
    {
        void *pool = sides[i].create(&dev, shape->size, shape->align, shape->boundary);
        char name[64];

        MUST(pool);
        snprintf(name, sizeof(name), "%s %s %s", shape->name, by->name, sides[i].name);
        COUNT(name, pairs = run_rounds(&sides[i], pool));
        MUST(blocks[MOST - 1].va);
        sides[i].destroy(pool);
    }
    printf("blocks %s %s %ld\n", shape->name, by->name, pairs);
    fflush(stdout);
}

/* ---- the calls alone --------------------------------------------------------------------------------------------- */

static __attribute__((noipa)) void *no_alloc(void *pool, rt_ubase_t *dma_handle)
{
    RT_UNUSED(dma_handle);
    return pool;
}

static __attribute__((noipa)) void no_free(void *pool, void *block, rt_ubase_t dma_handle)
{
    RT_UNUSED(pool);
    RT_UNUSED(block);
    RT_UNUSED(dma_handle);
}

/* What a count contains beyond the calls; and three instructions: two of the allocation, one of the free. */
static const struct side none = { "none", RT_NULL, no_alloc, no_free, RT_NULL };

static void measure_calls(const struct shape *shape)
{
    const struct side *ours = &sides[0];
    void *pool = ours->create(&dev, shape->size, shape->align, shape->boundary);
    char name[64];
    long pairs;

    MUST(pool);
    for (int i = 0; i < 4; ++i)
    {
        first_to_last(order[i], LEAST << i);
    }
    run_rounds(ours, pool);     /* The pool gets its pages. */
    snprintf(name, sizeof(name), "%s ours", shape->name);
    COUNT(name, pairs = run_rounds(ours, pool));
    MUST(blocks[MOST - 1].va);
    snprintf(name, sizeof(name), "%s none", shape->name);
    COUNT(name, run_rounds(&none, pool));
    ours->destroy(pool);
    printf("pair %s %ld\n", shape->name, pairs);
    fflush(stdout);
}

/* ---- accesses ---------------------------------------------------------------------------------------------------- */

static struct { char *from, *to; } guarded[2];
static char *volatile opened;   /* the page that the last fault opened */
static volatile long faults;

/* Counts an access and permits it: this page stays accessible until the call returns. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    char *at = info->si_addr;

    RT_UNUSED(context);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(guarded); ++i)
    {
        if (at >= guarded[i].from && at < guarded[i].to && !opened)
        {
            ++faults;
            opened = (char *)RT_ALIGN_DOWN((rt_ubase_t)at, ARCH_PAGE_SIZE);
            mprotect(opened, ARCH_PAGE_SIZE, PROT_READ | PROT_WRITE);
            return;
        }
    }
    /* A fault of another kind, or a second page: the default action ends the program. */
    signal(number, SIG_DFL);
}

static void close_again(void)
{
    if (opened)
    {
        MUST(!mprotect(opened, ARCH_PAGE_SIZE, PROT_NONE));
        opened = RT_NULL;
    }
}

/* From here on, every access to the pool's two views is a fault. */
static void guard_pool(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    rt_ubase_t handle;
    void *cached = rt_dma_alloc(&dev, ARCH_PAGE_SIZE, &handle, 0);

    MUST(cached);
    guarded[0].from = (char *)cached - (handle - HOST_RAM);
    rt_dma_free(&dev, ARCH_PAGE_SIZE, cached, handle, 0);
    cached = rt_dma_alloc_coherent(&dev, ARCH_PAGE_SIZE, &handle);
    MUST(cached);
    guarded[1].from = (char *)cached - (handle - HOST_RAM);
    rt_dma_free_coherent(&dev, ARCH_PAGE_SIZE, cached, handle);
    MUST(guarded[0].from != guarded[1].from);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(guarded); ++i)
    {
        guarded[i].to = guarded[i].from + POOL_SIZE;
        MUST(!mprotect(guarded[i].from, POOL_SIZE, PROT_NONE));
    }
    MUST(!sigaction(SIGSEGV, &action, RT_NULL));
}

/* Grows the pool, allocates, and frees 1,024 blocks in a shuffled order, three times. */
static void measure_accesses(const struct shape *shape)
{
    shuffled(order[0], LEAST);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sides); ++i)
    {
        void *pool = sides[i].create(&dev, shape->size, shape->align, shape->boundary);
        long calls = 0;

        faults = 0;
        for (int round = 0; round < 3; ++round)
        {
            for (int at = 0; at < LEAST; ++at, ++calls)
            {
                blocks[at].va = sides[i].alloc(pool, &blocks[at].handle);
                MUST(blocks[at].va);
                close_again();
            }
            for (int at = 0; at < LEAST; ++at, ++calls)
            {
                sides[i].free(pool, blocks[order[0][at]].va, blocks[order[0][at]].handle);
                close_again();
            }
        }
        sides[i].destroy(pool);
        printf("touch %s %s %ld %ld\n", shape->name, sides[i].name, calls, faults);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    rt_region_t region = { HOST_RAM, HOST_RAM + POOL_SIZE, "bench" };

    MUST(argc == 2);
    host_start();
    MUST(rt_dma_pool_install(&region));
    if (!strcmp(argv[1], "touch"))
    {
        guard_pool();
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(shapes); ++i)
    {
        if (!strcmp(argv[1], "touch"))
        {
            measure_accesses(&shapes[i]);
            continue;
        }
        for (rt_size_t j = 0; j < RT_ARRAY_SIZE(orders); ++j)
        {
            measure_order(&shapes[i], &orders[j]);
        }
        measure_calls(&shapes[i]);
    }
    return 0;
}
