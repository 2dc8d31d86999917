/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The options of the shell command list_dma_pool. A kernel without them does not link what they print. */

#include <rtthread.h>

#include <rt_dma.h>
#include "rt_dma_port.h"

int rt_dma_port_list_options(int argc, char **argv)
{
#ifdef PKG_RT_DMA_POOL_USING_LIST_OPTIONS
    return rt_dma_list_pools(argc, argv);
#else
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    rt_kprintf("list_dma_pool: options need PKG_RT_DMA_POOL_USING_LIST_OPTIONS\n");

    return -1;
#endif
}
