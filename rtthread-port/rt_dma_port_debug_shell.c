/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: commands of the shell. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

/* With -v, also what devices hold. */
int __wrap_list_dma_pool(int argc, char **argv)
{
    int result = __real_list_dma_pool(argc, argv);

    if (argc > 1 && argv[1][0] == '-' && argv[1][1] == 'v')
    {
        rt_dma_watch_list_held(rt_dma_port_debug_now());
    }

    return result;
}

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

static struct rt_device *find(const char *name)
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
    struct rt_device *dev = argc > 1 ? find(argv[1]) : RT_NULL;

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

    for (digit = argv[2]; *digit >= '0' && *digit <= '9'; ++digit)
    {
        number = number * 10 + (rt_size_t)(*digit - '0');
    }

    if (*digit || digit == argv[2])
    {
        rt_kprintf("%s is not a number\n", argv[2]);
        return -1;
    }

    dev = find(argv[1]);

    return dev && rt_dma_debug_fail(dev, number) ? 0 : -1;
}
MSH_CMD_EXPORT(dma_fail, make a DMA allocation or mapping fail: dma_fail DEVICE N);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
