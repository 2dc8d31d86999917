/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Addresses of devices on a bus with dma-ranges. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_OFW

#include "rt_dma_port_ofw.h"

/*
 * RT-Thread's functions that translate by one step return this if they have no table of the bus's ranges: the heap has
 * no room for it, or the ranges cannot be read.
 */
#define NO_TABLE (~(rt_uint64_t)0)

/* An address in the device tree has 64 bits. This processor does not reach one that does not fit into a pointer. */
static uintptr_t to_pointer_size(rt_uint64_t address)
{
    if ((uintptr_t)address != address)
    {
        return RT_DMA_PORT_UNMAPPED;
    }

    return (uintptr_t)address;
}

/* Returns the nearest bus above a node that has ranges of this kind. RT-Thread translates by these ranges. */
static struct rt_ofw_node *find_bus_with(struct rt_ofw_node *np, const char *kind)
{
    rt_ssize_t length;

    for (np = np ? np->parent : RT_NULL; np; np = np->parent)
    {
        if (rt_ofw_get_prop(np, kind, &length) && length > 0)
        {
            break;
        }
    }

    return np;
}

int rt_dma_port_has_dma_ranges(void *dev)
{
    return find_bus_with(rt_dma_port_ofw_node(dev), "dma-ranges") != RT_NULL;
}

/* One range of a bus. */
struct bus_range
{
    /* First address, as the devices of the bus see it. */
    rt_uint64_t child;
    /* First address, as the bus above sees it. */
    rt_uint64_t parent;
    /* Bytes. */
    rt_uint64_t size;
};

/* The ranges of one kind of a bus. */
struct bus_ranges
{
    const fdt32_t *cells;
    /* How many cells each number of a range has. */
    int child_cells, parent_cells, size_cells;
    /* How many complete ranges there are. */
    int count;
};

/* Reads the ranges of this kind of a bus. There are none without a bus, or if they cannot be read. */
static void read_ranges(struct rt_ofw_node *np, const char *kind, struct bus_ranges *ranges)
{
    const struct rt_ofw_prop *prop = np ? rt_ofw_get_prop(np, kind, RT_NULL) : RT_NULL;
    int cells;

    ranges->count = 0;

    if (!prop || !prop->value)
    {
        return;
    }

    ranges->cells = prop->value;
    ranges->child_cells = rt_ofw_bus_addr_cells(np);
    ranges->parent_cells = rt_ofw_io_addr_cells(np);
    ranges->size_cells = rt_ofw_bus_size_cells(np);

    if (ranges->child_cells < 0 || ranges->parent_cells < 0 || ranges->size_cells < 0)
    {
        return;
    }

    cells = ranges->child_cells + ranges->parent_cells + ranges->size_cells;
    ranges->count = cells ? prop->length / (int)sizeof(fdt32_t) / cells : 0;
}

/* Reads a number, and moves on to the next one. As in RT-Thread, only the last two of more cells count. */
static rt_uint64_t next_number(const fdt32_t **cell, int cells)
{
    rt_uint64_t number = 0;

    while (cells-- > 0)
    {
        number = number << 32 | fdt32_to_cpu(*(*cell)++);
    }

    return number;
}

static struct bus_range range_at(const struct bus_ranges *ranges, int index)
{
    struct bus_range range;
    const fdt32_t *cell = ranges->cells
            + index * (ranges->child_cells + ranges->parent_cells + ranges->size_cells);

    range.child = next_number(&cell, ranges->child_cells);
    range.parent = next_number(&cell, ranges->parent_cells);
    range.size = next_number(&cell, ranges->size_cells);

    return range;
}

/*
 * Shortens a distance after `address`, so that it ends before `edge`. An edge at or before `address` changes nothing.
 */
static rt_uint64_t end_before(rt_uint64_t distance, rt_uint64_t address, rt_uint64_t edge)
{
    if (edge <= address)
    {
        return distance;
    }

    return edge - address - 1 < distance ? edge - address - 1 : distance;
}

/*
 * Returns how many of the `distance` bytes after `address` come before the next beginning or end of a range. It does
 * not matter which of the two addresses of a range is the processor's: both are compared.
 */
static rt_uint64_t distance_to_edge(const struct bus_ranges *ranges, rt_uint64_t address, rt_uint64_t distance)
{
    for (int i = 0; i < ranges->count; i++)
    {
        struct bus_range range = range_at(ranges, i);

        distance = end_before(distance, address, range.child);
        distance = end_before(distance, address, range.child + range.size);
        distance = end_before(distance, address, range.parent);
        distance = end_before(distance, address, range.parent + range.size);
    }

    return distance;
}

/* Returns whether a range maps `address` to itself. */
static int is_mapped_to_itself(const struct bus_ranges *ranges, rt_uint64_t address)
{
    for (int i = 0; i < ranges->count; i++)
    {
        struct bus_range range = range_at(ranges, i);

        if (range.child == range.parent && address >= range.child && address - range.child < range.size)
        {
            return 1;
        }
    }

    return 0;
}

/*
 * Returns whether RT-Thread's translator reads these ranges at all. It keeps one table for each bus, not one for each
 * property: if a bus has "ranges" too, and they were read first (for the registers of a device, for example), it uses
 * them for DMA as well. To find out, this function translates the first address of each range, and compares the result
 * with what the first range that contains the address gives.
 */
static int ranges_are_read(struct rt_ofw_node *np, const struct bus_ranges *ranges)
{
    for (int i = 0; i < ranges->count; i++)
    {
        rt_uint64_t address = range_at(ranges, i).child, expected = address, found;

        /* From the last range to the first, so that the first one that contains the address decides. */
        for (int j = ranges->count - 1; j >= 0; j--)
        {
            struct bus_range range = range_at(ranges, j);

            /* RT-Thread's translator compares like this, also where the sum exceeds 64 bits. */
            if (address >= range.child && address < range.child + range.size)
            {
                expected = address - range.child + range.parent;
            }
        }

        found = rt_ofw_translate_address(np, "dma-ranges", address);

        if (found != expected && found != NO_TABLE)
        {
            return 0;
        }
    }

    return 1;
}

/* The two steps of a translation, each with its bus, which may be null, and the ranges of that bus. */
struct translation
{
    struct rt_ofw_node *bus, *dma_bus;
    struct bus_ranges ranges, dma_ranges;
};

/*
 * Returns how many bytes after a physical address lie in the same ranges as the address, in both steps. The first step
 * leads to `on_bus`.
 */
static rt_uint64_t distance_in_same_ranges(const struct translation *steps, uintptr_t pa, rt_uint64_t on_bus)
{
    struct bus_ranges other;
    /* Up to the highest address on either side. */
    rt_uint64_t distance = UINTPTR_MAX - pa < ~on_bus ? UINTPTR_MAX - pa : ~on_bus;

    distance = distance_to_edge(&steps->ranges, pa, distance);
    distance = distance_to_edge(&steps->dma_ranges, on_bus, distance);

    /* RT-Thread may translate by the other property of a bus: see ranges_are_read(). */
    if (steps->bus == steps->dma_bus)
    {
        distance = distance_to_edge(&steps->ranges, on_bus, distance);

        return distance_to_edge(&steps->dma_ranges, pa, distance);
    }

    read_ranges(steps->dma_bus, "ranges", &other);
    distance = distance_to_edge(&other, on_bus, distance);
    read_ranges(steps->bus, "dma-ranges", &other);

    return distance_to_edge(&other, pa, distance);
}

/*
 * Ends a translation of which one step, by these ranges, has no table. If there are ranges, the heap had no room for
 * the table. If not, they cannot be read, and RT-Thread leaves every address unchanged.
 */
static int end_without_table(const struct bus_ranges *ranges, uintptr_t pa, uintptr_t *handle, uintptr_t *last)
{
    if (ranges->count > 0)
    {
        return RT_DMA_PORT_NO_HEAP;
    }

    *handle = pa;
    *last = UINTPTR_MAX;

    return RT_DMA_PORT_FOUND;
}

/*
 * Returns whether no range covers an address that the second step left unchanged. RT-Thread's translator leaves an
 * address unchanged in two cases: a range maps it to itself, or no range covers it. In the first case both addresses of
 * the range are equal, so it does not matter in which order the kernel reads them. (5.2.2 reads them in the opposite
 * order to the binding, and boards are adapted to that.) Without ranges, or if the kernel does not read them, every
 * address is covered.
 */
static int is_uncovered(struct rt_ofw_node *np, const struct bus_ranges *ranges, rt_uint64_t on_bus)
{
    return ranges->count > 0 && !is_mapped_to_itself(ranges, on_bus) && ranges_are_read(np, ranges);
}

/*
 * Takes the two steps of RT-Thread's translator: back through the "ranges" of the nearest bus that has any, then
 * through the "dma-ranges" of the nearest bus that has those. rt_ofw_translate_cpu2dma() takes the same steps, but is
 * not called: if a step fails because the heap has no room, it returns the address unchanged, and the device may have
 * another address for this memory.
 *
 * Example, as 5.2.2 reads ranges, for a device on the lower of two buses:
 *
 *     upper bus:  ranges     = <0x00000000 0x40000000 0x40000000>;
 *     lower bus:  dma-ranges = <0x00000000 0xc0000000 0x20000000>;
 *
 *     pa          on_bus      handle
 *     0x40001000  0x00001000  0xc0001000  The second step changes it: a range covers it.
 *     0x60001000  0x20001000  0x20001000  The second step leaves it unchanged: no range covers it.
 *
 * The first translation through a bus reads its ranges into the heap, so it needs a thread.
 */
int rt_dma_port_bus_range(void *dev, uintptr_t pa, uintptr_t *handle, uintptr_t *last)
{
    struct rt_ofw_node *np = rt_dma_port_ofw_node(dev);
    struct translation steps;
    rt_uint64_t on_bus, translated;

    steps.bus = find_bus_with(np, "ranges");
    read_ranges(steps.bus, "ranges", &steps.ranges);
    steps.dma_bus = find_bus_with(np, "dma-ranges");
    read_ranges(steps.dma_bus, "dma-ranges", &steps.dma_ranges);
    on_bus = rt_ofw_reverse_address(np, "ranges", pa);

    if (on_bus == NO_TABLE)
    {
        return end_without_table(&steps.ranges, pa, handle, last);
    }

    translated = rt_ofw_translate_address(np, "dma-ranges", on_bus);

    if (translated == NO_TABLE)
    {
        return end_without_table(&steps.dma_ranges, pa, handle, last);
    }

    if (translated == on_bus && is_uncovered(np, &steps.dma_ranges, on_bus))
    {
        translated = RT_DMA_PORT_UNMAPPED;
    }

    *handle = to_pointer_size(translated);
    *last = pa + (uintptr_t)distance_in_same_ranges(&steps, pa, on_bus);

    return RT_DMA_PORT_FOUND;
}

uintptr_t rt_dma_port_cpu_address(void *dev, uintptr_t handle)
{
    return to_pointer_size(rt_ofw_translate_dma2cpu(rt_dma_port_ofw_node(dev), handle));
}

#else /* !RT_USING_OFW */

int rt_dma_port_has_dma_ranges(void *dev)
{
    RT_UNUSED(dev);

    return 0;
}

int rt_dma_port_bus_range(void *dev, uintptr_t pa, uintptr_t *handle, uintptr_t *last)
{
    RT_UNUSED(dev);

    *handle = pa;
    *last = UINTPTR_MAX;

    return RT_DMA_PORT_FOUND;
}

uintptr_t rt_dma_port_cpu_address(void *dev, uintptr_t handle)
{
    RT_UNUSED(dev);

    return handle;
}

#endif /* RT_USING_OFW */
