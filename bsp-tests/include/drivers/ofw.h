/* SPDX-License-Identifier: Apache-2.0 */
/* The unflattened device tree. */
#ifndef OFW_H__
#define OFW_H__

#include <rtthread.h>
#include <bitmap.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef rt_uint32_t rt_phandle;
typedef rt_uint32_t fdt32_t;    /* big-endian */

rt_inline fdt32_t cpu_to_fdt32(rt_uint32_t x)
{
    return __builtin_bswap32(x);
}

rt_inline rt_uint32_t fdt32_to_cpu(fdt32_t x)
{
    return __builtin_bswap32(x);
}

struct rt_ofw_prop
{
    const char *name;
    int length;
    void *value;
    struct rt_ofw_prop *next;
};

struct rt_ofw_node
{
    const char *name;
    const char *full_name;
    rt_phandle phandle;

    struct rt_device *dev;
    struct rt_ofw_prop *props;
    struct rt_ofw_node *parent;
    struct rt_ofw_node *child;
    struct rt_ofw_node *sibling;
};

struct rt_ofw_node *rt_ofw_node_get(struct rt_ofw_node *np);
void rt_ofw_node_put(struct rt_ofw_node *np);
struct rt_ofw_node *rt_ofw_get_parent(const struct rt_ofw_node *np);
struct rt_ofw_node *rt_ofw_get_next_available_child(const struct rt_ofw_node *parent, struct rt_ofw_node *prev);
struct rt_ofw_node *rt_ofw_find_node_by_path(const char *path);
struct rt_ofw_node *rt_ofw_get_next_node(struct rt_ofw_node *prev);
rt_bool_t rt_ofw_node_is_available(const struct rt_ofw_node *np);
rt_bool_t rt_ofw_node_is_compatible(const struct rt_ofw_node *np, const char *compatible);
struct rt_ofw_node *rt_ofw_parse_phandle(const struct rt_ofw_node *np, const char *phandle_name, int index);
struct rt_ofw_prop *rt_ofw_get_prop(const struct rt_ofw_node *np, const char *name, rt_ssize_t *out_length);
const fdt32_t *rt_ofw_prop_next_u32(struct rt_ofw_prop *prop, const fdt32_t *cur, rt_uint32_t *out_value);
int rt_ofw_prop_read_u32_array_index(const struct rt_ofw_node *np, const char *propname, int index, int nr,
        rt_uint32_t *out_values);
rt_err_t rt_ofw_append_prop(struct rt_ofw_node *np, const char *name, int length, void *value);
int rt_ofw_prop_index_of_string(const struct rt_ofw_node *np, const char *propname, const char *string);
int rt_ofw_prop_count_of_size(const struct rt_ofw_node *np, const char *propname, int size);

#define rt_ofw_foreach_allnodes(np) \
    for (np = rt_ofw_get_next_node(RT_NULL); np; np = rt_ofw_get_next_node(np))

#define rt_ofw_foreach_available_child_node(parent, child)                  \
    for (child = rt_ofw_get_next_available_child(parent, RT_NULL); child;   \
         child = rt_ofw_get_next_available_child(parent, child))

#define rt_ofw_foreach_prop_u32(np, propname, prop, p, u)   \
    for (prop = rt_ofw_get_prop(np, propname, RT_NULL),     \
        p = rt_ofw_prop_next_u32(prop, RT_NULL, &u); p;     \
        p = rt_ofw_prop_next_u32(prop, p, &u))

rt_inline const char *rt_ofw_node_full_name(const struct rt_ofw_node *np)
{
    return np ? np->full_name : "<no-node>";
}

rt_inline rt_bool_t rt_ofw_prop_read_bool(const struct rt_ofw_node *np, const char *propname)
{
    return rt_ofw_get_prop(np, propname, RT_NULL) ? RT_TRUE : RT_FALSE;
}

rt_inline rt_err_t rt_ofw_prop_read_u32_index(const struct rt_ofw_node *np, const char *propname, int index,
        rt_uint32_t *out_value)
{
    int nr = rt_ofw_prop_read_u32_array_index(np, propname, index, 1, out_value);

    return nr > 0 ? RT_EOK : (rt_err_t)nr;
}

rt_inline int rt_ofw_prop_count_of_u32(const struct rt_ofw_node *np, const char *propname)
{
    return rt_ofw_prop_count_of_size(np, propname, sizeof(rt_uint32_t));
}

#ifdef __cplusplus
}
#endif
#endif
