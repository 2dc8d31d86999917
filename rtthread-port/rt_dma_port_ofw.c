/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Device tree. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

#ifdef RT_USING_MEMBLOCK
#include <mm_memblock.h>
#include <mm_page.h>
#endif

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

int rt_dma_port_node_memory(struct rt_ofw_node *np, struct rt_dma_port_region *region)
{
    rt_uint64_t start, size, last;

    region->start = 0;
    region->end = 0;

    /* RT-Thread reserves nothing for such a node (rt_fdt_scan_memory), so its memory is the page allocator's. */
    if (!rt_ofw_node_is_available(np))
    {
        return RT_DMA_PORT_DISABLED;
    }

    if (!rt_ofw_get_prop(np, "reg", RT_NULL))
    {
        return RT_DMA_PORT_NO_REG;
    }

    if (rt_ofw_get_address(np, 0, &start, &size))
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    last = start + size - 1;

    if (size == 0 || last < start || (uintptr_t)last != last)
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    region->start = (uintptr_t)start;
    region->end = (uintptr_t)last + 1;

    if (region->end == 0)
    {
        /* The address after the last byte cannot be written down, so the last page is left out. */
        region->end = RT_ALIGN_DOWN(UINTPTR_MAX, ARCH_PAGE_SIZE);
    }

    return region->start < region->end ? RT_DMA_PORT_FOUND : RT_DMA_PORT_UNREADABLE;
}

#ifdef RT_USING_MEMBLOCK

/* Whether the page allocator owns any page of the region. It owns only memory that memblock knows. */
static int is_any_paged(const struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &rt_memblock_get_memory()->reg_list, node)
    {
        rt_size_t start = region->start > reg->memreg.start ? region->start : reg->memreg.start;
        rt_size_t end = region->end < reg->memreg.end ? region->end : reg->memreg.end;
        rt_size_t offset;

        for (offset = 0; start < end && offset < end - start; offset += ARCH_PAGE_SIZE)
        {
            /* The page allocator has whole pages, so the first byte of what is left shows each. */
            if (rt_page_is_member((rt_base_t)RT_ALIGN_DOWN(start + offset, ARCH_PAGE_SIZE)))
            {
                return 1;
            }
        }
    }

    return 0;
}

#else

static int is_any_paged(const struct rt_dma_port_region *region)
{
    RT_UNUSED(region);

    return 0;
}

#endif /* RT_USING_MEMBLOCK */

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_named_region *region)
{
    int result;
    rt_uint32_t phandle;
    struct rt_ofw_node *memory;

    if (rt_ofw_prop_read_u32_index(device_node(dev), "memory-region", (int)index, &phandle))
    {
        return RT_DMA_PORT_END;
    }

    memory = rt_ofw_find_node_by_phandle(phandle);

    if (!memory)
    {
        return RT_DMA_PORT_NO_NODE;
    }

    result = rt_dma_port_node_memory(memory, &region->place);
    region->no_map = rt_ofw_get_prop(memory, "no-map", RT_NULL) != RT_NULL;
    region->reusable = rt_ofw_get_prop(memory, "reusable", RT_NULL) != RT_NULL;

    rt_ofw_node_put(memory);

    if (result == RT_DMA_PORT_FOUND && is_any_paged(&region->place))
    {
        return RT_DMA_PORT_NOT_RESERVED;
    }

    return result;
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

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_named_region *region)
{
    RT_UNUSED(dev);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
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
