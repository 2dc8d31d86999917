/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages PAGES: instructions of rt_dma_alloc and rt_dma_free on one pool of that many pages, against bit_by_bit.c and
 * word_by_word.c, side by side in one run under callgrind. ../results.md explains the rows.
 *
 * Lines: "row PAGES FILL REQUEST OUTCOME FIT COUNTED": FIT is the first page of what a first fit takes, or "none";
 * COUNTED is how many turns callgrind counted for each side, under "PAGES FILL REQUEST OUTCOME SIDE".
 *
 * pages lock: instructions of the lock that the baselines take. Line: "lock COUNTED", and callgrind counts under
 * "lock".
 */
#include <string.h>

#include <mm_aspace.h>
#include "sides.h"

#define WARM_UP     4
#define COUNTED     16

static rt_size_t pages;
static unsigned char *want;     /* 1 for each page that is to be in use */

/* ---- fills ------------------------------------------------------------------------------------------------------- */

static void fill_empty(void)
{
    memset(want, 0, pages);
}

static void fill_random(void)
{
    for (rt_size_t page = 0; page < pages; ++page)
    {
        want[page] = bench_random() >> 31;
    }
}

static void fill_90_percent(void)
{
    memset(want, 0, pages);
    memset(want, 1, pages * 9 / 10);
}

static void fill_checkerboard(void)
{
    for (rt_size_t page = 0; page < pages; ++page)
    {
        want[page] = page % 2 == 0;
    }
}

/* Frees 61 pages of each 64. No fill keeps the scan by words longer, with a request of one page more. */
static void fill_gaps(void)
{
    for (rt_size_t page = 0; page < pages; ++page)
    {
        want[page] = page % 64 == 0 || page % 64 >= 62;
    }
}

struct fill
{
    const char *name;
    void (*fill)(void);
};

static const struct fill fills[] =
{
    { "empty", fill_empty },
    { "random", fill_random },
    { "90-percent", fill_90_percent },
    { "checkerboard", fill_checkerboard },
};
static const struct fill gaps = { "gaps", fill_gaps };

/* Returns the first page of the lowest run of `request` pages that are to be free, or `pages` if there is none. */
static rt_size_t fit(rt_size_t request)
{
    rt_size_t run = 0;

    for (rt_size_t page = 0; page < pages; ++page)
    {
        run = want[page] ? 0 : run + 1;
        if (run == request)
        {
            return page + 1 - request;
        }
    }
    return pages;
}

/* Breaks every free run of `request` pages or more, by marking single pages as used. */
static void break_runs(rt_size_t request)
{
    rt_size_t run = 0;

    for (rt_size_t page = 0; page < pages; ++page)
    {
        run = want[page] ? 0 : run + 1;
        if (run == request)
        {
            want[page] = 1;
            run = 0;
        }
    }
}

/* Brings all pools into the state `want`. The library's pool is changed by its calls, one page at a time. */
static void fill_pools(void)
{
    rt_ubase_t handle;

    while (rt_dma_alloc(&ours.dev, PAGE, &handle, 0))
    {
    }
    for (rt_size_t page = 0; page < pages; ++page)
    {
        handle = HOST_RAM + page * PAGE;
        if (!want[page])
        {
            rt_dma_free(&ours.dev, PAGE, (void *)(handle - PV_OFFSET), handle, 0);
        }
        MUST(rt_bitmap_test_bit(ours.pool->map, page) == want[page]);
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(baselines); ++i)
    {
        memcpy(baselines[i]->pool->map, ours.pool->map, RT_BITMAP_LEN(pages) * sizeof(rt_bitmap_t));
    }
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* Allocates and frees one buffer. */
static void pairs(struct side *side, rt_size_t size, int turns)
{
    rt_ubase_t handle;

    for (int turn = 0; turn < turns; ++turn)
    {
        void *buffer = side->alloc(&side->dev, size, &handle, 0);

        if (buffer)
        {
            side->free(&side->dev, size, buffer, handle, 0);
        }
    }
}

/* Allocates two buffers and frees them in the same order, so that no free is that of the newest buffer. */
static void crossed(struct side *side, rt_size_t size, int turns)
{
    rt_ubase_t first_handle, second_handle;

    for (int turn = 0; turn < turns; turn += 2)
    {
        void *first = side->alloc(&side->dev, size, &first_handle, 0);
        void *second = side->alloc(&side->dev, size, &second_handle, 0);

        side->free(&side->dev, size, first, first_handle, 0);
        if (second)
        {
            side->free(&side->dev, size, second, second_handle, 0);
        }
    }
}

/* Allocates and frees buffers of `size` bytes, `turns` times. */
typedef void make_turns(struct side *side, rt_size_t size, int turns);

static void count_turns(struct side *side, const char *row, make_turns *turns, rt_size_t size)
{
    char name[96];

    snprintf(name, sizeof(name), "%s %s", row, side->name);
    turns(side, size, WARM_UP);
    COUNT(name, turns(side, size, COUNTED));
}

static void measure_row(const char *fill, rt_size_t request, const char *outcome, make_turns *turns)
{
    rt_size_t expected = fit(request);
    char name[80], number[24] = "all+1";

    if (request <= pages)
    {
        snprintf(number, sizeof(number), "%lu", request);
    }
    snprintf(name, sizeof(name), "%lu %s %s %s", pages, fill, number, outcome);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sides); ++i)
    {
        rt_ubase_t handle;
        void *buffer = sides[i]->alloc(&sides[i]->dev, request * PAGE, &handle, 0);

        /* All sides must allocate the same pages. */
        MUST(expected == pages ? !buffer : handle == HOST_RAM + expected * PAGE);
        MUST(!buffer || (rt_ubase_t)buffer == handle - PV_OFFSET);
        if (buffer)
        {
            sides[i]->free(&sides[i]->dev, request * PAGE, buffer, handle, 0);
        }
        count_turns(sides[i], name, turns, request * PAGE);
    }
    if (expected == pages)
    {
        printf("row %s none %d\n", name, COUNTED);
    }
    else
    {
        printf("row %s %lu %d\n", name, expected, COUNTED);
    }
    fflush(stdout);
}

static void measure_fill(const struct fill *fill, rt_size_t request)
{
    fill->fill();
    if (fit(request) == pages)
    {
        memset(want + pages - request, 0, request);
    }
    fill_pools();
    measure_row(fill->name, request, "success", pairs);
    measure_row(fill->name, request, "crossed", crossed);
    if (fill->fill == fill_empty)
    {
        if (request == 1)
        {
            measure_row(fill->name, pages + 1, "failure", pairs);
        }
        return;
    }
    break_runs(request);
    fill_pools();
    measure_row(fill->name, request, "failure", pairs);
}

static void lock_and_unlock(struct rt_spinlock *lock, int turns)
{
    for (int turn = 0; turn < turns; ++turn)
    {
        rt_spin_unlock_irqrestore(lock, rt_spin_lock_irqsave(lock));
    }
}

int main(int argc, char **argv)
{
    static RT_DEFINE_SPINLOCK(lock);
    static const rt_size_t requests[] = { 1, 16, 256 };

    MUST(argc == 2);
    if (!strcmp(argv[1], "lock"))
    {
        host_start();
        COUNT("lock", lock_and_unlock(&lock, COUNTED));
        printf("lock %d\n", COUNTED);
        return 0;
    }
    pages = strtoul(argv[1], RT_NULL, 10);
    MUST(pages >= 512 && pages * PAGE <= HOST_RAM_SIZE);
    want = malloc(pages);
    MUST(want);
    install_all(pages);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(fills); ++i)
    {
        for (rt_size_t j = 0; j < RT_ARRAY_SIZE(requests); ++j)
        {
            measure_fill(&fills[i], requests[j]);
        }
    }
    measure_fill(&gaps, 62);
    return 0;
}
