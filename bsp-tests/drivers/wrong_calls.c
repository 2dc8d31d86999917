/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong calls of a driver, from a thread and from an interrupt: they change nothing. */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

/* Something that is no DMA memory. */
static rt_uint8_t foreign[2 * ARCH_PAGE_SIZE] rt_align(ARCH_PAGE_SIZE);

static const char *check_impossible_requests(void)
{
    rt_ubase_t handle = 0;

    if (rt_dma_alloc(RT_NULL, PAGE, &handle, 0) || rt_dma_alloc(&smoke_device, 0, &handle, 0)
            || rt_dma_alloc(&smoke_device, ~0UL, &handle, 0)
            || rt_dma_alloc(&smoke_device, stand_in_cma_size() + PAGE, &handle, 0))
    {
        return "an impossible request was served";
    }
    if (rt_dma_sync_out_data(RT_NULL, foreign, PAGE, &handle, 0) != -RT_EINVAL
            || rt_dma_sync_out_data(&smoke_device, RT_NULL, PAGE, &handle, 0) != -RT_EINVAL
            || rt_dma_sync_in_data(&smoke_device, foreign, 0, handle, 0) != -RT_EINVAL)
    {
        return "a sync call without device, data or size is not -RT_EINVAL";
    }
    return RT_NULL;
}

static const char *check_wrong_frees(void)
{
    struct buffer buffer, other;

    if (!buffer_alloc(&buffer, 2 * PAGE, 0))
    {
        return "no buffer";
    }
    buffer_stamp(&buffer, 7);
    /*
     * Too small, too large, not from its first page, with another handle, other memory, and other memory at its
     * handle.
     */
    rt_dma_free(&smoke_device, PAGE, buffer.va, buffer.handle, buffer.flags);
    rt_dma_free(&smoke_device, 3 * PAGE, buffer.va, buffer.handle, buffer.flags);
    rt_dma_free(&smoke_device, PAGE, (char *)buffer.va + PAGE, buffer.handle + PAGE, buffer.flags);
    rt_dma_free(&smoke_device, buffer.size, buffer.va, buffer.handle + PAGE, buffer.flags);
    rt_dma_free(&smoke_device, buffer.size, foreign, (rt_ubase_t)stand_in_v2p(foreign), buffer.flags);
    rt_dma_free(&smoke_device, buffer.size, foreign, buffer.handle, buffer.flags);
    if (!buffer_alloc(&other, 2 * PAGE, 0))
    {
        return "no second buffer";
    }
    if (other.handle < buffer.handle + buffer.size && buffer.handle < other.handle + other.size)
    {
        return "a wrong free freed the buffer";
    }
    if (!buffer_is_stamped(&buffer, 7))
    {
        return "a wrong free damaged the buffer";
    }
    buffer_free(&other);
    buffer_free(&other); /* a second time */
    buffer_free(&buffer);
    buffer_free(&buffer);
    return RT_NULL;
}

/* Maps and unmaps more than there is. The calls end at the first page that is not mapped, and not after all pages. */
static const char *check_endless_maps(void)
{
    static const rt_size_t sizes[] = { ~0UL >> 2, ~0UL >> 1 };
    static struct rt_device endless = { .parent.name = "endless" };
    rt_ubase_t handle = rt_dma_map_single(&endless, foreign, PAGE, RT_DMA_TO_DEVICE);

    if (rt_dma_mapping_error(&endless, handle))
    {
        return "a page is not mapped";
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes); ++i)
    {
        rt_ubase_t wrong = rt_dma_map_single(&endless, foreign, sizes[i], RT_DMA_TO_DEVICE);

        if (!rt_dma_mapping_error(&endless, wrong))
        {
            return "memory that is not there is mapped";
        }
        rt_dma_unmap_single(&endless, handle, sizes[i], RT_DMA_TO_DEVICE);
    }
    rt_dma_unmap_single(&endless, handle, PAGE, RT_DMA_TO_DEVICE);
    return RT_NULL;
}

const char *check_wrong_calls(void)
{
    const char *error = check_impossible_requests();
    struct buffer first, second;

    if (!error)
    {
        error = check_wrong_frees();
    }
    if (!error)
    {
        error = check_endless_maps();
    }
    if (error)
    {
        return error;
    }
    if (!buffer_alloc(&first, PAGE, 0) || !buffer_alloc(&second, PAGE, 0) || first.handle == second.handle)
    {
        return "after a double free one page is handed out twice";
    }
    buffer_free(&first);
    buffer_free(&second);
    return check_nothing_in_use(0);
}

/* Makes the calls that an interrupt handler may make, and wrong calls. None of them may sleep or print. */
static void interrupt_calls(void *parameter)
{
    const char *volatile *result = parameter;
    struct buffer buffer;
    rt_ubase_t handle = 0;

    if (*result)
    {
        return;
    }
    if (rt_dma_alloc(&smoke_device, stand_in_cma_size() + PAGE, &handle, 0) || !buffer_alloc(&buffer, 2 * PAGE, 0))
    {
        *result = "an impossible request was served, or a possible one was not";
        return;
    }
    if (rt_dma_sync_out_data(&smoke_device, buffer.va, buffer.size, &handle, 0) || handle != buffer.handle
            || rt_dma_sync_in_data(&smoke_device, buffer.va, buffer.size, handle, 0))
    {
        *result = "a sync call fails";
        return;
    }
    rt_dma_free(&smoke_device, PAGE, buffer.va, buffer.handle, buffer.flags);
    buffer_free(&buffer);
    buffer_free(&buffer);
    *result = "";
}

const char *check_interrupt_calls(void)
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
    return *result ? result : check_nothing_in_use(0);
}
