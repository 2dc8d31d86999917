/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The constants of the BSP's configuration. */

#include <stddef.h>
#include <stdint.h>

#include "rt_dma_port_rtthread.h"

/*
 * The size of the largest pool that has views, in MiB. It is set in menuconfig, which permits up to 1024. A BSP whose
 * ioremap window is large may define more in rtconfig.h: each view takes as much of the window as the pool has bytes.
 * The name has no prefix PKG_, so that the value in a BSP's .config from version 0.1 is still used.
 */
#ifndef RT_DMA_POOL_VIEW_LIMIT
#define RT_DMA_POOL_VIEW_LIMIT 64
#endif

_Static_assert(RT_DMA_POOL_VIEW_LIMIT >= 0 && RT_DMA_POOL_VIEW_LIMIT <= UINT16_MAX,
        "RT_DMA_POOL_VIEW_LIMIT must be between 0 and 65535 (MiB)");

#ifdef PKG_RT_DMA_POOL_MAP_AT_INSTALL
#define MAPS_AT_INSTALL 1
#else
#define MAPS_AT_INSTALL 0
#endif

const struct rt_dma_port_configuration rt_dma_port_configuration =
{
    .errors =
    {
        .ok = RT_EOK,
        .inval = -RT_EINVAL,
        .nosys = -RT_ENOSYS,
        .empty = -RT_EEMPTY,
        .nomem = -RT_ENOMEM,
        .error = -RT_ERROR,
        .busy = -RT_EBUSY,
        .io = -RT_EIO,
    },
    .view_limit_mib = RT_DMA_POOL_VIEW_LIMIT,
    .revision = RT_DMA_PORT_REVISION,
    .ops_offset = offsetof(struct rt_device, dma_ops),
    .maps_at_install = MAPS_AT_INSTALL,
};

_Static_assert(offsetof(struct rt_device, dma_ops) <= UINT16_MAX
        && sizeof(((struct rt_device *)0)->dma_ops) == sizeof(void *),
        "rtdef.h: struct rt_device: dma_ops must have the size of a pointer, and an offset below 64 KiB");
