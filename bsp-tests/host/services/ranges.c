/* SPDX-License-Identifier: Apache-2.0 */
/* The translation of addresses between buses. */
#include <string.h>

#include <rtdevice.h>
#include <drivers/ofw_io.h>
#include "parts.h"

/*
 * Translates as RT-Thread does: by the ranges of the nearest bus above the node that has any. The first range that
 * contains the address counts. If none contains it, the address is returned unchanged. The ranges that were read first
 * are kept for the bus, whichever property they came from: a bus with both properties always translates by them.
 */
struct bus_ranges
{
    struct rt_ofw_node *np;
    int count;
    struct { rt_uint64_t child, parent, size; } ranges[8];
};

static struct bus_ranges all_ranges[64];
static int has_no_heap;

void host_fail_ranges(int on)
{
    has_no_heap = on;
}

void host_forget_ranges(void)
{
    memset(all_ranges, 0, sizeof(all_ranges));
}

static rt_uint64_t read_number(const fdt32_t **cell, int cells)
{
    rt_uint64_t value = 0;

    for (; cells > 0; cells--)
    {
        value = value << 32 | __builtin_bswap32(*(*cell)++);
    }
    return value;
}

static struct bus_ranges *ranges_of(struct rt_ofw_node *np, const struct rt_ofw_prop *prop)
{
    int child = rt_ofw_bus_addr_cells(np), size = rt_ofw_bus_size_cells(np), parent = rt_ofw_io_addr_cells(np);
    struct bus_ranges *bus = all_ranges;
    const fdt32_t *cell = prop->value;

    while (bus->np && bus->np != np)
    {
        RT_ASSERT(bus != &all_ranges[RT_ARRAY_SIZE(all_ranges) - 1]);
        bus++;
    }
    if (!bus->np)
    {
        host_need_thread("a bus's first translation");
        if (has_no_heap)
        {
            return RT_NULL;
        }
        bus->np = np;
        bus->count = prop->length / 4 / (child + parent + size);
        RT_ASSERT(bus->count <= (int)RT_ARRAY_SIZE(bus->ranges));
        for (int i = 0; i < bus->count; i++)
        {
            bus->ranges[i].child = read_number(&cell, child);
            bus->ranges[i].parent = read_number(&cell, parent);
            bus->ranges[i].size = read_number(&cell, size);
        }
    }
    return bus;
}

static rt_uint64_t translate(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address, int to_parent)
{
    struct rt_ofw_prop *prop = RT_NULL;
    struct bus_ranges *bus;
    rt_ssize_t length = 0;

    range_type = range_type ? range_type : "ranges";
    do
    {
        np = np ? np->parent : RT_NULL;
        prop = rt_ofw_get_prop(np, range_type, &length);
    }
    while (np && (!prop || !length));

    if (!np)
    {
        return address;
    }
    host_lock();
    bus = ranges_of(np, prop);
    host_unlock();
    for (int i = 0; bus && i < bus->count; i++)
    {
        rt_uint64_t child = bus->ranges[i].child, parent = bus->ranges[i].parent, size = bus->ranges[i].size;
        rt_uint64_t from = to_parent ? child : parent;

        if (address >= from && address < from + size)
        {
            return address - from + (to_parent ? parent : child);
        }
    }
    return bus ? address : ~(rt_uint64_t)0;
}

rt_uint64_t rt_ofw_translate_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address)
{
    return translate(np, range_type, address, 1);
}

rt_uint64_t rt_ofw_reverse_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address)
{
    return translate(np, range_type, address, 0);
}

struct rt_pci_host_bridge *rt_pci_find_host_bridge(struct rt_pci_bus *bus)
{
    return bus->host_bridge;
}
