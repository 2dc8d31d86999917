/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation until no page is free: each page is handed out once, and none is lost. */
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

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

        if (!buffer_alloc(&buffers[buffer_count], pages * PAGE, flags))
        {
            if (pages == 1)
            {
                break;
            }
            largest = 1;
            continue;
        }
        error = buffer_check(&buffers[buffer_count++]);
        if (error)
        {
            goto done;
        }
        buffer_stamp(&buffers[buffer_count - 1], seed);
    }
    error = check_tiling();
    for (rt_size_t i = 0; i < buffer_count && !error; ++i)
    {
        if (!buffer_is_stamped(&buffers[i], seed))
        {
            error = why("the buffer at 0x%lx was overwritten", buffers[i].handle);
        }
    }
done:
    buffers_free(seed);
    return error;
}

const char *check_pages_cached(void)
{
    return exhaust(0, 1, 1);
}

const char *check_pages_coherent(void)
{
    return exhaust(COHERENT, 1, 2);
}

const char *check_mixed_cached(void)
{
    return exhaust(0, 24, 3);
}

const char *check_mixed_coherent(void)
{
    return exhaust(COHERENT, 24, 4);
}

const char *check_nothing_in_use(rt_ubase_t flags)
{
    const rt_uint32_t seed = 5;
    rt_size_t coherent = stand_in_coherent_size(), rest = stand_in_cma_size() - coherent;
    rt_size_t sizes[2] = { coherent, rest }; /* Pools serve in the order in which they were installed. */
    struct buffer more;
    const char *error = RT_NULL;

    for (int i = 0; i < 2 && !error; ++i)
    {
        struct buffer *buffer = &buffers[buffer_count];

        if (!sizes[i])
        {
            continue;
        }
        if (!buffer_alloc(buffer, sizes[i], flags))
        {
            error = why("flags 0x%lx: no %lu bytes in one piece", flags, (unsigned long)sizes[i]);
            break;
        }
        ++buffer_count;
        error = buffer_check(buffer);
        if (!error)
        {
            buffer_stamp(buffer, seed);
        }
    }
    if (!error && buffer_alloc(&more, PAGE, flags))
    {
        buffer_free(&more);
        error = "a full pool gave one more page";
    }
    for (rt_size_t i = 0; i < buffer_count && !error; ++i)
    {
        error = buffer_is_stamped(&buffers[i], seed) ? RT_NULL : "a whole pool was overwritten by the other";
    }
    buffers_free(seed);
    return error;
}

const char *check_pools_in_one_piece(void)
{
    const char *error = check_nothing_in_use(0);

    if (!error)
    {
        error = check_nothing_in_use(COHERENT);
    }
#ifdef RT_DMA_F_WT
    if (!error)
    {
        error = check_nothing_in_use(RT_DMA_F_WT);
    }
#endif
    return error;
}
