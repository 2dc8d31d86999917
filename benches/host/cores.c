/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cores PAIRS: how much two cores do together, against one alone, when both allocate and free at the same time.
 *
 * A pair is two slices of time, one after the other: in the first one core works, in the second both do. Both are taken
 * at a real-time priority, where the system allows it, and a pair counts only if no other program took a core
 * meanwhile. So the ratio of a pair does not depend on what else the machine does.
 *
 * Lines: "cores NAME MEDIAN LOWER UPPER COUNTED ALONE TOGETHER". The ratio of the two slices' operations, as its median
 * and quartiles in thousandths; how many pairs count; and the medians of nanoseconds an operation takes one core, alone
 * and together with the other. The difference is what it waits: for the lock, and for cache lines that the other core
 * has.
 *
 * NAME is
 *   nothing-shared   a loop over memory of the core's own: what this machine can do;
 *   one-pool         one page of one pool;
 *   two-pools        one page, each core of its device's own pool;
 *   one-block-pool   a block of 64 bytes of one pool;
 *   block-rings      a ring of blocks of one pool for each core, in groups of its own at first: frees the oldest, and
 *                    allocates another;
 *   two-block-pools  a block of 64 bytes, each core of a pool of its own.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <rt_dma.h>

#include "kernel.h"
#include "bench.h"

#define CORES       2
#define SLICE       2000000L        /* nanoseconds */
#define START       200000L         /* nanoseconds from the order to the start of a slice */
#define BATCH       32              /* operations between two looks at the clock */
#define MOST_PAIRS  1001
#define TRIES       20              /* for each pair that is wanted */
#define RING        256             /* blocks of a core, a multiple of a group's */
#define POOL_SIZE   (4UL << 20)
#define LEAST_SHARE 95              /* percent of a slice that a core must have worked */

struct core
{
    struct rt_device dev;
    struct rt_dma_block_pool *blocks, *own_blocks;
    rt_size_t seed;
    struct { void *block; rt_ubase_t handle; } ring[RING];
    rt_size_t oldest;
    /* Of the last slice. */
    int takes_part;
    long operations;
    int is_whole;
} __attribute__((aligned(256)));

struct operation
{
    const char *name;
    void (*run)(struct core *core);
};

static struct core cores[CORES];
static const struct operation *measured;
static long begin;
static int is_over;
static pthread_barrier_t slice_begins, slice_ends;

/* ---- one operation each ------------------------------------------------------------------------------------------ */

static void compute(struct core *core)
{
    for (int i = 0; i < 64; ++i)
    {
        core->seed = core->seed * 6364136223846793005UL + 1442695040888963407UL;
    }
}

static void use_page(struct core *core)
{
    rt_ubase_t handle;
    void *memory = rt_dma_alloc(&core->dev, ARCH_PAGE_SIZE, &handle, 0);

    MUST(memory);
    rt_dma_free(&core->dev, ARCH_PAGE_SIZE, memory, handle, 0);
}

static void use_own_page(struct core *core)
{
    rt_ubase_t handle;
    void *memory = rt_dma_alloc(&core->dev, ARCH_PAGE_SIZE, &handle, RT_DMA_F_DEVICE);

    MUST(memory);
    rt_dma_free(&core->dev, ARCH_PAGE_SIZE, memory, handle, RT_DMA_F_DEVICE);
}

static void use_block_of(struct rt_dma_block_pool *pool)
{
    rt_ubase_t handle;
    void *block = rt_dma_block_pool_alloc(pool, &handle);

    MUST(block);
    rt_dma_block_pool_free(pool, block, handle);
}

static void use_block(struct core *core)
{
    use_block_of(core->blocks);
}

static void turn_ring(struct core *core)
{
    rt_size_t at = core->oldest++ % RING;

    rt_dma_block_pool_free(core->blocks, core->ring[at].block, core->ring[at].handle);
    core->ring[at].block = rt_dma_block_pool_alloc(core->blocks, &core->ring[at].handle);
    MUST(core->ring[at].block);
}

static void use_own_block(struct core *core)
{
    use_block_of(core->own_blocks);
}

static const struct operation all_operations[] =
{
    { "nothing-shared", compute },
    { "one-pool", use_page },
    { "two-pools", use_own_page },
    { "one-block-pool", use_block },
    { "block-rings", turn_ring },
    { "two-block-pools", use_own_block },
};

/* ---- slices ------------------------------------------------------------------------------------------------------ */

static long now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

/* Works from `begin` on for a slice. It is whole if the core began in time, and no other program had it. */
static void work(struct core *core)
{
    long start, end, on_core;

    while ((start = now(CLOCK_MONOTONIC)) < begin)
    {
    }
    on_core = now(CLOCK_THREAD_CPUTIME_ID);
    core->operations = 0;
    do
    {
        for (int i = 0; i < BATCH; ++i)
        {
            measured->run(core);
        }
        core->operations += BATCH;
        end = now(CLOCK_MONOTONIC);
    } while (end < begin + SLICE);
    on_core = now(CLOCK_THREAD_CPUTIME_ID) - on_core;
    core->is_whole = on_core * 100 >= SLICE * LEAST_SHARE && start - begin < SLICE * (100 - LEAST_SHARE) / 100
        && end - start < SLICE + SLICE * (100 - LEAST_SHARE) / 100;
}

static void *run_core(void *argument)
{
    struct core *core = argument;
    struct sched_param priority = { .sched_priority = 1 };
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core - cores, &set);
    MUST(pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0);
    /* Without it, fewer pairs count. */
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
    for (;;)
    {
        pthread_barrier_wait(&slice_begins);
        if (is_over)
        {
            return NULL;
        }
        if (core->takes_part)
        {
            work(core);
        }
        pthread_barrier_wait(&slice_ends);
    }
}

/* One slice of the first `count` cores. Returns their operations together, or 0 if a core's slice is not whole. */
static long slice(int count)
{
    long operations = 0;

    for (int i = 0; i < CORES; ++i)
    {
        cores[i].takes_part = i < count;
    }
    begin = now(CLOCK_MONOTONIC) + START;
    pthread_barrier_wait(&slice_begins);
    pthread_barrier_wait(&slice_ends);
    for (int i = 0; i < count; ++i)
    {
        if (!cores[i].is_whole)
        {
            return 0;
        }
        operations += cores[i].operations;
    }
    return operations;
}

static int compare_longs(const void *a, const void *b)
{
    long first = *(const long *)a, second = *(const long *)b;

    return (first > second) - (first < second);
}

static void measure(int wanted)
{
    static long ratios[MOST_PAIRS], alone[MOST_PAIRS], together[MOST_PAIRS];
    int counted = 0;

    slice(CORES); /* the first touch of everything */
    for (int tries = 0; counted < wanted && tries < wanted * TRIES; ++tries)
    {
        long one = slice(1), both = one ? slice(CORES) : 0;

        if (both)
        {
            ratios[counted] = both * 1000 / one;
            alone[counted] = SLICE * 10 / one;
            together[counted] = SLICE * 10 * CORES / both;
            ++counted;
        }
    }
    MUST(counted);
    qsort(ratios, counted, sizeof(*ratios), compare_longs);
    qsort(alone, counted, sizeof(*alone), compare_longs);
    qsort(together, counted, sizeof(*together), compare_longs);
    printf("cores %s %ld %ld %ld %d %ld.%ld %ld.%ld\n", measured->name, ratios[counted / 2], ratios[counted / 4],
            ratios[counted * 3 / 4], counted, alone[counted / 2] / 10, alone[counted / 2] % 10,
            together[counted / 2] / 10, together[counted / 2] % 10);
    fflush(stdout);
}

/* ---- the pools --------------------------------------------------------------------------------------------------- */

static void install(void)
{
    rt_region_t shared = { HOST_RAM, HOST_RAM + POOL_SIZE, "shared" };
    struct rt_dma_block_pool *blocks;

    host_start();
    MUST(rt_dma_pool_install(&shared));
    for (int i = 0; i < CORES; ++i)
    {
        rt_region_t own = { HOST_RAM + (i + 1) * POOL_SIZE, HOST_RAM + (i + 2) * POOL_SIZE, "own" };
        struct rt_dma_pool *pool = rt_dma_pool_install(&own);

        MUST(pool);
        strcpy(cores[i].dev.parent.name, "core");
        cores[i].seed = i;
        pool->flags |= RT_DMA_F_DEVICE;
        pool->dev = &cores[i].dev;
    }
    blocks = rt_dma_block_pool_create("shared", &cores[0].dev, 64, 64, 0);
    for (int i = 0; i < CORES; ++i)
    {
        cores[i].blocks = blocks;
        cores[i].own_blocks = rt_dma_block_pool_create("own", &cores[i].dev, 64, 64, 0);
        MUST(blocks && cores[i].own_blocks);
        /* The first call of a device chooses its operations, that of a block pool allocates pages. */
        use_page(&cores[i]);
        use_own_page(&cores[i]);
        use_block(&cores[i]);
        use_own_block(&cores[i]);
        for (int at = 0; at < RING; ++at)
        {
            cores[i].ring[at].block = rt_dma_block_pool_alloc(blocks, &cores[i].ring[at].handle);
            MUST(cores[i].ring[at].block);
        }
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[CORES];
    int pairs = argc == 2 ? atoi(argv[1]) : 0;

    MUST(pairs > 0 && pairs <= MOST_PAIRS);
    install();
    pthread_barrier_init(&slice_begins, NULL, CORES + 1);
    pthread_barrier_init(&slice_ends, NULL, CORES + 1);
    for (int i = 0; i < CORES; ++i)
    {
        MUST(pthread_create(&threads[i], NULL, run_core, &cores[i]) == 0);
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(all_operations); ++i)
    {
        measured = &all_operations[i];
        measure(pairs);
    }
    is_over = 1;
    pthread_barrier_wait(&slice_begins);
    for (int i = 0; i < CORES; ++i)
    {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
