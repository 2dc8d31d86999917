/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the owners of memory share. */
#ifndef HOST_OWNERS_H__
#define HOST_OWNERS_H__

#include <rtdevice.h>
#include "kernel.h"

/* Memory that is in no boot pool. */
#define REGION_START    (HOST_RAM + 32 * MIB)

/* The node of a device that names the region with phandle 3. */
extern struct rt_ofw_node owner_node;
/* That region: 1 MiB from REGION_START + 3 MiB on. */
extern struct rt_ofw_node region_node;

/* Adds a device, always at the same address, as devices on a thread's stack may have it. */
struct rt_device *add_device(const char *name, struct rt_ofw_node *node);
/* Removes the device: its memory is overwritten. */
void remove_device(void);
/* Adds a device that owns the region, which allocates and frees a page of it, and removes the device. */
void use_region_of_removed_device(void);

/* In tables.c. */
void tables_of_the_bsp(void);
/* A BSP's own operations: own_alloc() hands out own_memory with the handle 0x1000. */
void *own_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void own_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);
extern void *own_memory;
/* Buffers of own_alloc() that are not freed. */
extern int own_buffers;

#endif
