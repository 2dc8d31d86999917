/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command dma_smoke uses the DMA memory interface as drivers do. It prints one line for each check:
 * "PASS name" or "FAIL name: why", and at the end "dma_smoke: N passed, M failed".
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"

#define PAGE        ARCH_PAGE_SIZE
#define COHERENT    (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

static struct rt_device dev = { .parent.name = "dma_smoke" };

struct buffer
{
    void *va;
    rt_ubase_t handle;
    rt_size_t size;
    rt_ubase_t flags;
};

static struct buffer *buffers;
static rt_size_t buffer_count, buffer_max;

/* ---- text, checksums and buffers -------------------------------------------------------------------------------- */

const char *why(const char *fmt, ...)
{
    static char text[160];
    va_list args;

    va_start(args, fmt);
    rt_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return text;
}

rt_uint32_t checksum_add(rt_uint32_t sum, rt_uint8_t byte)
{
    return (sum ^ byte) * 16777619U;
}

rt_uint32_t checksum(const void *data, rt_size_t size)
{
    rt_uint32_t sum = CHECKSUM_START;

    for (rt_size_t i = 0; i < size; ++i)
    {
        sum = checksum_add(sum, ((const volatile rt_uint8_t *)data)[i]);
    }
    return sum;
}

static rt_uint32_t next_random(rt_uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int expected_memory(rt_ubase_t flags)
{
    if (flags & RT_DMA_F_NOCACHE)
    {
        return STAND_IN_DEVICE;
    }
#ifdef RT_DMA_F_WT
    if (flags & RT_DMA_F_WT)
    {
        return STAND_IN_NONCACHED;
    }
#endif
    return STAND_IN_CACHED;
}

/* Checks that every page of the buffer lies at its handle and has the memory type of the buffer's flags. */
static const char *check_pages(const struct buffer *b)
{
    for (rt_size_t at = 0; at < b->size; at += PAGE)
    {
        char *va = (char *)b->va + at;
        int memory = stand_in_memory_type(va);

        if ((rt_ubase_t)stand_in_v2p(va) != b->handle + at)
        {
            return why("flags 0x%lx: %p leads to 0x%lx, the handle says 0x%lx", b->flags, (void *)va,
                    (rt_ubase_t)stand_in_v2p(va), b->handle + at);
        }
        if (memory != expected_memory(b->flags))
        {
            return why("flags 0x%lx: %p is of memory type %d, not %d", b->flags, (void *)va, memory,
                    expected_memory(b->flags));
        }
    }
    return RT_NULL;
}

static rt_bool_t alloc_one(struct buffer *b, rt_size_t size, rt_ubase_t flags)
{
    b->size = size;
    b->flags = flags;
    b->va = rt_dma_alloc(&dev, size, &b->handle, flags);
    return b->va != RT_NULL;
}

static void free_one(const struct buffer *b)
{
    rt_dma_free(&dev, b->size, b->va, b->handle, b->flags);
}

/* Writes a word that identifies the owner to both ends of every page. */
static void stamp(const struct buffer *b, rt_uint32_t seed)
{
    for (rt_size_t at = 0; at < b->size; at += PAGE)
    {
        volatile rt_uint32_t *page = (volatile rt_uint32_t *)((char *)b->va + at);

        page[0] = (rt_uint32_t)((b->handle + at) >> 12) ^ seed;
        page[PAGE / 4 - 1] = ~page[0];
    }
}

static rt_bool_t stamped(const struct buffer *b, rt_uint32_t seed)
{
    for (rt_size_t at = 0; at < b->size; at += PAGE)
    {
        volatile rt_uint32_t *page = (volatile rt_uint32_t *)((char *)b->va + at);
        rt_uint32_t word = (rt_uint32_t)((b->handle + at) >> 12) ^ seed;

        if (page[0] != word || page[PAGE / 4 - 1] != ~word)
        {
            return RT_FALSE;
        }
    }
    return RT_TRUE;
}

static void free_all(rt_uint32_t seed)
{
    /* Frees the buffers in a pseudo-random order. */
    while (buffer_count)
    {
        rt_size_t i = next_random(&seed) % buffer_count;

        free_one(&buffers[i]);
        buffers[i] = buffers[--buffer_count];
    }
}

/* ---- allocation to exhaustion ----------------------------------------------------------------------------------- */

/* Checks that every page of the two pools was handed out exactly once: the handles cover one run without overlap. */
static const char *check_tiling(void)
{
    rt_ubase_t first = ~0UL;
    rt_size_t pages = stand_in_cma_size() / PAGE, seen = 0;
    rt_uint8_t *owners = rt_calloc(1, pages);
    const char *error = owners ? RT_NULL : "no heap for the list of owners";

    for (rt_size_t i = 0; i < buffer_count; ++i)
    {
        first = buffers[i].handle < first ? buffers[i].handle : first;
    }
    for (rt_size_t i = 0; i < buffer_count && !error; ++i)
    {
        for (rt_size_t at = 0; at < buffers[i].size && !error; at += PAGE, ++seen)
        {
            rt_size_t page = (buffers[i].handle + at - first) / PAGE;

            if ((buffers[i].handle + at) % PAGE || page >= pages || owners[page]++)
            {
                error = why("page 0x%lx was handed out twice, or is none of the pools'", buffers[i].handle + at);
            }
        }
    }
    rt_free(owners);
    if (!error && seen != pages)
    {
        error = why("%lu pages of %lu were handed out", (unsigned long)seen, (unsigned long)pages);
    }
    return error;
}

static const char *exhaust(rt_ubase_t flags, rt_size_t largest, rt_uint32_t seed)
{
    const char *error = RT_NULL;
    rt_uint32_t state = seed;

    /* Each buffer has up to `largest` pages. When a request fails, single pages follow. */
    while (buffer_count < buffer_max)
    {
        rt_size_t pages = largest > 1 ? next_random(&state) % largest + 1 : 1;

        if (!alloc_one(&buffers[buffer_count], pages * PAGE, flags))
        {
            if (pages == 1)
            {
                break;
            }
            largest = 1;
            continue;
        }
        error = check_pages(&buffers[buffer_count++]);
        if (error)
        {
            goto done;
        }
        stamp(&buffers[buffer_count - 1], seed);
    }
    error = check_tiling();
    for (rt_size_t i = 0; i < buffer_count && !error; ++i)
    {
        if (!stamped(&buffers[i], seed))
        {
            error = why("the buffer at 0x%lx was overwritten", buffers[i].handle);
        }
    }
done:
    free_all(seed);
    return error;
}

static const char *check_pages_cached(void)
{
    return exhaust(0, 1, 1);
}

static const char *check_pages_coherent(void)
{
    return exhaust(COHERENT, 1, 2);
}

static const char *check_mixed_cached(void)
{
    return exhaust(0, 24, 3);
}

static const char *check_mixed_coherent(void)
{
    return exhaust(COHERENT, 24, 4);
}

/* Allocates each pool as one buffer, which succeeds only if every page is free. Pools serve in install order. */
static const char *take_whole(rt_ubase_t flags)
{
    rt_size_t coherent = stand_in_coherent_size(), rest = stand_in_cma_size() - coherent;
    rt_size_t sizes[2] = { coherent, rest };
    struct buffer more;
    const char *error = RT_NULL;

    for (int i = 0; i < 2 && !error; ++i)
    {
        struct buffer *b = &buffers[buffer_count];

        if (!sizes[i])
        {
            continue;
        }
        if (!alloc_one(b, sizes[i], flags))
        {
            error = why("flags 0x%lx: no %lu bytes in one piece", flags, (unsigned long)sizes[i]);
            break;
        }
        ++buffer_count;
        error = check_pages(b);
        if (!error)
        {
            stamp(b, 5);
        }
    }
    if (!error && alloc_one(&more, PAGE, flags))
    {
        free_one(&more);
        error = "a full pool gave one more page";
    }
    for (rt_size_t i = 0; i < buffer_count && !error; ++i)
    {
        error = stamped(&buffers[i], 5) ? RT_NULL : "a whole pool was overwritten by the other";
    }
    free_all(5);
    return error;
}

static const char *check_whole(void)
{
    const char *error = take_whole(0);

    if (!error)
    {
        error = take_whole(COHERENT);
    }
#ifdef RT_DMA_F_WT
    if (!error)
    {
        error = take_whole(RT_DMA_F_WT);
    }
#endif
    return error;
}

/* ---- mappings --------------------------------------------------------------------------------------------------- */

static const char *check_memory_type(rt_ubase_t flags)
{
    static const rt_size_t sizes[] = { 1, PAGE, 3 * PAGE + 5, 64 * 1024, 1024 * 1024 };
    const char *error = RT_NULL;

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes) && !error; ++i)
    {
        struct buffer b;

        if (sizes[i] > stand_in_cma_size() / 2)
        {
            break; /* a larger buffer may not fit in either pool */
        }
        if (!alloc_one(&b, sizes[i], flags))
        {
            return why("no buffer of %lu bytes", (unsigned long)sizes[i]);
        }
        error = check_pages(&b);
        free_one(&b);
    }
    return error;
}

static const char *check_type_cached(void)
{
    return check_memory_type(0);
}

static const char *check_type_uncached(void)
{
    return check_memory_type(COHERENT);
}

#ifdef RT_DMA_F_WT
static const char *check_type_write_through(void)
{
    return check_memory_type(RT_DMA_F_WT);
}
#endif

/* Allocates cached and uncached buffers by turns: dirty lines of a freed buffer must not overwrite the next buffer. */
static const char *check_alias(void)
{
    for (rt_uint32_t round = 0; round < 64; ++round)
    {
        struct buffer b;

        if (!alloc_one(&b, 4 * PAGE, round & 1 ? COHERENT : 0))
        {
            return "no buffer";
        }
        stamp(&b, round);
        if (!stamped(&b, round))
        {
            free_one(&b);
            return why("round %u: the buffer does not hold what was written", (unsigned)round);
        }
        free_one(&b);
    }
    return RT_NULL;
}

#define PAIRS 5000

/* Allocates and frees more coherent buffers than exhaust the ioremap window if each of them leaks its mapping. */
static const char *check_leak(void)
{
    struct buffer b;
    rt_size_t before;

    if (!alloc_one(&b, 64 * 1024, COHERENT))
    {
        return "no buffer";
    }
    free_one(&b);
    before = stand_in_heap_used();
    for (int i = 0; i < PAIRS; ++i)
    {
        if (!alloc_one(&b, 64 * 1024, COHERENT))
        {
            return why("pair %d fails", i);
        }
        free_one(&b);
    }
    if (stand_in_heap_used() != before)
    {
        return why("the heap grew from %lu to %lu bytes", (unsigned long)before, (unsigned long)stand_in_heap_used());
    }
    return RT_NULL;
}

/* ---- two cores and an interrupt --------------------------------------------------------------------------------- */

#define RACE_TICKS  (2 * RT_TICK_PER_SECOND)
#define RACE_HELD   8
#define RACE_PAGES  40  /* fewer than the racers would hold */

struct racer
{
    const char *name;
    rt_uint32_t state;
    rt_size_t turns, refused;
    struct buffer held[RACE_HELD];
    const char *volatile error;
    volatile int done;
};

static rt_uint32_t *race_owner; /* the owner of each page, 0 if it is free */
static rt_ubase_t race_first;
static volatile int race_stop;

static rt_bool_t race_own(const struct buffer *b, rt_uint32_t from, rt_uint32_t to)
{
    for (rt_size_t at = 0; at < b->size; at += PAGE)
    {
        rt_size_t page = (b->handle + at - race_first) / PAGE;

        if (page >= stand_in_cma_size() / PAGE || __atomic_exchange_n(&race_owner[page], to, __ATOMIC_ACQ_REL) != from)
        {
            return RT_FALSE;
        }
    }
    return RT_TRUE;
}

/* Frees one of the racer's buffers, or allocates a new one. */
static void race_turn(struct racer *r, rt_uint8_t id)
{
    struct buffer *b = &r->held[next_random(&r->state) % RACE_HELD];

    if (r->error)
    {
        return;
    }
    if (b->va)
    {
        if (!stamped(b, id))
        {
            r->error = "a buffer was overwritten";
        }
        else if (!race_own(b, id, 0))
        {
            r->error = "a buffer had two owners";
        }
        free_one(b);
        b->va = RT_NULL;
        ++r->turns;
    }
    else if (!alloc_one(b, (next_random(&r->state) % 6 + 1) * PAGE, next_random(&r->state) & 1 ? COHERENT : 0))
    {
        ++r->refused;
    }
    else
    {
        if (!race_own(b, 0, id))
        {
            r->error = "a page was handed out twice";
        }
        stamp(b, id);
    }
}

static void race_end(struct racer *r, rt_uint8_t id)
{
    for (int i = 0; i < RACE_HELD; ++i)
    {
        if (r->held[i].va)
        {
            if (!stamped(&r->held[i], id) || !race_own(&r->held[i], id, 0))
            {
                r->error = "a buffer was overwritten or had two owners";
            }
            free_one(&r->held[i]);
        }
    }
}

static void race_interrupt(void *parameter)
{
    race_turn(parameter, 3);
}

static void race_thread(void *parameter)
{
    struct racer *r = parameter;

    while (!race_stop)
    {
        race_turn(r, 2);
    }
    race_end(r, 2);
    __atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
}

/* Allocates all but the last RACE_PAGES pages, so that the racers compete for the end of the pools. */
static const char *race_ballast(void)
{
    rt_size_t coherent = stand_in_coherent_size(), rest = stand_in_cma_size() - coherent;

    if (rest)
    {
        rest -= RACE_PAGES * PAGE;
    }
    else
    {
        coherent -= RACE_PAGES * PAGE;
    }
    if ((coherent && !alloc_one(&buffers[buffer_count++], coherent, 0))
            || (rest && !alloc_one(&buffers[buffer_count++], rest, 0)))
    {
        return "the pools are not empty at the start";
    }
    race_first = buffers[0].handle; /* the lowest page, because placement is first fit */
    return RT_NULL;
}

static const char *check_race(void)
{
    static struct racer first, second, interrupt;
    struct racer *racers[] = { &first, &second, &interrupt };
    const char *error = race_ballast();
    rt_thread_t thread;
    rt_timer_t timer;
    rt_tick_t start;

    if (error)
    {
        buffer_count = 0;
        return error;
    }
    first = (struct racer) { .name = "first core", .state = 11 };
    second = (struct racer) { .name = "second core", .state = 22 };
    interrupt = (struct racer) { .name = "interrupt", .state = 33 };
    race_stop = 0;
    race_owner = rt_calloc(sizeof(*race_owner), stand_in_cma_size() / PAGE);
    timer = rt_timer_create("race", race_interrupt, &interrupt, 1, RT_TIMER_FLAG_PERIODIC | RT_TIMER_FLAG_HARD_TIMER);
    thread = rt_thread_create("race", race_thread, &second, 8192, 20, 10);
    if (!race_owner || !timer || !thread)
    {
        if (timer)
        {
            rt_timer_delete(timer);
        }
        rt_free(race_owner);
        free_all(1);
        return "no memory";
    }
    rt_thread_control(thread, RT_THREAD_CTRL_BIND_CPU, (void *)1);
    if (rt_thread_startup(thread))
    {
        error = "the second core does not run";
    }
    else
    {
        rt_timer_start(timer);
        for (start = rt_tick_get(); rt_tick_get() - start < RACE_TICKS;)
        {
            race_turn(&first, 1);
        }
        rt_timer_stop(timer);
        race_stop = 1;
        race_end(&first, 1);
        race_end(&interrupt, 3);
        while (!__atomic_load_n(&second.done, __ATOMIC_ACQUIRE))
        {
            rt_thread_mdelay(1);
        }
    }
    rt_timer_delete(timer);
    rt_free(race_owner);
    free_all(1);
    if (error)
    {
        return error;
    }

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(racers); ++i)
    {
        rt_kprintf("race: %s: %lu buffers, %lu refused\n", racers[i]->name, (unsigned long)racers[i]->turns,
                (unsigned long)racers[i]->refused);
        if (racers[i]->error)
        {
            return why("%s: %s", racers[i]->name, racers[i]->error);
        }
        if (racers[i]->turns < 20)
        {
            return why("%s: only %lu buffers", racers[i]->name, (unsigned long)racers[i]->turns);
        }
    }
    /* No page is in use any more. */
    return take_whole(0);
}

/* ---- wrong calls ------------------------------------------------------------------------------------------------ */

static const char *check_wrong_calls(void)
{
    static rt_uint8_t foreign[2 * ARCH_PAGE_SIZE] rt_align(ARCH_PAGE_SIZE);
    struct buffer a, b, c;
    rt_ubase_t handle = 0;

    if (rt_dma_alloc(RT_NULL, PAGE, &handle, 0) || rt_dma_alloc(&dev, 0, &handle, 0)
            || rt_dma_alloc(&dev, ~0UL, &handle, 0) || rt_dma_alloc(&dev, stand_in_cma_size() + PAGE, &handle, 0))
    {
        return "an impossible request was served";
    }
    if (rt_dma_sync_out_data(RT_NULL, foreign, PAGE, &handle, 0) != -RT_EINVAL
            || rt_dma_sync_out_data(&dev, RT_NULL, PAGE, &handle, 0) != -RT_EINVAL
            || rt_dma_sync_in_data(&dev, foreign, 0, handle, 0) != -RT_EINVAL)
    {
        return "a sync call without device, data or size is not -RT_EINVAL";
    }

    if (!alloc_one(&a, 2 * PAGE, 0))
    {
        return "no buffer";
    }
    stamp(&a, 7);
    rt_dma_free(&dev, PAGE, a.va, a.handle, a.flags);                       /* too small */
    rt_dma_free(&dev, 3 * PAGE, a.va, a.handle, a.flags);                   /* too large */
    rt_dma_free(&dev, PAGE, (char *)a.va + PAGE, a.handle + PAGE, a.flags); /* not its first page */
    rt_dma_free(&dev, a.size, a.va, a.handle + PAGE, a.flags);              /* another handle */
    rt_dma_free(&dev, a.size, foreign, (rt_ubase_t)stand_in_v2p(foreign), a.flags);
    rt_dma_free(&dev, a.size, foreign, a.handle, a.flags);
    if (!alloc_one(&b, 2 * PAGE, 0))
    {
        return "no second buffer";
    }
    if (b.handle < a.handle + a.size && a.handle < b.handle + b.size)
    {
        return "a wrong free freed the buffer";
    }
    if (!stamped(&a, 7))
    {
        return "a wrong free damaged the buffer";
    }
    free_one(&b);
    free_one(&b); /* a second time */
    free_one(&a);
    free_one(&a);
    if (!alloc_one(&b, PAGE, 0) || !alloc_one(&c, PAGE, 0) || b.handle == c.handle)
    {
        return "after a double free one page is handed out twice";
    }
    free_one(&b);
    free_one(&c);
    return take_whole(0);
}

/* Makes the calls that an interrupt handler may make, and wrong calls. None of them may sleep or print. */
static void interrupt_calls(void *parameter)
{
    const char *volatile *result = parameter;
    struct buffer a;
    rt_ubase_t handle = 0;

    if (*result)
    {
        return;
    }
    if (rt_dma_alloc(&dev, stand_in_cma_size() + PAGE, &handle, 0) || !alloc_one(&a, 2 * PAGE, 0))
    {
        *result = "an impossible request was served, or a possible one was not";
        return;
    }
    if (rt_dma_sync_out_data(&dev, a.va, a.size, &handle, 0) || handle != a.handle
            || rt_dma_sync_in_data(&dev, a.va, a.size, handle, 0))
    {
        *result = "a sync call fails";
        return;
    }
    rt_dma_free(&dev, PAGE, a.va, a.handle, a.flags);
    free_one(&a);
    free_one(&a);
    *result = "";
}

static const char *check_interrupt_calls(void)
{
    static const char *volatile result;
    rt_timer_t timer;

    result = RT_NULL;
    timer = rt_timer_create("calls", interrupt_calls, (void *)&result, 1,
            RT_TIMER_FLAG_PERIODIC | RT_TIMER_FLAG_HARD_TIMER);
    if (!timer)
    {
        return "no timer";
    }
    rt_timer_start(timer);
    for (int ms = 0; ms < 5000 && !result; ++ms)
    {
        rt_thread_mdelay(1);
    }
    rt_timer_stop(timer);
    rt_timer_delete(timer);
    if (!result)
    {
        return "the interrupt never comes";
    }
    return *result ? result : take_whole(0);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static const struct
{
    const char *name;
    const char *(*run)(void);
} checks[] =
{
    /* This check is the first: no pool has a view yet, and a call that needs one needs a thread. The check makes none. */
    { "fault_27_a_first_use_with_interrupts_off_is_refused", check_interrupts_off },
    /* The ioremap window is still empty and begins on a 2 MiB boundary: a 2 MiB view may be mapped wrongly (defect 15). */
    { "each pool in one piece, every view", check_whole },
    { "fault_01_a_translation_that_an_interrupt_spoils_is_right", check_translation },
    { "fw_cfg file by DMA into a coherent buffer, its request from a block pool", check_fw_cfg },
    { "two-way DMA, coherent buffers", check_edu_coherent },
    { "two-way DMA, cached buffers and sync calls", check_edu_cached },
#ifdef RT_DMA_F_WT
    { "two-way DMA, write-through buffers", check_edu_write_through },
#endif
    { "Linux driver: coherent memory", check_linux_memory },
    { "Linux driver: masks with fallback", check_linux_masks },
    { "Linux driver: descriptor ring, streaming both ways", check_linux_copy },
    { "Linux driver: scatter list", check_linux_sg },
    { "Linux driver: circular buffer", check_linux_loopback },
    { "Linux driver: bounce buffers for RAM above 4 GiB", check_linux_bounce },
    { "Linux driver: remove gives everything back", check_linux_remove },
    { "Linux driver: fw_cfg requests from a DMA pool", check_linux_fw_cfg },
    { "memory type of cached buffers", check_type_cached },
    { "memory type of uncached buffers", check_type_uncached },
#ifdef RT_DMA_F_WT
    { "memory type of write-through buffers", check_type_write_through },
#endif
    { "every page once, cached", check_pages_cached },
    { "every page once, uncached", check_pages_coherent },
    { "mixed sizes to the last page, cached", check_mixed_cached },
    { "mixed sizes to the last page, uncached", check_mixed_coherent },
    { "cached and uncached buffers by turns", check_alias },
    { "coherent buffers leak nothing", check_leak },
    { "two cores and a timer interrupt at once", check_race },
    { "block pools: a thread and a timer interrupt", check_block_pool },
    { "wrong calls change nothing", check_wrong_calls },
    { "right and wrong calls from an interrupt", check_interrupt_calls },
};

static int dma_smoke(int argc, char *argv[])
{
    int passed = 0, failed = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    buffer_count = 0;
    buffer_max = stand_in_cma_size() / PAGE + 1;
    buffers = rt_calloc(buffer_max, sizeof(*buffers));
    if (!buffers)
    {
        rt_kprintf("FAIL heap: no memory for the list of buffers\ndma_smoke: 0 passed, 1 failed\n");
        return 1;
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(checks); ++i)
    {
        const char *error;

        if (checks[i].run == check_linux_bounce && !HAS_HIGH_MEMORY)
        {
            rt_kprintf("SKIP %s: a 32-bit processor has none\n", checks[i].name);
            continue;
        }
        error = checks[i].run();
        if (error)
        {
            ++failed;
            rt_kprintf("FAIL %s: %s\n", checks[i].name, error);
        }
        else
        {
            ++passed;
            rt_kprintf("PASS %s\n", checks[i].name);
        }
    }
    rt_free(buffers);
    rt_kprintf("dma_smoke: %d passed, %d failed\n", passed, failed);
    return failed;
}
MSH_CMD_EXPORT(dma_smoke, check DMA memory as drivers use it);
