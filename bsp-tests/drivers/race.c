/* SPDX-License-Identifier: Apache-2.0 */
/* Two cores and a timer interrupt allocate and free at once, from pools that are nearly full. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

#define RACE_TICKS  (2 * RT_TICK_PER_SECOND)
#define RACE_HELD   8
#define RACE_PAGES  40  /* fewer than the racers would hold */
#define RACE_LEAST  20  /* a racer that freed fewer buffers hardly ran */

struct racer
{
    const char *name;
    rt_uint8_t id;  /* what race_owner holds for its pages */
    rt_uint32_t state;
    rt_size_t freed, refused;
    struct buffer held[RACE_HELD];
    const char *volatile error;
    int done;
};

static rt_uint32_t *race_owner; /* the id of the racer that has the page, 0 if it is free */
static rt_ubase_t race_first;
static int race_stop;

static rt_bool_t race_own(const struct buffer *buffer, rt_uint32_t from, rt_uint32_t to)
{
    for (rt_size_t at = 0; at < buffer->size; at += PAGE)
    {
        rt_size_t page = (buffer->handle + at - race_first) / PAGE;

        if (page >= stand_in_cma_size() / PAGE || __atomic_exchange_n(&race_owner[page], to, __ATOMIC_ACQ_REL) != from)
        {
            return RT_FALSE;
        }
    }
    return RT_TRUE;
}

/* Frees one of the racer's buffers, or allocates a new one. */
static void race_step(struct racer *racer)
{
    struct buffer *buffer = &racer->held[next_random(&racer->state) % RACE_HELD];

    if (racer->error)
    {
        return;
    }
    if (buffer->va)
    {
        if (!buffer_is_stamped(buffer, racer->id))
        {
            racer->error = "a buffer was overwritten";
        }
        else if (!race_own(buffer, racer->id, 0))
        {
            racer->error = "a buffer had two owners";
        }
        buffer_free(buffer);
        buffer->va = RT_NULL;
        ++racer->freed;
    }
    else if (!buffer_alloc(buffer, (next_random(&racer->state) % 6 + 1) * PAGE,
            next_random(&racer->state) & 1 ? COHERENT : 0))
    {
        ++racer->refused;
    }
    else
    {
        if (!race_own(buffer, 0, racer->id))
        {
            racer->error = "a page was handed out twice";
        }
        buffer_stamp(buffer, racer->id);
    }
}

static void race_end(struct racer *racer)
{
    for (int i = 0; i < RACE_HELD; ++i)
    {
        struct buffer *buffer = &racer->held[i];

        if (buffer->va)
        {
            if (!buffer_is_stamped(buffer, racer->id) || !race_own(buffer, racer->id, 0))
            {
                racer->error = "a buffer was overwritten or had two owners";
            }
            buffer_free(buffer);
        }
    }
}

static void race_interrupt(void *parameter)
{
    race_step(parameter);
}

static void race_thread(void *parameter)
{
    struct racer *racer = parameter;

    while (!__atomic_load_n(&race_stop, __ATOMIC_RELAXED))
    {
        race_step(racer);
    }
    race_end(racer);
    __atomic_store_n(&racer->done, 1, __ATOMIC_RELEASE);
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
    if ((coherent && !buffer_alloc(&buffers[buffer_count++], coherent, 0))
            || (rest && !buffer_alloc(&buffers[buffer_count++], rest, 0)))
    {
        return "the pools are not empty at the start";
    }
    race_first = buffers[0].handle; /* the lowest page, because placement is first fit */
    return RT_NULL;
}

/* Runs the racers until RACE_TICKS have passed. Returns the reason if the second core does not run. */
static const char *race_run(struct racer *first, struct racer *second, struct racer *interrupt, rt_thread_t thread,
        rt_timer_t timer)
{
    rt_tick_t start;

    rt_thread_control(thread, RT_THREAD_CTRL_BIND_CPU, (void *)1);
    if (rt_thread_startup(thread))
    {
        return "the second core does not run";
    }
    rt_timer_start(timer);
    for (start = rt_tick_get(); rt_tick_get() - start < RACE_TICKS;)
    {
        race_step(first);
    }
    rt_timer_stop(timer);
    __atomic_store_n(&race_stop, 1, __ATOMIC_RELAXED);
    race_end(first);
    race_end(interrupt);
    while (!__atomic_load_n(&second->done, __ATOMIC_ACQUIRE))
    {
        rt_thread_mdelay(1);
    }
    return RT_NULL;
}

/* Prints how often the racer allocated. Returns the reason if it found a fault, or hardly ran. */
static const char *race_result(const struct racer *racer)
{
    rt_kprintf("race: %s: %lu buffers, %lu refused\n", racer->name, (unsigned long)racer->freed,
            (unsigned long)racer->refused);
    if (racer->error)
    {
        return why("%s: %s", racer->name, racer->error);
    }
    return racer->freed < RACE_LEAST ? why("%s: only %lu buffers", racer->name, (unsigned long)racer->freed) : RT_NULL;
}

const char *check_race(void)
{
    static struct racer racers[3];
    const char *error = race_ballast();
    rt_thread_t thread;
    rt_timer_t timer;

    if (error)
    {
        buffer_count = 0;
        return error;
    }
    racers[0] = (struct racer) { .name = "first core", .id = 1, .state = 11 };
    racers[1] = (struct racer) { .name = "second core", .id = 2, .state = 22 };
    racers[2] = (struct racer) { .name = "interrupt", .id = 3, .state = 33 };
    race_stop = 0;
    race_owner = rt_calloc(sizeof(*race_owner), stand_in_cma_size() / PAGE);
    timer = rt_timer_create("race", race_interrupt, &racers[2], 1, RT_TIMER_FLAG_PERIODIC | RT_TIMER_FLAG_HARD_TIMER);
    thread = rt_thread_create("race", race_thread, &racers[1], 8192, 20, 10);
    error = "no memory";
    if (race_owner && timer && thread)
    {
        error = race_run(&racers[0], &racers[1], &racers[2], thread, timer);
    }
    if (timer)
    {
        rt_timer_delete(timer);
    }
    rt_free(race_owner);
    buffers_free(1);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(racers) && !error; ++i)
    {
        error = race_result(&racers[i]);
    }
    return error ? error : check_nothing_in_use(0);
}
