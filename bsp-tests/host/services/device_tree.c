/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and firmware: the node of a device is its ofw_node, and a list of properties in each node is the device tree. */
#include <string.h>

#include <rtdevice.h>
#include <drivers/ofw_io.h>
#include "parts.h"

const char *rt_dm_dev_get_name(rt_device_t dev)
{
    return dev->parent.name;
}

struct rt_ofw_prop *rt_ofw_get_prop(const struct rt_ofw_node *np, const char *name, rt_ssize_t *out_length)
{
    for (struct rt_ofw_prop *prop = np ? np->props : RT_NULL; prop; prop = prop->next)
    {
        if (!strcmp(prop->name, name))
        {
            if (out_length)
            {
                *out_length = prop->length;
            }
            return prop;
        }
    }
    return RT_NULL;
}

rt_bool_t rt_dm_dev_prop_read_bool(rt_device_t dev, const char *propname)
{
    return rt_ofw_get_prop(dev->ofw_node, propname, RT_NULL) != RT_NULL;
}

/* The node's strings follow each other; each ends with a zero byte. */
int rt_ofw_prop_index_of_string(const struct rt_ofw_node *np, const char *propname, const char *string)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, propname, RT_NULL);
    const char *value = prop ? prop->value : RT_NULL;

    for (int index = 0, at = 0; prop && at < prop->length; index++, at += strlen(value + at) + 1)
    {
        if (!strcmp(value + at, string))
        {
            return index;
        }
    }
    return -1;
}

static struct rt_ofw_node *nodes[8];

void host_add_node(struct rt_ofw_node *node)
{
    nodes[node->phandle] = node;
}

void host_remove_node(rt_phandle phandle)
{
    nodes[phandle] = RT_NULL;
}

struct rt_ofw_node *rt_ofw_get_next_node(struct rt_ofw_node *prev)
{
    for (size_t i = prev ? prev->phandle + 1 : 0; i < RT_ARRAY_SIZE(nodes); i++)
    {
        if (nodes[i])
        {
            return nodes[i];
        }
    }
    return RT_NULL;
}

void rt_ofw_node_put(struct rt_ofw_node *np)
{
    RT_UNUSED(np);
}

static struct rt_ofw_node *root;

void host_set_root(struct rt_ofw_node *node)
{
    root = node;
}

/* Only paths of one level: the port uses no others. */
struct rt_ofw_node *rt_ofw_find_node_by_path(const char *path)
{
    for (struct rt_ofw_node *np = root ? root->child : RT_NULL; np && path[1]; np = np->sibling)
    {
        if (!strcmp(np->full_name, path + 1))
        {
            return np;
        }
    }
    return path[1] ? RT_NULL : root;
}

rt_bool_t rt_ofw_node_is_available(const struct rt_ofw_node *np)
{
    struct rt_ofw_prop *status = rt_ofw_get_prop(np, "status", RT_NULL);

    return np && (!status || !strcmp(status->value, "okay") || !strcmp(status->value, "ok"));
}

struct rt_ofw_node *rt_ofw_get_next_available_child(const struct rt_ofw_node *parent, struct rt_ofw_node *prev)
{
    struct rt_ofw_node *next = !parent ? RT_NULL : prev ? prev->sibling : parent->child;

    while (next && !rt_ofw_node_is_available(next))
    {
        next = next->sibling;
    }
    return next;
}

rt_bool_t rt_ofw_node_is_compatible(const struct rt_ofw_node *np, const char *compatible)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, "compatible", RT_NULL);

    return prop && !strcmp(prop->value, compatible);
}

static int fail_append;

void host_fail_append(int on)
{
    fail_append = on;
}

rt_err_t rt_ofw_append_prop(struct rt_ofw_node *np, const char *name, int length, void *value)
{
    struct rt_ofw_prop **last = &np->props;

    if (fail_append)
    {
        return -RT_ENOMEM;
    }
    while (*last)
    {
        last = &(*last)->next;
    }
    *last = rt_calloc(1, sizeof(**last));
    **last = (struct rt_ofw_prop) { name, length, value, RT_NULL };
    return RT_EOK;
}

/* The cell counts are those of the nearest bus above that has the property. */
static int bus_cells(struct rt_ofw_node *np, const char *name)
{
    rt_uint32_t cells;

    if (!np)
    {
        return -RT_EINVAL;
    }
    for (; np; np = np->parent)
    {
        if (!rt_ofw_prop_read_u32_index(np, name, 0, &cells))
        {
            return (int)cells;
        }
    }
    return 2;
}

int rt_ofw_bus_addr_cells(struct rt_ofw_node *np)
{
    return bus_cells(np, "#address-cells");
}

int rt_ofw_bus_size_cells(struct rt_ofw_node *np)
{
    return bus_cells(np, "#size-cells");
}

int rt_ofw_io_addr_cells(struct rt_ofw_node *np)
{
    return rt_ofw_bus_addr_cells(np && np->parent ? np->parent : np);
}

int rt_ofw_io_size_cells(struct rt_ofw_node *np)
{
    return rt_ofw_bus_size_cells(np && np->parent ? np->parent : np);
}

int rt_ofw_prop_read_u32_array_index(const struct rt_ofw_node *np, const char *propname, int index, int nr,
        rt_uint32_t *out_values)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, propname, RT_NULL);

    if (!prop || (index + nr) * 4 > prop->length)
    {
        return -RT_EINVAL;
    }
    for (int i = 0; i < nr; i++)
    {
        out_values[i] = __builtin_bswap32(((fdt32_t *)prop->value)[index + i]);
    }
    return nr;
}

int rt_ofw_get_address_count(struct rt_ofw_node *np)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, "reg", RT_NULL);

    return prop ? prop->length / (4 * (rt_ofw_io_addr_cells(np) + rt_ofw_io_size_cells(np))) : 0;
}

/*
 * The address is translated by the ranges of the bus above, as in RT-Thread: it is all ones if the heap has no room for
 * their table. If the reg is too short, this reads on after its end, as RT-Thread does. The next words of a flattened tree are the
 * tag of the next property, which is 3, and the length of that property, for which 0 stands here.
 */
rt_err_t rt_ofw_get_address(struct rt_ofw_node *np, int index, rt_uint64_t *out_address, rt_uint64_t *out_size)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, "reg", RT_NULL);
    int address_cells = rt_ofw_io_addr_cells(np), size_cells = rt_ofw_io_size_cells(np);
    rt_uint64_t number[2] = { 0, 0 };

    if (!prop || index * (address_cells + size_cells) >= prop->length / 4)
    {
        return -RT_EINVAL;
    }
    for (int i = 0; i < address_cells + size_cells; i++)
    {
        int at = index * (address_cells + size_cells) + i - prop->length / 4;
        rt_uint32_t cell = at < 0 ? fdt32_to_cpu(((fdt32_t *)prop->value)[at + prop->length / 4]) : at == 0 ? 3 : 0;

        number[i >= address_cells] = number[i >= address_cells] << 32 | cell;
    }
    *out_address = rt_ofw_translate_address(np, RT_NULL, number[0]);
    *out_size = number[1];
    return RT_EOK;
}
