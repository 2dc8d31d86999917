/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces PAGES: instructions of rt_dma_alloc and rt_dma_free over sequences as drivers produce them, on one pool of that
 * many pages, against bit_by_bit.c. See ../results.md for what the rows are.
 *
 * Lines: "trace PAGES NAME OPERATIONS": callgrind counted so many calls for each side, under "PAGES NAME SIDE".
 *
 * A trace is run once on the baseline, which writes down what it does; then both sides replay that from the same state.
 */
#include <string.h>

#include <mm_aspace.h>
#include "sides.h"

/* The longest part of a trace that is counted. */
#define MOST_OPERATIONS 4000

/* A buffer that is in use. */
struct buffer
{
    void *memory;
    rt_ubase_t handle;
    rt_size_t size;     /* in bytes; 0: the allocation failed */
};

/* One call. */
struct operation
{
    rt_size_t slot;     /* which buffer */
    rt_size_t size;     /* bytes to allocate; 0: the buffer is freed */
};

struct trace
{
    const char *name;
    rt_size_t (*request)(void);     /* pages of the next request */
    rt_size_t ring;                 /* buffers that live at a time, freed in the order of their allocation; or 0 */
    rt_size_t percent;              /* with ring 0: the share of the pool that is in use */
};

static rt_size_t pages, operations;
static struct buffer *live;         /* the buffers in use, at [0, lives) */
static rt_size_t lives, oldest, used;
static struct operation recorded[MOST_OPERATIONS];

static rt_size_t one_page(void)
{
    return 1;
}

static rt_size_t two_pages(void)
{
    return 2;
}

/* 60 % one page, 20 % two, 10 % four, 7 % sixteen, 3 % one to 64. */
static rt_size_t mixed_pages(void)
{
    rt_uint32_t share = bench_random() % 100;

    if (share < 60)
    {
        return 1;
    }
    if (share < 80)
    {
        return 2;
    }
    if (share < 90)
    {
        return 4;
    }
    return share < 97 ? 16 : 1 + bench_random() % 64;
}

static const struct trace traces[] =
{
    { "one-page,fifo,16", one_page, 16, 0 },
    { "two-pages,fifo,64", two_pages, 64, 0 },
    { "one-page,random,50%", one_page, 0, 50 },
    { "mixed,random,25%", mixed_pages, 0, 25 },
    { "mixed,random,50%", mixed_pages, 0, 50 },
    { "mixed,random,90%", mixed_pages, 0, 90 },
};

static void perform(struct side *side, struct operation operation)
{
    struct buffer *buffer = &live[operation.slot];

    if (operation.size)
    {
        buffer->memory = side->alloc(&side->dev, operation.size, &buffer->handle, 0);
        buffer->size = buffer->memory ? operation.size : 0;
    }
    else
    {
        side->free(&side->dev, buffer->size, buffer->memory, buffer->handle, 0);
    }
}

/* Decides what comes next, and does it. */
static struct operation step(struct side *side, const struct trace *trace)
{
    struct operation next = { 0, 0 };
    int allocates = trace->ring ? lives < trace->ring : used * 100 < trace->percent * pages;

    if (allocates || !lives)
    {
        next.slot = trace->ring ? (oldest + lives) % trace->ring : lives;
        next.size = trace->request() * PAGE;
        perform(side, next);
        if (live[next.slot].size)
        {
            ++lives;
            used += next.size / PAGE;
            return next;
        }
        /* The pool is too fragmented for this request: the failed call counts, and a buffer goes next time. */
        MUST(lives);
        return next;
    }
    next.slot = trace->ring ? oldest : bench_random() % lives;
    used -= live[next.slot].size / PAGE;
    perform(side, next);
    --lives;
    if (trace->ring)
    {
        oldest = (oldest + 1) % trace->ring;
    }
    else
    {
        live[next.slot] = live[lives];
    }
    return next;
}

/* Does again what was recorded. As then, the last buffer takes the place of one that goes. */
static void replay(struct side *side, const struct trace *trace)
{
    for (rt_size_t i = 0; i < operations; ++i)
    {
        perform(side, recorded[i]);
        if (recorded[i].size)
        {
            lives += live[recorded[i].slot].size != 0;
        }
        else
        {
            --lives;
            if (!trace->ring)
            {
                live[recorded[i].slot] = live[lives];
            }
        }
    }
}

static void count(struct side *side, const struct trace *trace)
{
    char name[96];

    snprintf(name, sizeof(name), "%lu %s %s", pages, trace->name, side->name);
    COUNT(name, replay(side, trace));
}

static void free_all(struct side *side, const struct trace *trace)
{
    for (rt_size_t i = 0; i < lives; ++i)
    {
        perform(side, (struct operation){ trace->ring ? (oldest + i) % trace->ring : i, 0 });
    }
}

static void row(const struct trace *trace)
{
    rt_size_t words = RT_BITMAP_LEN(pages) * sizeof(rt_bitmap_t);
    struct buffer *buffers = malloc(pages * sizeof(*buffers));
    rt_bitmap_t *map = malloc(words);
    rt_size_t lives_before;

    MUST(buffers && map);
    lives = oldest = used = 0;
    /* The warm-up fills the pool as far as the trace does, and is four times as long as what is counted. */
    for (rt_size_t i = 0; i < 4 * operations || used * 100 < trace->percent * pages * 9 / 10; ++i)
    {
        step(&ours, trace);
    }
    memcpy(baseline.pool->map, ours.pool->map, words);
    memcpy(map, ours.pool->map, words);
    memcpy(buffers, live, pages * sizeof(*buffers));
    lives_before = lives;

    for (rt_size_t i = 0; i < operations; ++i)
    {
        recorded[i] = step(&baseline, trace);
    }
    memcpy(baseline.pool->map, map, words);
    memcpy(live, buffers, pages * sizeof(*buffers));
    lives = lives_before;
    count(&baseline, trace);
    memcpy(live, buffers, pages * sizeof(*buffers));
    lives = lives_before;
    count(&ours, trace);
    /* Both took the same pages. */
    MUST(!memcmp(baseline.pool->map, ours.pool->map, words));
    printf("trace %lu %s %lu\n", pages, trace->name, operations);
    fflush(stdout);

    free_all(&ours, trace);
    free(buffers);
    free(map);
}

int main(int argc, char **argv)
{
    MUST(argc == 2);
    pages = strtoul(argv[1], RT_NULL, 10);
    MUST(pages >= 512 && pages * PAGE <= HOST_RAM_SIZE);
    /* The walk over a large pool takes long. */
    operations = pages > 16384 ? 400 : MOST_OPERATIONS;
    live = malloc(pages * sizeof(*live));
    MUST(live);

    install_both(pages);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(traces); ++i)
    {
        row(&traces[i]);
    }
    for (rt_size_t word = 0; word < RT_BITMAP_LEN(pages); ++word)
    {
        MUST(!ours.pool->map[word]);
    }
    return 0;
}
