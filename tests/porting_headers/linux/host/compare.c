/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare count: instructions of a block's allocation and free, by this library and by Linux's own mm/dmapool.c, side by side
 * in one run under callgrind. compare time: nanoseconds of a pair, for one thread and for two at once.
 *
 * Lines: "pair SHAPE PAIRS", which callgrind counted under "SHAPE SIDE"; "time SHAPE SIDE THREADS NANOSECONDS".
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <rt_dma.h>
#include "kernel.h"
#include "bench.h"

struct dma_pool;
struct device;

/* Linux's functions. The names of the calls for the device are dmapool.c's. */
struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align, size_t boundary);
void dma_pool_destroy(struct dma_pool *pool);
void *dma_pool_alloc(struct dma_pool *pool, unsigned int flags, unsigned long *handle);
void dma_pool_free(struct dma_pool *pool, void *vaddr, unsigned long addr);
struct device *linux_device(void);

#define ROUNDS  100
#define TURNS   21

/* The shapes of mm/dmapool_test.c. */
static const struct shape
{
    const char *name;
    size_t size, align, boundary;
} shapes[] =
{
    { "16", 16, 16, 0 }, { "64", 64, 64, 0 }, { "256", 256, 256, 0 }, { "1024", 1024, 1024, 0 },
    { "4096", 4096, 4096, 0 }, { "68/32/4096", 68, 32, 4096 },
};

struct block
{
    void *va;
    unsigned long handle;
};

/* As in mm/dmapool_test.c. */
static int count_of(size_t size)
{
    int count = (int)(4096 / size * 512);

    return count < 1024 ? 1024 : count > 8192 ? 8192 : count;
}

static __attribute__((noinline)) void ours(void *pool, struct block *blocks, int count, int rounds)
{
    for (int round = 0; round < rounds; ++round)
    {
        for (int i = 0; i < count; ++i)
        {
            blocks[i].va = rt_dma_block_pool_alloc(pool, &blocks[i].handle);
        }
        for (int i = 0; i < count; ++i)
        {
            rt_dma_block_pool_free(pool, blocks[i].va, blocks[i].handle);
        }
    }
}

static __attribute__((noinline)) void linuxs(void *pool, struct block *blocks, int count, int rounds)
{
    for (int round = 0; round < rounds; ++round)
    {
        for (int i = 0; i < count; ++i)
        {
            blocks[i].va = dma_pool_alloc(pool, 0, &blocks[i].handle);
        }
        for (int i = 0; i < count; ++i)
        {
            dma_pool_free(pool, blocks[i].va, blocks[i].handle);
        }
    }
}

/* The same loops without the calls: what a count contains beyond them. */
static void *volatile no_pool;

static __attribute__((noipa)) void *no_alloc(void *pool, unsigned long *handle)
{
    *handle = 0;
    return pool;
}

static __attribute__((noipa)) void no_free(void *pool, void *va, unsigned long handle)
{
    (void)pool;
    (void)va;
    (void)handle;
}

static __attribute__((noinline)) void none(void *pool, struct block *blocks, int count, int rounds)
{
    for (int round = 0; round < rounds; ++round)
    {
        for (int i = 0; i < count; ++i)
        {
            blocks[i].va = no_alloc(pool, &blocks[i].handle);
        }
        for (int i = 0; i < count; ++i)
        {
            no_free(pool, blocks[i].va, blocks[i].handle);
        }
    }
}

typedef void (*side)(void *pool, struct block *blocks, int count, int rounds);

struct job
{
    side run;
    void *pool;
    int count;
    int rounds;
    struct block *blocks;
};

static void *run(void *argument)
{
    struct job *job = argument;

    job->run(job->pool, job->blocks, job->count, job->rounds);
    return NULL;
}

/* The nanoseconds of a pair, with `threads` threads at once. */
static double time_of(side run_side, void *pool, int count, int threads)
{
    struct job jobs[2];
    pthread_t ids[2];
    struct timespec start, end;
    double nanoseconds;

    for (int i = 0; i < threads; ++i)
    {
        jobs[i] = (struct job){ run_side, pool, count, ROUNDS, calloc(count, sizeof(struct block)) };
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < threads; ++i)
    {
        MUST(!pthread_create(&ids[i], NULL, run, &jobs[i]));
    }
    for (int i = 0; i < threads; ++i)
    {
        pthread_join(ids[i], NULL);
        free(jobs[i].blocks);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    nanoseconds = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
    return nanoseconds / ((double)count * ROUNDS);
}

/* Prints the least times of both sides. They take turns, so that what else the host does slows both. */
static void compare_times(const char *name, void *our_pool, void *linux_pool, int count, int threads)
{
    double least[2] = { 1e9, 1e9 };

    for (int turn = 0; turn < TURNS; ++turn)
    {
        double times[2] = { time_of(ours, our_pool, count, threads), time_of(linuxs, linux_pool, count, threads) };

        for (int side = 0; side < 2; ++side)
        {
            least[side] = times[side] < least[side] ? times[side] : least[side];
        }
    }
    printf("time %s ours %d %.1f\n", name, threads, least[0]);
    printf("time %s linux %d %.1f\n", name, threads, least[1]);
}

int main(int argc, char **argv)
{
    rt_region_t region = { HOST_RAM, HOST_RAM + (64UL << 20), "bench" };
    struct device *dev = linux_device();

    MUST(argc == 2);
    host_start();
    MUST(rt_dma_pool_install(&region));
    for (size_t i = 0; i < RT_ARRAY_SIZE(shapes); ++i)
    {
        const struct shape *shape = &shapes[i];
        int count = count_of(shape->size);
        struct block *blocks = calloc(2 * count, sizeof(*blocks));
        void *our_pool = rt_dma_block_pool_create("ours", (struct rt_device *)dev, shape->size, shape->align,
                shape->boundary);
        void *linux_pool = dma_pool_create("linux", dev, shape->size, shape->align, shape->boundary);

        MUST(our_pool && linux_pool);
        /* The pools get the pages for two threads: what is counted is their use. */
        ours(our_pool, blocks, 2 * count, 1);
        linuxs(linux_pool, blocks, 2 * count, 1);
        if (!strcmp(argv[1], "count"))
        {
            char names[3][64];

            snprintf(names[0], sizeof(names[0]), "%s ours", shape->name);
            snprintf(names[1], sizeof(names[1]), "%s linux", shape->name);
            snprintf(names[2], sizeof(names[2]), "%s none", shape->name);
            COUNT(names[0], ours(our_pool, blocks, count, ROUNDS));
            COUNT(names[1], linuxs(linux_pool, blocks, count, ROUNDS));
            COUNT(names[2], none(no_pool, blocks, count, ROUNDS));
            printf("pair %s %d\n", shape->name, count * ROUNDS);
        }
        else
        {
            for (int threads = 1; threads <= 2; ++threads)
            {
                compare_times(shape->name, our_pool, linux_pool, count, threads);
            }
        }
        fflush(stdout);
        free(blocks);
        dma_pool_destroy(linux_pool);
        MUST(rt_dma_block_pool_destroy(our_pool) == RT_EOK);
    }
    return 0;
}
