/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The debug mode: which calls it checks. The linker passes each call of a function that is named in a line WATCH(name)
 * below to __wrap_name(), which checks it and calls the library's function, __real_name() (GNU ld, option --wrap).
 * SConscript reads the names from those lines. Calls within the library do not pass here, and without the option
 * nothing of this exists.
 */

#ifndef RT_DMA_PORT_DEBUG_H__
#define RT_DMA_PORT_DEBUG_H__

#include "rt_dma_port_rtthread.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

#include <rt_dma.h>
#include <rt_dma_debug.h>
#include "rt_dma_watch.h"

#define WATCH(name) \
    __typeof__(name) __real_##name, __wrap_##name

int list_dma_pool(int argc, char **argv);

WATCH(list_dma_pool);
WATCH(rt_dma_alloc);
WATCH(rt_dma_alloc_aligned);
WATCH(rt_dma_alloc_wc);
WATCH(rt_dma_block_pool_alloc);
WATCH(rt_dma_block_pool_create);
WATCH(rt_dma_block_pool_create_linux);
WATCH(rt_dma_block_pool_destroy);
WATCH(rt_dma_block_pool_free);
WATCH(rt_dma_block_pool_zalloc);
WATCH(rt_dma_free);
WATCH(rt_dma_map_page);
WATCH(rt_dma_map_sg);
WATCH(rt_dma_map_single);
WATCH(rt_dma_map_single_attrs);
WATCH(rt_dma_mapping_error);
WATCH(rt_dma_sync_in_data);
WATCH(rt_dma_sync_out_data);
WATCH(rt_dma_sync_sg_for_cpu);
WATCH(rt_dma_sync_sg_for_device);
WATCH(rt_dma_sync_single_for_cpu);
WATCH(rt_dma_sync_single_for_device);
WATCH(rt_dma_unmap_page);
WATCH(rt_dma_unmap_sg);
WATCH(rt_dma_unmap_sg_attrs);
WATCH(rt_dma_unmap_single);
WATCH(rt_dma_unmap_single_attrs);
WATCH(rt_dma_zalloc);
WATCH(rt_dma_zalloc_coherent);
WATCH(rt_dmam_alloc);
WATCH(rt_dmam_block_pool_create);
WATCH(rt_dmam_block_pool_create_linux);
WATCH(rt_dmam_block_pool_destroy);
WATCH(rt_dmam_free);
WATCH(rt_dmam_map_single);
WATCH(rt_dmam_release);
WATCH(rt_dmam_unmap_single);
WATCH(rt_dmam_zalloc_coherent);

/* In a __wrap_ function: the address in the driver to which the function returns. */
#define CALLER ((uintptr_t)__builtin_return_address(0))

/* The argument is_managed of the functions below: whether rt_dmam_release ends what the call makes. */
#define NOT_MANAGED 0
#define MANAGED 1

/* Returns the time in milliseconds. */
uintptr_t rt_dma_port_debug_now(void);

/*
 * Returns what the checks need to know of a call: its device, its caller, its time and its stack. The first call also
 * gives the debug mode its table. A call without a device is not checked, because the library refuses it.
 */
struct rt_dma_watch_call rt_dma_port_debug_begin(struct rt_device *dev, uintptr_t caller);

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */

#endif /* RT_DMA_PORT_DEBUG_H__ */
