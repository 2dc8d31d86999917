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

int rt_dma_port_has_node(void *dev)
{
    return device_node(dev) != RT_NULL;
}

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_region *region)
{
    rt_err_t err;
    rt_uint32_t phandle;
    rt_uint64_t start, size, end;
    struct rt_ofw_node *memory;

    if (rt_ofw_prop_read_u32_index(device_node(dev), "memory-region", (int)index, &phandle))
    {
        return RT_DMA_PORT_END;
    }

    memory = rt_ofw_find_node_by_phandle(phandle);

    if (!memory)
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    err = rt_ofw_get_address(memory, 0, &start, &size);

    region->usable = 0;
    region->no_map = !!rt_ofw_prop_read_bool(memory, "no-map");
    region->reusable = !!rt_ofw_prop_read_bool(memory, "reusable");

    rt_ofw_node_put(memory);

    if (err)
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    end = start + size;

    if (end < start || (uintptr_t)end != end)
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    region->start = (uintptr_t)start;
    region->end = (uintptr_t)end;

    return RT_DMA_PORT_FOUND;
}

int rt_dma_port_has_dma_ranges(void *dev)
{
    rt_ssize_t length;
    struct rt_ofw_node *bus = device_node(dev);

    while (bus && (bus = bus->parent))
    {
        if (rt_ofw_get_prop(bus, "dma-ranges", &length) && length > 0)
        {
            return 1;
        }
    }

    return 0;
}

/*
 * Where no range covers an address RT-Thread gives it back as it came: its rule, and no failure. The first translation
 * through a bus reads the bus's ranges into the heap, so that one belongs into a thread.
 */
uintptr_t rt_dma_port_cpu_to_dma(void *dev, uintptr_t pa)
{
    return reachable(rt_ofw_translate_cpu2dma(device_node(dev), pa));
}

uintptr_t rt_dma_port_dma_to_cpu(void *dev, uintptr_t handle)
{
    return reachable(rt_ofw_translate_dma2cpu(device_node(dev), handle));
}

#else /* !RT_USING_OFW */

int rt_dma_port_has_node(void *dev)
{
    RT_UNUSED(dev);

    return 0;
}

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(dev);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
}

int rt_dma_port_has_dma_ranges(void *dev)
{
    RT_UNUSED(dev);

    return 0;
}

uintptr_t rt_dma_port_cpu_to_dma(void *dev, uintptr_t pa)
{
    RT_UNUSED(dev);

    return pa;
}

uintptr_t rt_dma_port_dma_to_cpu(void *dev, uintptr_t handle)
{
    RT_UNUSED(dev);

    return handle;
}

#endif /* RT_USING_OFW */
