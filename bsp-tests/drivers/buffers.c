/* SPDX-License-Identifier: Apache-2.0 */
/* The buffers of the checks of dma_smoke: buffers.h describes the functions. */
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

struct rt_device smoke_device = { .parent.name = "dma_smoke" };

struct buffer *buffers;
rt_size_t buffer_count, buffer_max;

rt_uint32_t next_random(rt_uint32_t *state)
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

const char *buffer_check(const struct buffer *buffer)
{
    for (rt_size_t at = 0; at < buffer->size; at += PAGE)
    {
        char *va = (char *)buffer->va + at;
        int memory = stand_in_memory_type(va);

        if ((rt_ubase_t)stand_in_v2p(va) != buffer->handle + at)
        {
            return why("flags 0x%lx: %p leads to 0x%lx, the handle is 0x%lx", buffer->flags, (void *)va,
                    (rt_ubase_t)stand_in_v2p(va), buffer->handle + at);
        }
        if (memory != expected_memory(buffer->flags))
        {
            return why("flags 0x%lx: %p is of memory type %d, not %d", buffer->flags, (void *)va, memory,
                    expected_memory(buffer->flags));
        }
    }
    return RT_NULL;
}

rt_bool_t buffer_alloc(struct buffer *buffer, rt_size_t size, rt_ubase_t flags)
{
    buffer->size = size;
    buffer->flags = flags;
    buffer->va = rt_dma_alloc(&smoke_device, size, &buffer->handle, flags);
    return buffer->va != RT_NULL;
}

void buffer_free(const struct buffer *buffer)
{
    rt_dma_free(&smoke_device, buffer->size, buffer->va, buffer->handle, buffer->flags);
}

void buffer_stamp(const struct buffer *buffer, rt_uint32_t seed)
{
    for (rt_size_t at = 0; at < buffer->size; at += PAGE)
    {
        volatile rt_uint32_t *page = (volatile rt_uint32_t *)((char *)buffer->va + at);

        page[0] = (rt_uint32_t)((buffer->handle + at) >> 12) ^ seed;
        page[PAGE / 4 - 1] = ~page[0];
    }
}

rt_bool_t buffer_is_stamped(const struct buffer *buffer, rt_uint32_t seed)
{
    for (rt_size_t at = 0; at < buffer->size; at += PAGE)
    {
        volatile rt_uint32_t *page = (volatile rt_uint32_t *)((char *)buffer->va + at);
        rt_uint32_t word = (rt_uint32_t)((buffer->handle + at) >> 12) ^ seed;

        if (page[0] != word || page[PAGE / 4 - 1] != ~word)
        {
            return RT_FALSE;
        }
    }
    return RT_TRUE;
}

void buffers_free(rt_uint32_t seed)
{
    while (buffer_count)
    {
        rt_size_t i = next_random(&seed) % buffer_count;

        buffer_free(&buffers[i]);
        buffers[i] = buffers[--buffer_count];
    }
}
