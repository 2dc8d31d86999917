/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: its table, what it records of each call, and the calls by which drivers use it. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

/* Entries of the table; menuconfig asks for it. */
#ifndef PKG_RT_DMA_POOL_DEBUG_ENTRIES
#define PKG_RT_DMA_POOL_DEBUG_ENTRIES 512
#endif

_Static_assert(PKG_RT_DMA_POOL_DEBUG_ENTRIES > 0, "PKG_RT_DMA_POOL_DEBUG_ENTRIES is a number of entries");

static uintptr_t entries[PKG_RT_DMA_POOL_DEBUG_ENTRIES][RT_DMA_WATCH_ENTRY_WORDS];

uintptr_t rt_dma_port_debug_now(void)
{
    return (uintptr_t)((uint64_t)rt_tick_get() * 1000 / RT_TICK_PER_SECOND);
}

struct rt_dma_watch_call rt_dma_port_debug_call(struct rt_device *dev, uintptr_t caller)
{
    /* In an interrupt this is the thread that was interrupted, whose stack the interrupt may use. */
    rt_thread_t thread = rt_thread_self();
    struct rt_dma_watch_call call =
    {
        .dev = dev,
        .caller = caller,
        .time = rt_dma_port_debug_now(),
        .is_new = dev && !__atomic_load_n(&dev->dma_ops, __ATOMIC_ACQUIRE),
        .stack = thread ? (uintptr_t)thread->stack_addr : 0,
        .stack_size = thread ? thread->stack_size : 0,
    };

    rt_dma_watch_start(entries, PKG_RT_DMA_POOL_DEBUG_ENTRIES);

    return call;
}

rt_bool_t rt_dma_debug_fail(struct rt_device *dev, rt_size_t number)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    return rt_dma_watch_fail(&call, number);
}

struct rt_device *rt_dma_debug_find(const char *name)
{
    return name ? rt_dma_watch_find(name) : RT_NULL;
}

rt_bool_t rt_dma_debug_has_failed(struct rt_device *dev)
{
    return rt_dma_watch_has_failed(dev);
}

void rt_dma_debug_device_gone(struct rt_device *dev)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_released(&call);
}

rt_size_t rt_dma_debug_mistakes(struct rt_device *dev)
{
    return rt_dma_watch_mistakes(dev);
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
