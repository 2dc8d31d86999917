/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Device tree. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

static struct rt_ofw_node *device_node(void *dev)
{
    return ((struct rt_device *)dev)->ofw_node;
}

/* The device tree counts in 64 bits; an address that this processor cannot hold is one it cannot reach. */
static uintptr_t reachable(rt_uint64_t address)
{
    if ((uintptr_t)address != address)
    {
        return RT_DMA_PORT_UNMAPPED;
    }

    return (uintptr_t)address;
}

const void *rt_dma_port_node(void *dev)
{
    return device_node(dev);
}

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_region *region)
{
    int says = 0;
    rt_uint32_t phandle;
    rt_uint64_t start, size;
    struct rt_ofw_node *memory;

    if (rt_ofw_prop_read_u32_index(device_node(dev), "memory-region", (int)index, &phandle))
    {
        return -1;
    }

    region->start = region->end = 0;
    memory = rt_ofw_find_node_by_phandle(phandle);

    if (memory)
    {
        if (!rt_ofw_get_address(memory, 0, &start, &size) && reachable(start) == start
            && reachable(start + size) == start + size)
        {
            region->start = (uintptr_t)start;
            region->end = (uintptr_t)(start + size);
        }

        if (!rt_ofw_get_prop(memory, "reusable", RT_NULL))
        {
            says += RT_DMA_PORT_EXCLUSIVE;
        }

        if (rt_ofw_get_prop(memory, "no-map", RT_NULL))
        {
            says += RT_DMA_PORT_NO_MAP;
        }

        rt_ofw_node_put(memory);
    }

    return says;
}

const void *rt_dma_port_dma_ranges(void *dev)
{
    rt_ssize_t length;
    const struct rt_ofw_node *bus = device_node(dev);

    do
    {
        bus = bus->parent;
    }
    while (bus && !(rt_ofw_get_prop(bus, "dma-ranges", &length) && length > 0));

    return bus;
}

/*
 * Where no range covers an address RT-Thread gives it back as it came: its rule, and no failure. The first translation
 * through a bus reads the bus's ranges into the heap, so that one belongs into a thread.
 */
uintptr_t rt_dma_port_translate(void *dev, uintptr_t address, int to_cpu)
{
    struct rt_ofw_node *np = device_node(dev);

    return reachable(to_cpu ? rt_ofw_translate_dma2cpu(np, address) : rt_ofw_translate_cpu2dma(np, address));
}

#else /* !RT_USING_OFW */

const void *rt_dma_port_node(void *dev)
{
    RT_UNUSED(dev);

    return RT_NULL;
}

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(dev);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return -1;
}

const void *rt_dma_port_dma_ranges(void *dev)
{
    RT_UNUSED(dev);

    return RT_NULL;
}

uintptr_t rt_dma_port_translate(void *dev, uintptr_t address, int to_cpu)
{
    RT_UNUSED(dev);
    RT_UNUSED(to_cpu);

    return address;
}

#endif /* RT_USING_OFW */
