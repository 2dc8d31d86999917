/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What a struct rt_device says of itself: its layout depends on the BSP's configuration. */

#include "rt_dma_port_rtthread.h"

const char *rt_dma_port_device_name(void *dev)
{
    return rt_dm_dev_get_name(dev);
}

int rt_dma_port_device_is_coherent(void *dev)
{
    return rt_dma_device_is_coherent(dev);
}

const void *rt_dma_port_device_ops(void *dev)
{
    return ((struct rt_device *)dev)->dma_ops;
}

void rt_dma_port_device_set_ops(void *dev, const void *ops)
{
    rt_dma_device_set_ops(dev, ops);
}
