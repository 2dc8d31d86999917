/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: its table, what it records of each call, and what drivers and the shell call. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

/* The number of entries of the table. It is set in menuconfig. */
#ifndef PKG_RT_DMA_POOL_DEBUG_ENTRIES
#define PKG_RT_DMA_POOL_DEBUG_ENTRIES 512
#endif

_Static_assert(PKG_RT_DMA_POOL_DEBUG_ENTRIES > 0, "PKG_RT_DMA_POOL_DEBUG_ENTRIES must be more than 0");

static uintptr_t entries[PKG_RT_DMA_POOL_DEBUG_ENTRIES][RT_DMA_WATCH_ENTRY_WORDS];

uintptr_t rt_dma_port_debug_now(void)
{
    return (uintptr_t)((uint64_t)rt_tick_get() * 1000 / RT_TICK_PER_SECOND);
}

struct rt_dma_watch_call rt_dma_port_debug_begin(struct rt_device *dev, uintptr_t caller)
{
    /* In an interrupt this is the thread that was interrupted, whose stack the interrupt may use. */
    rt_thread_t thread = rt_thread_self();
    struct rt_dma_watch_call call =
    {
        .dev = dev,
        .caller = caller,
        .made_at_ms = rt_dma_port_debug_now(),
        .is_new = dev && !__atomic_load_n(&dev->dma_ops, __ATOMIC_ACQUIRE),
        .stack = thread ? (uintptr_t)thread->stack_addr : 0,
        .stack_size = thread ? thread->stack_size : 0,
    };

    rt_dma_watch_start(entries, PKG_RT_DMA_POOL_DEBUG_ENTRIES);

    return call;
}

rt_bool_t rt_dma_debug_fail(struct rt_device *dev, rt_size_t number)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

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
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_device_gone(&call);
}

rt_size_t rt_dma_debug_mistakes(struct rt_device *dev)
{
    return rt_dma_watch_mistakes(dev);
}

static int has_option(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++)
    {
        if (argv[i] && !rt_strcmp(argv[i], option))
        {
            return 1;
        }
    }

    return 0;
}

/* The command list_dma_pool. With the option -v, it also lists what each device holds. */
int __wrap_list_dma_pool(int argc, char **argv)
{
    int result = __real_list_dma_pool(argc, argv);

    /* Where the caller may not sleep, the command printed nothing. */
    if (!rt_dma_port_is_atomic() && has_option(argc, argv, "-v"))
    {
        rt_dma_watch_list_held(rt_dma_port_debug_now());
    }

    return result;
}

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

static struct rt_device *find_or_print_error(const char *name)
{
    struct rt_device *dev = rt_dma_watch_find(name);

    if (!dev)
    {
        rt_kprintf("no device %s has used DMA memory\n", name);
    }

    return dev;
}

static int list_dma_debug(int argc, char **argv)
{
    struct rt_device *dev = argc > 1 ? find_or_print_error(argv[1]) : RT_NULL;

    if (argc > 1 && !dev)
    {
        return -1;
    }

    rt_dma_watch_list(dev, rt_dma_port_debug_now());

    return 0;
}

MSH_CMD_EXPORT(list_dma_debug, list mistakes of drivers and what devices hold: list_dma_debug [device]);

static int dma_fail(int argc, char **argv)
{
    struct rt_device *dev;
    rt_size_t number = 0;
    const char *digit;

    if (argc != 3)
    {
        rt_kprintf("usage: dma_fail DEVICE N: the N-th allocation or mapping from now on fails; 0 for none\n");

        return -1;
    }

    for (digit = argv[2]; *digit >= '0' && *digit <= '9'; digit++)
    {
        number = number * 10 + (rt_size_t)(*digit - '0');
    }

    /* More digits might not fit into a word. */
    if (*digit || digit == argv[2] || digit - argv[2] > 9)
    {
        rt_kprintf("%s is not a number of one to nine digits\n", argv[2]);

        return -1;
    }

    dev = find_or_print_error(argv[1]);

    return dev && rt_dma_debug_fail(dev, number) ? 0 : -1;
}

MSH_CMD_EXPORT(dma_fail, make a DMA allocation or mapping fail: dma_fail DEVICE N);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
