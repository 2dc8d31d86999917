/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of devices that reach a part of memory share. */
#ifndef HOST_ADDRESSES_H__
#define HOST_ADDRESSES_H__

#include <rtdevice.h>
#include <mm_aspace.h>
#include "expect.h"
#include "kernel.h"

#define PAGE    ARCH_PAGE_SIZE

/* The start of the memory that board_init() gives to pools. */
#define POOLS_START (HOST_RAM + 16 * MIB)

/* A device below a bus that is itself below another bus. */
struct branch
{
    struct rt_ofw_prop upper_props[1], props[4];
    struct rt_ofw_node upper, bus, node;
    struct rt_device dev;
};

/* Makes a device below a bus with these ranges, whose addresses and sizes have two cells each. */
struct rt_device *device_below_bus(struct branch *branch, fdt32_t *ranges, rt_size_t size);
/* As device_below_bus(), with other numbers of cells: each is the value of a property. */
struct rt_device *device_below_bus_with_cells(struct branch *branch, fdt32_t *ranges, rt_size_t size,
        fdt32_t *address_cells, fdt32_t *size_cells);
/* Returns whether the device gets memory at `pa` with the expected handle, from all calls. Frees the memory. */
int is_served(struct rt_device *dev, rt_size_t size, rt_ubase_t pa, rt_ubase_t expected);
/* Returns whether every call refuses memory to the device. */
int is_refused(struct rt_device *dev);

#endif
