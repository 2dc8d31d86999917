/* SPDX-License-Identifier: Apache-2.0 */
/* Functions with which the tests control the host stand-in, in addition to RT-Thread's interface. */
#ifndef HOST_KERNEL_H__
#define HOST_KERNEL_H__

#include <rtdevice.h>
#include <mm_memblock.h>

#define HOST_RAM        0x40000000UL
#ifndef HOST_RAM_SIZE
#define HOST_RAM_SIZE   (64UL << 20)
#endif
#define HOST_DMA_OFFSET 0x80000000UL

/* Starts the stand-in. */
void host_start(void);
/* Removes the page tables, as on a board that leaves the MMU off. */
void host_leave_mmu_off(void);
/* Return the numbers of heap blocks and of mappings in use. */
int host_heap_blocks(void);
int host_mappings(void);
/* Returns how many bytes were allocated from the heap until now, including those that were freed again. */
rt_size_t host_heap_requested(void);
/* Return how many bytes all cache flushes, and all invalidations, covered until now. */
rt_size_t host_flushed(void);
rt_size_t host_invalidated(void);
/* Returns the last text of rt_kprintf. */
const char *host_last_text(void);
/* Returns the text of rt_kprintf since host_forget_text(). */
const char *host_text(void);
void host_forget_text(void);
/* Sets the driver of the console. It is called for each piece of text, but not for text that it writes itself. */
void host_set_console(void (*driver)(void));
/* Sets a function that is called at the start of each unmap, as another core may run then; or none. */
void host_call_at_unmap(void (*function)(void));
/* Make the caller an interrupt, and a thread again. */
void host_enter_interrupt(void);
void host_leave_interrupt(void);
/*
 * Make the caller boot code, whose core has no thread: while the other cores run no threads yet, and while they run
 * some.
 */
void host_enter_boot_of_first_core(void);
void host_enter_boot_of_further_core(void);
/* Makes the caller a thread again. */
void host_leave_boot(void);
/* Returns the address at which the test reads what a device reads at a handle. */
void *host_device_view(rt_ubase_t handle);
/* Adds a region to the front of memblock's reserved list. */
void host_reserve(struct rt_mmblk_reg *region);
/* Adds memory to the front of memblock's list. */
void host_add_memory(struct rt_mmblk_reg *region);
/* Sets the range that the page allocator owns. */
void host_set_paged(rt_size_t start, rt_size_t end);
/* Put a node into the device tree under its phandle, and take it out again. */
void host_add_node(struct rt_ofw_node *node);
void host_remove_node(rt_phandle phandle);
/* The tree's root. */
void host_set_root(struct rt_ofw_node *node);
/* Makes rt_ofw_append_prop() fail (1) or work (0) from now on. */
void host_fail_append(int on);

/* Makes the heap refuse memory for a bus's ranges (1), or not (0), from now on. */
void host_fail_ranges(int on);
/* Forgets the ranges of every bus, so that they are read again. */
void host_forget_ranges(void);

/* Cells of the device tree. */
#define CELL(x)     __builtin_bswap32((rt_uint32_t)(x))
#define CELLS(x)    CELL((rt_uint64_t)(x) >> 32), CELL(x)
/* One range that moves RAM by HOST_DMA_OFFSET. Its cells have the order in which RT-Thread's translator reads them. */
#define HOST_DMA_RANGE  { CELLS(HOST_RAM), CELLS(HOST_RAM + HOST_DMA_OFFSET), CELLS(HOST_RAM_SIZE) }

/* The mask of a device that reaches every address. */
#define ALL_ADDRESSES     (~(rt_uint64_t)0)

/* The shell command, which the library defines. */
int list_dma_pool(int argc, char **argv);

#endif
