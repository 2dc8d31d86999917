/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * What every file of the port starts from: RT-Thread's headers, the port's own, and which of the two interface
 * revisions the BSP speaks.
 */

#ifndef RT_DMA_PORT_RTTHREAD_H__
#define RT_DMA_PORT_RTTHREAD_H__

#include <rtconfig.h>

/* Without it drivers/dma.h does not compile, and no driver can call the library. */
#if !defined(RT_USING_DM) || !defined(RT_USING_DMA)
#error "rt-dma-pool needs RT_USING_DM and RT_USING_DMA: enable them in menuconfig, or leave the package out"
#endif

#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>

#include <mmu.h>
#include <mm_aspace.h>

#include "rt_dma_port_interface.h"

#include <rt_dma_port.h>

/*
 * 1: RT-Thread 5.2.0 to 5.2.2. 2: master since December 2025, which brought the write-through flag and let
 * rt_dma_pool_extract find its regions by itself. rt_dma_port_check.c holds the rest of drivers/dma.h against it.
 */
#ifdef RT_DMA_F_WT
#define RT_DMA_PORT_REVISION 2
#else
#define RT_DMA_PORT_REVISION 1
#endif

#ifdef RT_USING_OFW
/*
 * Fills in the memory of a node of /reserved-memory. Returns RT_DMA_PORT_FOUND, RT_DMA_PORT_DISABLED, RT_DMA_PORT_NO_REG,
 * or RT_DMA_PORT_UNREADABLE if its reg is bad or lies beyond what the processor can address. Thread.
 */
int rt_dma_port_node_memory(struct rt_ofw_node *np, struct rt_dma_port_region *region);
#endif

#endif /* RT_DMA_PORT_RTTHREAD_H__ */
