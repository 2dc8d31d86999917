/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces PAGES: instructions of rt_dma_alloc and rt_dma_free over sequences as drivers produce them, on one pool of
 * that many pages, against bit_by_bit.c and word_by_word.c. See ../results.md for what the rows are.
 *
 * Lines: "trace PAGES NAME OPERATIONS": callgrind counted this number of calls for each side, under "PAGES NAME SIDE".
 *
 * A trace first runs on the scan by words, and the calls are recorded. Then all sides replay the recorded calls from
 * the same state.
 */
#include <string.h>

#include <mm_aspace.h>
#include "sides.h"

/* The longest part of a trace that is counted. */
#define MOST_OPERATIONS 4000

/* A buffer. */
struct buffer
{
    void *memory;
    rt_ubase_t handle;
    rt_size_t size;     /* in bytes */
};

/* One call. */
struct operation
{
    rt_size_t slot;     /* which of the buffers */
    rt_size_t size;     /* bytes to allocate; 0: the buffer is freed */
};

struct trace
{
    const char *name;
    rt_size_t (*request)(void);     /* pages of the next request */
    rt_size_t ring;                 /* buffers that live at a time, freed in the order of their allocation; or 0 */
    rt_size_t percent;              /* with ring 0: the share of the pool that is in use */
};

static rt_size_t pages;         /* of the pool */
static rt_size_t operations;    /* that are recorded and counted */
static struct buffer *buffers;
/* Indexes of `buffers`: first the `live` ones in use (with a ring in the order of allocation), then the others. */
static rt_size_t *slots;
static rt_size_t live;
static rt_size_t used;          /* pages */
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

static inline void perform(struct side *side, struct operation operation)
{
    struct buffer *buffer = &buffers[operation.slot];

    if (operation.size)
    {
        buffer->memory = side->alloc(&side->dev, operation.size, &buffer->handle, 0);
        buffer->size = operation.size;
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
    int allocates = trace->ring ? live < trace->ring : used * 100 < trace->percent * pages;

    if (allocates || !live)
    {
        next.slot = slots[live];
        next.size = trace->request() * PAGE;
        perform(side, next);
        /* If the pool is too fragmented for the request, the call fails. Failed calls are counted, too. */
        if (buffers[next.slot].memory)
        {
            ++live;
            used += next.size / PAGE;
        }
    }
    else
    {
        rt_size_t index = trace->ring ? 0 : bench_random() % live;

        next.slot = slots[index];
        used -= buffers[next.slot].size / PAGE;
        perform(side, next);
        --live;
        if (trace->ring)
        {
            memmove(slots, slots + 1, live * sizeof(*slots));
        }
        else
        {
            slots[index] = slots[live];
        }
        slots[live] = next.slot;
    }
    return next;
}

static __attribute__((noinline)) void replay(struct side *side)
{
    for (rt_size_t i = 0; i < operations; ++i)
    {
        perform(side, recorded[i]);
    }
}

static void measure_trace(const struct trace *trace)
{
    rt_size_t bytes = RT_BITMAP_LEN(pages) * sizeof(rt_bitmap_t);
    struct buffer *before = malloc(pages * sizeof(*before));
    rt_bitmap_t *map = malloc(bytes);

    MUST(before && map);
    live = used = 0;
    for (rt_size_t slot = 0; slot < pages; ++slot)
    {
        slots[slot] = slot;
    }
    /* The warm-up fills the pool as far as the trace does, and is four times as long as what is counted. */
    for (rt_size_t i = 0; i < 4 * operations || used * 100 < trace->percent * pages * 9 / 10; ++i)
    {
        step(&ours, trace);
    }
    memcpy(words.pool->map, ours.pool->map, bytes);
    memcpy(map, ours.pool->map, bytes);
    memcpy(before, buffers, pages * sizeof(*before));
    for (rt_size_t i = 0; i < operations; ++i)
    {
        recorded[i] = step(&words, trace);
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sides); ++i)
    {
        char name[96];

        /* The library's pool is in this state, and has bookkeeping of its own. */
        if (sides[i] != &ours)
        {
            memcpy(sides[i]->pool->map, map, bytes);
        }
        memcpy(buffers, before, pages * sizeof(*before));
        snprintf(name, sizeof(name), "%lu %s %s", pages, trace->name, sides[i]->name);
        COUNT(name, replay(sides[i]));
    }
    /* All sides must have allocated the same pages. */
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(baselines); ++i)
    {
        MUST(!memcmp(baselines[i]->pool->map, ours.pool->map, bytes));
    }
    printf("trace %lu %s %lu\n", pages, trace->name, operations);
    fflush(stdout);

    for (rt_size_t i = 0; i < live; ++i)
    {
        perform(&ours, (struct operation){ slots[i], 0 });
    }
    free(before);
    free(map);
}

int main(int argc, char **argv)
{
    MUST(argc == 2);
    pages = strtoul(argv[1], RT_NULL, 10);
    MUST(pages >= 512 && pages * PAGE <= HOST_RAM_SIZE);
    /* The walk over a large pool takes long. */
    operations = pages > 16384 ? 400 : MOST_OPERATIONS;
    buffers = malloc(pages * sizeof(*buffers));
    slots = malloc(pages * sizeof(*slots));
    MUST(buffers && slots);

    install_all(pages);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(traces); ++i)
    {
        measure_trace(&traces[i]);
    }
    for (rt_size_t word = 0; word < RT_BITMAP_LEN(pages); ++word)
    {
        MUST(!ours.pool->map[word]);
    }
    return 0;
}
