/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that no core keeps an address translation of a mapping that was removed. */
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "../../rtthread-port/rt_dma_port.h"
#include "buffers.h"
#include "checks.h"

#define PAGES   2

/* The second core reads the word at `place`, and ends when `place` is the address of `stop_mark`. */
static volatile rt_uint32_t *place, stop_mark;
static rt_uint32_t found;
static int is_done;

static void second_core(void *parameter)
{
    RT_UNUSED(parameter);
    for (;;)
    {
        volatile rt_uint32_t *now = __atomic_exchange_n(&place, RT_NULL, __ATOMIC_ACQ_REL);

        if (now == &stop_mark)
        {
            break;
        }
        if (now)
        {
            found = *now;
            __atomic_store_n(&is_done, 1, __ATOMIC_RELEASE);
        }
    }
    __atomic_store_n(&is_done, 1, __ATOMIC_RELEASE);
}

static void let_read(volatile rt_uint32_t *from)
{
    __atomic_store_n(&is_done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&place, from, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE))
    {
    }
}

/* Maps two ranges of memory one after the other, which get the same address. The second core reads from each. */
static const char *remap(rt_ubase_t first, rt_ubase_t size)
{
    const char *error = RT_NULL;
    rt_uint32_t *before = RT_NULL;

    for (int i = 0; i < 2 && !error; ++i)
    {
        rt_ubase_t pa = first + (rt_ubase_t)i * PAGES * PAGE;
        rt_uint32_t *va = rt_dma_port_map(pa, size, RT_DMA_PORT_UNCACHED);

        if (!va || (before && va != before))
        {
            return "no mapping at the same address";
        }
        *va = 0x1000 + (rt_uint32_t)i;
        let_read(va);
        if (found != *va)
        {
            error = why("0x%x in place of 0x%x, of %lu bytes", (unsigned)found, (unsigned)*va, (unsigned long)size);
        }
        rt_dma_port_unmap(va);
        before = va;
    }
    return error;
}

const char *check_other_core(void)
{
    char *memory = rt_calloc(2 * PAGES + 1, PAGE);
    rt_thread_t thread = rt_thread_create("reader", second_core, RT_NULL, 8192, 20, 10);
    const char *error = "no memory";

    if (memory && thread)
    {
        rt_ubase_t pa = RT_ALIGN((rt_ubase_t)stand_in_v2p(memory), PAGE);

        rt_thread_control(thread, RT_THREAD_CTRL_BIND_CPU, (void *)1);
        if (rt_thread_startup(thread))
        {
            error = "the second core does not run";
        }
        else
        {
            error = remap(pa, PAGE);
            error = error ? error : remap(pa, PAGES * PAGE);
            let_read(&stop_mark);
        }
    }
    rt_free(memory);
    return error;
}
