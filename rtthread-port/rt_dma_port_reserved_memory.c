/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The shared pools of /reserved-memory: nodes that state their memory, and nodes that ask for some. Only boot code, or
 * one thread at a time, calls these functions.
 */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

#include "rt_dma_port_ofw.h"

#ifdef RT_USING_MEMBLOCK
#include <mm_memblock.h>
#endif

/* Reads a number of one or two cells, the most that an address or a size has here. Returns 0 if it cannot be read. */
static int read_cells(struct rt_ofw_node *np, const char *name, int first_cell, int cells, uint64_t *value)
{
    rt_uint32_t cell[2] = { 0, 0 };

    if (cells < 1 || cells > 2 || rt_ofw_prop_read_u32_array_index(np, name, first_cell, cells, cell) != cells)
    {
        return 0;
    }

    *value = cells == 2 ? (uint64_t)cell[0] << 32 | cell[1] : cell[0];

    return 1;
}

/*
 * Reads the property `size` or `alignment` of a node. Either may have as many cells as a size or as an address, because
 * Linux reads an alignment with the cells of an address. A missing property gives 0. Returns 0 if the property has
 * another length.
 */
static int read_size(struct rt_ofw_node *np, const char *name, uint64_t *value)
{
    rt_ssize_t length = 0, cells;

    *value = 0;

    if (!rt_ofw_get_prop(np, name, &length))
    {
        return 1;
    }

    cells = length / (rt_ssize_t)sizeof(fdt32_t);

    return length % (rt_ssize_t)sizeof(fdt32_t) == 0
            && (cells == rt_ofw_io_size_cells(np) || cells == rt_ofw_io_addr_cells(np))
            && read_cells(np, name, 0, (int)cells, value);
}

/* Returns whether a property is missing, or consists of one or more whole entries of this many cells. */
static int is_absent_or_whole(struct rt_ofw_node *np, const char *name, int cells)
{
    rt_ssize_t length = 0;

    if (!rt_ofw_get_prop(np, name, &length))
    {
        return 1;
    }

    return cells > 0 && length > 0 && length % (cells * (rt_ssize_t)sizeof(fdt32_t)) == 0;
}

/*
 * Reads what a node without `reg` asks for. Returns RT_DMA_PORT_FOUND, or RT_DMA_PORT_BAD_NODE if a property is
 * malformed.
 */
static int read_request(struct rt_ofw_node *np, struct rt_dma_port_shared_pool *pool)
{
    int entry_cells = rt_ofw_io_addr_cells(np) + rt_ofw_io_size_cells(np);

    if (!read_size(np, "size", &pool->size) || !read_size(np, "alignment", &pool->alignment)
        || !is_absent_or_whole(np, "alloc-ranges", entry_cells))
    {
        return RT_DMA_PORT_BAD_NODE;
    }

    return RT_DMA_PORT_FOUND;
}

/* Returns shared pool `index`; null after the last. The tree keeps the node. */
static struct rt_ofw_node *find_shared_pool(uintptr_t index)
{
    struct rt_ofw_node *np, *parent = rt_ofw_find_node_by_path("/reserved-memory");

    rt_ofw_foreach_available_child_node(parent, np)
    {
        if (rt_ofw_node_is_compatible(np, "shared-dma-pool") && index-- == 0)
        {
            break;
        }
    }

    rt_ofw_node_put(parent);
    rt_ofw_node_put(np);

    return np;
}

/* Returns whether the device tree is unflattened. */
static int has_tree(void)
{
    struct rt_ofw_node *root = rt_ofw_find_node_by_path("/");

    rt_ofw_node_put(root);

    return root != RT_NULL;
}

int rt_dma_port_shared_pool(uintptr_t index, struct rt_dma_port_shared_pool *pool)
{
    struct rt_dma_port_region place = { 0, 0 };
    struct rt_ofw_node *np;
    int result;

    if (!has_tree())
    {
        return RT_DMA_PORT_NO_TREE;
    }

    np = find_shared_pool(index);

    if (!np)
    {
        return RT_DMA_PORT_END;
    }

    pool->node = np;
    pool->name = rt_ofw_node_full_name(np);
    pool->no_map = rt_dma_port_has_property(np, "no-map");
    pool->reusable = rt_dma_port_has_property(np, "reusable");
    pool->is_default = rt_dma_port_has_property(np, "linux,cma-default");
    pool->has_reg = rt_dma_port_has_property(np, "reg");
    pool->size = 0;
    pool->alignment = 0;

    result = pool->has_reg ? rt_dma_port_node_memory(np, &place) : read_request(np, pool);
    pool->start = place.start;
    pool->end = place.end;

    return result;
}

int rt_dma_port_alloc_range(void *node, uintptr_t index, uint64_t *start, uint64_t *size)
{
    int address_cells = rt_ofw_io_addr_cells(node), size_cells = rt_ofw_io_size_cells(node);
    int first_cell = (int)index * (address_cells + size_cells);

    if (!read_cells(node, "alloc-ranges", first_cell, address_cells, start)
        || !read_cells(node, "alloc-ranges", first_cell + address_cells, size_cells, size))
    {
        return RT_DMA_PORT_END;
    }

    return RT_DMA_PORT_FOUND;
}

#ifdef RT_USING_MEMBLOCK

/*
 * The name of the property until the memory is reserved. If it were `reg` from the beginning, the node would have
 * memory that may belong to another.
 */
#define FUTURE_REG_NAME "rt-dma-pool,reg"

/* Returns whether a number fits into this many cells. */
static int fits(uint64_t value, int cells)
{
    return cells == 2 || (cells == 1 && value >> 32 == 0);
}

/* Writes a number of one or two cells. Returns the address after it. */
static fdt32_t *write_cells(fdt32_t *cell, int cells, uint64_t value)
{
    if (cells == 2)
    {
        *cell++ = cpu_to_fdt32((rt_uint32_t)(value >> 32));
    }

    *cell++ = cpu_to_fdt32((rt_uint32_t)value);

    return cell;
}

/*
 * Returns the property that becomes the node's reg: that of an earlier try, or a new one. Returns null if the heap has
 * no room.
 */
static struct rt_ofw_prop *future_reg(struct rt_ofw_node *np, int length)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, FUTURE_REG_NAME, RT_NULL);
    void *value;

    if (prop)
    {
        return prop;
    }

    value = rt_calloc(1, length);

    if (!value)
    {
        return RT_NULL;
    }

    if (rt_ofw_append_prop(np, FUTURE_REG_NAME, length, value))
    {
        rt_free(value);

        return RT_NULL;
    }

    return rt_ofw_get_prop(np, FUTURE_REG_NAME, RT_NULL);
}

int rt_dma_port_reserve(void *node, uintptr_t start, uintptr_t end, int no_map)
{
    struct rt_ofw_node *np = node;
    int address_cells = rt_ofw_io_addr_cells(np), size_cells = rt_ofw_io_size_cells(np);
    struct rt_ofw_prop *prop;
    fdt32_t *value;

    if (!fits(start, address_cells) || !fits(end - start, size_cells))
    {
        return -1;
    }

    /* The property comes first, because it can be kept for another try. Memblock does not take a reservation back. */
    prop = future_reg(np, (address_cells + size_cells) * (int)sizeof(fdt32_t));

    /* Older headers declare the name without const. Memblock keeps the pointer, and does not write to the name. */
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

#endif /* RT_USING_MEMBLOCK */

#else /* !RT_USING_OFW */

int rt_dma_port_shared_pool(uintptr_t index, struct rt_dma_port_shared_pool *pool)
{
    RT_UNUSED(index);
    RT_UNUSED(pool);

    return RT_DMA_PORT_NO_TREE;
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

#if !defined(RT_USING_OFW) || !defined(RT_USING_MEMBLOCK)

int rt_dma_port_reserve(void *node, uintptr_t start, uintptr_t end, int no_map)
{
    RT_UNUSED(node);
    RT_UNUSED(start);
    RT_UNUSED(end);
    RT_UNUSED(no_map);

    return -1;
}

#endif /* !RT_USING_OFW || !RT_USING_MEMBLOCK */
