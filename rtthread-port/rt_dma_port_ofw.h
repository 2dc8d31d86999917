/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What the files about the device tree share. */

#ifndef RT_DMA_PORT_OFW_H__
#define RT_DMA_PORT_OFW_H__

#include "rt_dma_port_rtthread.h"

/* Returns the node of a device, or null. */
rt_inline struct rt_ofw_node *rt_dma_port_ofw_node(void *dev)
{
    return ((struct rt_device *)dev)->ofw_node;
}

/* Returns 1 if the node has the property, 0 if it has not. */
rt_inline int rt_dma_port_has_property(struct rt_ofw_node *np, const char *name)
{
    return rt_ofw_get_prop(np, name, RT_NULL) != RT_NULL;
}

/*
 * Fills in the memory of a node of /reserved-memory. Returns RT_DMA_PORT_FOUND, RT_DMA_PORT_DISABLED,
 * RT_DMA_PORT_NO_REG, RT_DMA_PORT_BAD_NODE if its reg is bad or lies beyond what the processor can address, or
 * RT_DMA_PORT_NO_HEAP.
 * Context: thread.
 */
int rt_dma_port_node_memory(struct rt_ofw_node *np, struct rt_dma_port_region *region);

#endif /* RT_DMA_PORT_OFW_H__ */
