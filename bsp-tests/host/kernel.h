/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers' test sees of the host stand-in beside RT-Thread's interface. */
#ifndef HOST_KERNEL_H__
#define HOST_KERNEL_H__

#include <rtdevice.h>
#include <mm_memblock.h>

#define HOST_RAM        0x40000000UL
#ifndef HOST_RAM_SIZE
#define HOST_RAM_SIZE   (64UL << 20)
#endif
#define HOST_DMA_OFFSET 0x80000000UL

/* Switches the machine on. */
void host_start(void);
/* Takes the page tables away: a board that leaves the MMU off. */
void host_leave_mmu_off(void);
/* Heap blocks and mappings that are in use. */
int host_heap_blocks(void);
int host_mappings(void);
/* Bytes of all cache flushes so far. */
rt_size_t host_flushed(void);
/* What rt_kprintf wrote last. */
const char *host_last_text(void);
/* What rt_kprintf wrote since host_forget_text. */
const char *host_text(void);
void host_forget_text(void);
/* The driver of the device that text is written through: called with each piece of it, but not for its own text. */
void host_set_console(void (*driver)(void));
/* The caller is an interrupt from here on, or a thread again. */
void host_interrupt(int on);
/* Where a device finds memory. */
void *host_device_view(rt_ubase_t handle);
/* Adds a region to memblock's reserved list, in front. */
void host_reserve(struct rt_mmblk_reg *region);
/* Adds memory to memblock's list, in front. */
void host_add_memory(struct rt_mmblk_reg *region);
/* What the page allocator has. */
void host_set_paged(rt_size_t start, rt_size_t end);
/* Lets rt_ofw_find_node_by_phandle find a node. */
void host_add_node(struct rt_ofw_node *node);
void host_remove_node(rt_phandle phandle);
/* The tree's root. */
void host_set_root(struct rt_ofw_node *node);
/* rt_ofw_append_prop fails from here on, or works again. */
void host_fail_append(int on);

/* The heap has no room for a bus's ranges from here on, or has some again. */
void host_fail_ranges(int on);
/* Reads the ranges of every bus anew. */
void host_forget_ranges(void);

/* Cells of the device tree. */
#define CELL(x)     __builtin_bswap32((rt_uint32_t)(x))
#define CELLS(x)    CELL((rt_uint64_t)(x) >> 32), CELL(x)
/* One range that moves all of RAM by HOST_DMA_OFFSET, in the order in which RT-Thread's translator reads it. */
#define HOST_DMA_RANGE  { CELLS(HOST_RAM), CELLS(HOST_RAM + HOST_DMA_OFFSET), CELLS(HOST_RAM_SIZE) }

#endif
