/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The shared pools of /reserved-memory, and what memblock holds for them. Boot code, one thread. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

/* Two cells are the most that an address or a size has here. */
static int read_cells(struct rt_ofw_node *np, const char *name, int index, int cells, uint64_t *value)
{
    rt_uint32_t cell[2] = { 0, 0 };

    if (cells < 1 || cells > 2 || rt_ofw_prop_read_u32_array_index(np, name, index, cells, cell) != cells)
    {
        return -1;
    }

    *value = cells == 2 ? (uint64_t)cell[0] << 32 | cell[1] : cell[0];

    return 0;
}

int rt_dma_port_shared_pool(uintptr_t index, struct rt_dma_port_shared_pool *pool)
{
    struct rt_dma_port_region place = { 0, 0 };
    struct rt_ofw_node *parent, *np, *root = rt_ofw_find_node_by_path("/");

    if (!root)
    {
        return RT_DMA_PORT_ABSENT;
    }

    rt_ofw_node_put(root);

    parent = rt_ofw_find_node_by_path("/reserved-memory");

    rt_ofw_foreach_available_child_node(parent, np)
    {
        if (rt_ofw_node_is_compatible(np, "shared-dma-pool") && index-- == 0)
        {
            break;
        }
    }

    rt_ofw_node_put(parent);

    if (!np)
    {
        return RT_DMA_PORT_END;
    }

    /* The tree keeps the node. */
    rt_ofw_node_put(np);

    pool->node = np;
    pool->name = rt_ofw_node_full_name(np);
    pool->no_map = !!rt_ofw_prop_read_bool(np, "no-map");
    pool->reusable = !!rt_ofw_prop_read_bool(np, "reusable");
    pool->is_default = !!rt_ofw_prop_read_bool(np, "linux,cma-default");
    pool->has_reg = !!rt_ofw_prop_read_bool(np, "reg");
    if (read_cells(np, "size", 0, rt_ofw_io_size_cells(np), &pool->size))
    {
        pool->size = 0;
    }

    if (read_cells(np, "alignment", 0, rt_ofw_io_size_cells(np), &pool->alignment))
    {
        pool->alignment = 0;
    }

    if (pool->has_reg && rt_dma_port_node_memory(np, &place) != RT_DMA_PORT_FOUND)
    {
        return RT_DMA_PORT_UNREADABLE;
    }

    pool->start = place.start;
    pool->end = place.end;

    return RT_DMA_PORT_FOUND;
}

int rt_dma_port_alloc_range(void *node, uintptr_t index, uint64_t *start, uint64_t *size)
{
    int address_cells = rt_ofw_io_addr_cells(node), size_cells = rt_ofw_io_size_cells(node);
    int first = (int)index * (address_cells + size_cells);

    if (read_cells(node, "alloc-ranges", first, address_cells, start) ||
        read_cells(node, "alloc-ranges", first + address_cells, size_cells, size))
    {
        return RT_DMA_PORT_END;
    }

    return RT_DMA_PORT_FOUND;
}

#else /* !RT_USING_OFW */

int rt_dma_port_shared_pool(uintptr_t index, struct rt_dma_port_shared_pool *pool)
{
    RT_UNUSED(index);
    RT_UNUSED(pool);

    return RT_DMA_PORT_ABSENT;
}

int rt_dma_port_alloc_range(void *node, uintptr_t index, uint64_t *start, uint64_t *size)
{
    RT_UNUSED(node);
    RT_UNUSED(index);
    RT_UNUSED(start);
    RT_UNUSED(size);

    return RT_DMA_PORT_END;
}

#endif /* RT_USING_OFW */

#if defined(RT_USING_OFW) && defined(RT_USING_MEMBLOCK)

#include <mm_memblock.h>
#include <mm_page.h>

/* The name of the property until it is final: under its own name it would be read as a place before that. */
#define NOT_YET "rt-dma-pool,reg"

static int region_of(struct rt_memblock *memblock, uintptr_t index, struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &memblock->reg_list, node)
    {
        if (index-- == 0)
        {
            region->start = reg->memreg.start;
            region->end = reg->memreg.end;

            return reg->flags ? RT_DMA_PORT_UNREADABLE : RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region)
{
    return region_of(rt_memblock_get_memory(), index, region);
}

int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    int result = region_of(rt_memblock_get_reserved(), index, region);

    return result == RT_DMA_PORT_END ? RT_DMA_PORT_END : RT_DMA_PORT_FOUND;
}

int rt_dma_port_is_paged(uintptr_t pa)
{
    return !!rt_page_is_member((rt_base_t)pa);
}

static fdt32_t *write_cells(fdt32_t *cell, int cells, uint64_t value)
{
    if (cells == 2)
    {
        *cell++ = cpu_to_fdt32((rt_uint32_t)(value >> 32));
    }

    *cell++ = cpu_to_fdt32((rt_uint32_t)value);

    return cell;
}

int rt_dma_port_reserve(void *node, uintptr_t start, uintptr_t end, int no_map)
{
    struct rt_ofw_node *np = node;
    int address_cells = rt_ofw_io_addr_cells(np), size_cells = rt_ofw_io_size_cells(np);
    int length = (address_cells + size_cells) * (int)sizeof(fdt32_t);
    struct rt_ofw_prop *prop;
    fdt32_t *value;

    if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
    {
        return -1;
    }

    /* First what can be taken back, or kept for the next try; memblock takes nothing back. */
    prop = rt_ofw_get_prop(np, NOT_YET, RT_NULL);

    if (!prop)
    {
        value = rt_calloc(1, length);

        if (!value)
        {
            return -1;
        }

        if (rt_ofw_append_prop(np, NOT_YET, length, value))
        {
            rt_free(value);

            return -1;
        }

        prop = rt_ofw_get_prop(np, NOT_YET, RT_NULL);
    }

    /* Older headers take the name without const, and keep it as it is. */
    if (!prop || rt_memblock_reserve_memory((char *)rt_ofw_node_full_name(np), start, end,
            no_map ? MEMBLOCK_NOMAP : MEMBLOCK_NONE))
    {
        return -1;
    }

    value = write_cells(prop->value, address_cells, start);
    write_cells(value, size_cells, end - start);
    prop->name = "reg";

    return 0;
}

#else /* !RT_USING_OFW || !RT_USING_MEMBLOCK */

int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
}

int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
}

int rt_dma_port_is_paged(uintptr_t pa)
{
    RT_UNUSED(pa);

    return 1;
}

int rt_dma_port_reserve(void *node, uintptr_t start, uintptr_t end, int no_map)
{
    RT_UNUSED(node);
    RT_UNUSED(start);
    RT_UNUSED(end);
    RT_UNUSED(no_map);

    return -1;
}

#endif /* RT_USING_OFW, RT_USING_MEMBLOCK */
