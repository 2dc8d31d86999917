/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Nodes of the device tree: that of a device, and the reserved memory to which it refers. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

#include "rt_dma_port_ofw.h"

#ifdef RT_USING_MEMBLOCK
#include <mm_memblock.h>
#endif

const void *rt_dma_port_node(void *dev)
{
    return rt_dma_port_ofw_node(dev);
}

/*
 * Returns whether the first cell of the node's reg is all ones. Only then may an address of all ones be the right one.
 */
static int states_all_ones(struct rt_ofw_node *np)
{
    rt_uint32_t first = 0;

    return !rt_ofw_prop_read_u32_index(np, "reg", 0, &first) && first == ~(rt_uint32_t)0;
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

    if (!rt_dma_port_has_property(np, "reg"))
    {
        return RT_DMA_PORT_NO_REG;
    }

    /* Refused if the reg is too short: RT-Thread would read on in what follows it in the tree. */
    if (rt_ofw_get_address_count(np) < 1 || rt_ofw_get_address(np, 0, &start, &size))
    {
        return RT_DMA_PORT_BAD_NODE;
    }

    /* RT-Thread returns all ones if the heap has no room for the ranges by which it translates the address. */
    if (start == ~(rt_uint64_t)0 && !states_all_ones(np))
    {
        return RT_DMA_PORT_NO_HEAP;
    }

    last = start + size - 1;

    if (size == 0 || last < start || (uintptr_t)last != last)
    {
        return RT_DMA_PORT_BAD_NODE;
    }

    region->start = (uintptr_t)start;
    region->end = (uintptr_t)last + 1;

    if (region->end == 0)
    {
        /* The address after the last byte does not fit into a pointer, so the last page is left out. */
        region->end = RT_ALIGN_DOWN(UINTPTR_MAX, ARCH_PAGE_SIZE);
    }

    return region->start < region->end ? RT_DMA_PORT_FOUND : RT_DMA_PORT_BAD_NODE;
}

#ifdef RT_USING_MEMBLOCK

/* Returns whether the kernel uses any page of the region. It uses only memory that memblock knows. */
static int kernel_uses_any(const struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &rt_memblock_get_memory()->reg_list, node)
    {
        rt_size_t start = region->start > reg->memreg.start ? region->start : reg->memreg.start;
        rt_size_t end = region->end < reg->memreg.end ? region->end : reg->memreg.end;
        rt_size_t offset;

        for (offset = 0; start < end && offset < end - start; offset += ARCH_PAGE_SIZE)
        {
            /* A pool has whole pages only, so it is enough to ask for one byte of each page. */
            if (rt_dma_port_kernel_uses(start + offset))
            {
                return 1;
            }
        }
    }

    return 0;
}

#else

/* Without memblock it is not known what the kernel uses, and a node's own reg is trusted. */
static int kernel_uses_any(const struct rt_dma_port_region *region)
{
    RT_UNUSED(region);

    return 0;
}

#endif /* RT_USING_MEMBLOCK */

/*
 * Returns the node with a phandle, for rt_ofw_node_put(); null if there is none. rt_ofw_find_node_by_phandle() is not
 * used: its table has an entry for each phandle from the least to the greatest of the tree, and it reads beyond the
 * table for others.
 */
static struct rt_ofw_node *find_by_phandle(rt_phandle phandle)
{
    struct rt_ofw_node *np;

    /* Nodes without a phandle have 0 there. */
    if (!phandle)
    {
        return RT_NULL;
    }

    rt_ofw_foreach_allnodes(np)
    {
        if (np->phandle == phandle)
        {
            break;
        }
    }

    return np;
}

int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_named_region *region)
{
    int result;
    rt_uint32_t phandle;
    struct rt_ofw_node *memory;

    if (rt_ofw_prop_read_u32_index(rt_dma_port_ofw_node(dev), "memory-region", (int)index, &phandle))
    {
        return RT_DMA_PORT_END;
    }

    memory = find_by_phandle(phandle);

    if (!memory)
    {
        return RT_DMA_PORT_NO_NODE;
    }

    result = rt_dma_port_node_memory(memory, &region->place);
    region->no_map = rt_dma_port_has_property(memory, "no-map");
    region->reusable = rt_dma_port_has_property(memory, "reusable");
#ifdef PKG_RT_DMA_POOL_SHARE_REUSABLE
    region->is_shared = 1;
#else
    region->is_shared = rt_dma_port_has_property(memory, "linux,cma-default");
#endif

    rt_ofw_node_put(memory);

    if (result == RT_DMA_PORT_FOUND && kernel_uses_any(&region->place))
    {
        return RT_DMA_PORT_NOT_RESERVED;
    }

    return result;
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

#endif /* RT_USING_OFW */
