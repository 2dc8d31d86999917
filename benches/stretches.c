/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the msh command dma_bench: instructions of the longest stretch with interrupts masked, on pools of several
 * sizes.
 *
 * Lines: "stretch POOL NAME OVER LONGEST PAGES": the pages of the pool; the longest stretch less the 4 instructions
 * that each 64 pages of the request may cost, that stretch, and the pages of the request. "scan POOL LONGEST": that of
 * a first fit that scans the bitmap word by word.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include "baselines.h"
#include "dma_bench.h"

#define PAGE            ARCH_PAGE_SIZE
#define MOST_PAGES      262144UL
#define START           0x1000000000UL  /* No memory is there. Its buffers are never mapped or accessed. */
#define FLAGS           (RT_DMA_F_NOMAP | RT_DMA_F_DEVICE)

/* Called each time interrupts are on again. */
extern void (*volatile stand_in_between)(void);

static struct rt_device dev = { .parent.name = "stretches" };
static rt_size_t pages_of_pool;
/* What is counted for an empty section with interrupts masked. */
static rt_uint64_t empty_stretch;
static rt_uint32_t *lengths; /* the length of the allocation that begins at each page, 0 if none begins there */

static struct
{
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

/* Records the result of a request. Returns the first page, or pages_of_pool if the request failed. */
static rt_size_t taken(rt_size_t pages, const void *buffer, rt_ubase_t handle)
{
    judge(pages);
    if (!buffer)
    {
        return pages_of_pool;
    }
    lengths[(handle - START) / PAGE] = (rt_uint32_t)pages;
    return (handle - START) / PAGE;
}

static rt_size_t take(rt_size_t pages)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&dev, pages * PAGE, &handle, FLAGS);

    return taken(pages, buffer, handle);
}

/* Allocates pages whose first page is a multiple of the alignment. Returns the first page, or pages_of_pool. */
static rt_size_t take_aligned(rt_size_t pages, rt_size_t align)
{
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc_aligned(&dev, pages * PAGE, align * PAGE, &handle, FLAGS);

    return taken(pages, buffer, handle);
}

static void give(rt_size_t page)
{
    rt_ubase_t handle = START + page * PAGE;
    rt_size_t pages;

    RT_ASSERT(page < pages_of_pool);
    pages = lengths[page];
    lengths[page] = 0;
    rt_dma_free(&dev, pages * PAGE, (void *)handle, handle, FLAGS);
    judge(pages);
}

static void give_all(void)
{
    for (rt_size_t page = 0; page < pages_of_pool; ++page)
    {
        if (lengths[page])
        {
            give(page);
        }
    }
}

static rt_uint32_t random_state;

static rt_uint32_t random_below(rt_uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* Allocates and frees all kinds of sizes until the pool is fragmented. */
static void random_sizes(void)
{
    for (int step = 0; step < 60000; ++step)
    {
        rt_size_t page = random_below(pages_of_pool);

        if (step % 7000 < 4000)
        {
            take(1 + random_below(1U << random_below(12)));
            continue;
        }
        for (int tries = 0; tries < 4096 && !lengths[page]; ++tries)
        {
            page = (page + 1) % pages_of_pool;
        }
        if (lengths[page])
        {
            give(page);
        }
    }
}

/*
 * Allocates every page separately, and frees every second one. The pool then has the highest possible number of free
 * runs, each of one page.
 */
static void checkerboard(void)
{
    while (take(1) != pages_of_pool)
    {
    }
    for (rt_size_t page = 0; page < pages_of_pool; page += 2)
    {
        give(page);
    }
    for (int step = 0; step < 4000; ++step)
    {
        take(2);
        rt_size_t page = take(1);

        if (page != pages_of_pool && step % 2)
        {
            give(page);
        }
    }
}

/*
 * Around each boundary of the tree, where the two words that a call changes have nothing above them in common but the
 * top: runs grow and shrink across it, as the longest of all.
 */
static void boundaries(void)
{
    for (rt_size_t boundary = 64; boundary < pages_of_pool; boundary *= 4)
    {
        for (rt_size_t times = 1; times < 4; ++times)
        {
            static const int offsets[] = { -65, -64, -1, 0, 1, 63, 64 };

            for (rt_size_t i = 0; i < RT_ARRAY_SIZE(offsets); ++i)
            {
                rt_size_t at = boundary * times + (rt_size_t)offsets[i];
                rt_size_t low, middle, high, rest;

                if (boundary * times < 206 || at + 200 > pages_of_pool)
                {
                    continue;
                }
                low = take(at - 70);
                middle = take(70);
                high = take(37);
                rest = take(pages_of_pool - at - 37);
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
}

/* Each request takes almost all free pages. The buffers are freed in the reverse order. */
static void large(void)
{
    for (rt_size_t pages = pages_of_pool; pages > 64; pages -= pages / 7)
    {
        rt_size_t most = take(pages), left = take(pages_of_pool - pages), page;

        give(most);
        page = take(pages - 1);
        give(page);
        if (left != pages_of_pool)
        {
            give(left);
        }
    }
}

/*
 * Aligned requests examine one free run after the other: in a fragmented pool, and where the only fitting run is far
 * away.
 */
static void aligned(void)
{
    while (take(1 + random_below(8)) != pages_of_pool)
    {
    }
    for (rt_size_t page = 0; page < pages_of_pool; ++page)
    {
        if (lengths[page] && random_below(8))
        {
            give(page);
        }
    }
    for (int step = 0; step < 1000; ++step)
    {
        rt_size_t page = take_aligned(1 + random_below(48), 1U << random_below(10));

        if (page != pages_of_pool && step % 4 == 0)
        {
            give(page);
        }
    }
    give_all();
    for (rt_size_t pages = pages_of_pool - 300; pages; pages /= 4)
    {
        rt_size_t most = take(pages), single = take(1), rest = take(pages_of_pool - 200 - pages);
        rt_size_t far = take_aligned(70, 64);

        give(single);
        give(take_aligned(20, 16));
        give(far);
        give(rest);
        give(most);
    }
}

#define OTHERS 8

static struct
{
    void *buffer;
    rt_ubase_t handle;
    rt_size_t size;
} others[OTHERS];

static void give_other(rt_uint32_t at)
{
    if (others[at].buffer)
    {
        rt_dma_free(&dev, others[at].size, others[at].buffer, others[at].handle, FLAGS);
        others[at].buffer = RT_NULL;
    }
}

/* What an interrupt does between two stretches of another call: it leaves the map something to settle. */
static void disturb(void)
{
    static rt_uint32_t turn;
    rt_uint32_t at = turn++ * 5 % OTHERS;

    give_other(at);
    others[at].size = (1 + turn % 3) * PAGE;
    others[at].buffer = rt_dma_alloc(&dev, others[at].size, &others[at].handle, FLAGS);
}

/* A call that finds something to settle again after each step does the rest in one stretch after a while. */
static void patience(void)
{
    while (take(1 + random_below(64)) != pages_of_pool)
    {
    }
    for (rt_size_t page = 0; page < pages_of_pool; ++page)
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

        if (page != pages_of_pool && step % 4)
        {
            give(page);
        }
        if (other != pages_of_pool && step % 4 != 1)
        {
            give(other);
        }
    }
    stand_in_between = RT_NULL;
    for (rt_uint32_t at = 0; at < OTHERS; ++at)
    {
        give_other(at);
    }
}

/* A scenario runs once with each of this number of sequences. */
#define SEQUENCES 4

static const struct
{
    const char *name;
    void (*run)(void);
    int sequences;
} scenarios[] =
{
    { "boundaries", boundaries, 1 },
    { "large", large, 1 },
    { "random", random_sizes, SEQUENCES },
    { "checkerboard", checkerboard, 1 },
    { "aligned", aligned, SEQUENCES },
    { "patience", patience, SEQUENCES },
};

/* Runs all scenarios on a pool of that many pages, and prints the longest stretch of each. */
static void bench_pool(rt_size_t pages)
{
    rt_region_t region = { START, START + pages * PAGE, "stretches" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);

    RT_ASSERT(pool);
    pool->flags |= FLAGS;
    pool->dev = &dev;
    pages_of_pool = pages;
    take(1);
    give(0);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(scenarios); ++i)
    {
        worst.over = 0;
        for (int sequence = 0; sequence < scenarios[i].sequences; ++sequence)
        {
            random_state = 2463534242U + (rt_uint32_t)sequence;
            scenarios[i].run();
            give_all();
        }
        rt_kprintf("stretch %lu %s %lu %lu %lu\n", (unsigned long)pages, scenarios[i].name, (unsigned long)worst.over,
                (unsigned long)worst.longest, (unsigned long)worst.pages);
    }
    RT_ASSERT(rt_dma_pool_uninstall(pool) == RT_EOK);
}

/*
 * The longest search of word_by_word.c on a pool of that many pages: a request of 62 pages, where 61 pages of each 64
 * are free.
 */
static void bench_scan(struct rt_dma_pool *pool, rt_size_t pages)
{
    rt_ubase_t handle;

    pool->bits = pages;
    stand_in_longest_stretch = empty_stretch;
    RT_ASSERT(!word_by_word_alloc(&dev, 62 * PAGE, &handle, 0));
    rt_kprintf("scan %lu %lu\n", (unsigned long)pages, (unsigned long)(stand_in_longest_stretch - empty_stretch));
}

void bench_stretches(void)
{
    static const rt_size_t sizes[] = { 512, 2048, 6144, 16384, MOST_PAGES };
    rt_region_t region = { START, START + MOST_PAGES * PAGE, "scan" };
    struct rt_dma_pool *scanned = word_by_word_install(&region);

    stand_in_longest_stretch = 1;
    rt_hw_local_irq_enable(rt_hw_local_irq_disable());
    empty_stretch = stand_in_longest_stretch;

    lengths = rt_calloc(MOST_PAGES, sizeof(*lengths));
    RT_ASSERT(lengths);
    for (rt_size_t word = 0; word < RT_BITMAP_LEN(MOST_PAGES); ++word)
    {
        scanned->map[word] = 0xc000000000000001UL;
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes); ++i)
    {
        bench_pool(sizes[i]);
        bench_scan(scanned, sizes[i]);
    }
    rt_free(lengths);
}
