/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses in the device tree, and their translation from bus to bus. */
#ifndef OFW_IO_H__
#define OFW_IO_H__

#include <drivers/ofw.h>

#ifdef __cplusplus
extern "C" {
#endif

int rt_ofw_bus_addr_cells(struct rt_ofw_node *np);
int rt_ofw_bus_size_cells(struct rt_ofw_node *np);
int rt_ofw_io_addr_cells(struct rt_ofw_node *np);
int rt_ofw_io_size_cells(struct rt_ofw_node *np);
int rt_ofw_get_address_count(struct rt_ofw_node *np);
rt_err_t rt_ofw_get_address(struct rt_ofw_node *np, int index, rt_uint64_t *out_address, rt_uint64_t *out_size);
rt_uint64_t rt_ofw_translate_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address);
rt_uint64_t rt_ofw_reverse_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address);

/* If the heap has no memory for a bus's ranges, the functions above return ~0, and these return the address unchanged. */
rt_inline rt_uint64_t rt_ofw_translate_dma2cpu(struct rt_ofw_node *np, rt_uint64_t address)
{
    rt_uint64_t on_bus = rt_ofw_reverse_address(np, "dma-ranges", address);
    rt_uint64_t cpu = rt_ofw_translate_address(np, "ranges", on_bus);

    return cpu != ~0ULL ? cpu : address;
}

rt_inline rt_uint64_t rt_ofw_translate_cpu2dma(struct rt_ofw_node *np, rt_uint64_t address)
{
    rt_uint64_t on_bus = rt_ofw_reverse_address(np, "ranges", address);
    rt_uint64_t dma = rt_ofw_translate_address(np, "dma-ranges", on_bus);

    return dma != ~0ULL ? dma : address;
}

#ifdef __cplusplus
}
#endif
#endif
