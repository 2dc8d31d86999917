/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers with one mistake each. The command dma_wrong of drivers.c runs them with the debug mode on. A driver's function has the
 * name of its device, and is in a file that is named after the subject of its calls.
 */
#ifndef WRONG_H__
#define WRONG_H__

#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <rt_dma_debug.h>

#define SIZE        2048
#define COHERENT    (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)
#define UNMAPPED    ((void *)0x10)

/* A driver's own memory: in whole cache lines, and mapped linearly. */
extern char wrong_memory[2][SIZE];

/* Maps SIZE bytes, and checks the handle. Returns 0 if the map failed. */
rt_ubase_t wrong_map(struct rt_device *dev, void *buffer, int direction);

void free_size(struct rt_device *dev);
void free_call(struct rt_device *dev);
void free_device(struct rt_device *dev);
void free_handle(struct rt_device *dev);
void free_twice(struct rt_device *dev);
void free_foreign(struct rt_device *dev);
void block_foreign(struct rt_device *dev);
void held(struct rt_device *dev);
void held_managed(struct rt_device *dev);
void held_block(struct rt_device *dev);
void replaced(struct rt_device *dev);
void replaced_pool(struct rt_device *dev);
void replaced_managed(struct rt_device *dev);
void replaced_mask(struct rt_device *dev);
void unmap_size(struct rt_device *dev);
void unmap_direction(struct rt_device *dev);
void unmap_call(struct rt_device *dev);
void unmap_entry(struct rt_device *dev);
void unmap_buffer(struct rt_device *dev);
void unmap_device(struct rt_device *dev);
void unmap_count(struct rt_device *dev);
void unmap_twice(struct rt_device *dev);
void unmap_foreign(struct rt_device *dev);
void unmap_failed(struct rt_device *dev);
void unchecked(struct rt_device *dev);
void never_checked(struct rt_device *dev);
void map_twice(struct rt_device *dev);
void map_stack(struct rt_device *dev);
void map_unmapped(struct rt_device *dev);
void sync_foreign(struct rt_device *dev);
void sync_device(struct rt_device *dev);
void sync_end(struct rt_device *dev);
void sync_direction(struct rt_device *dev);
void sync_past_buffer(struct rt_device *dev);
void sync_freed(struct rt_device *dev);
void sync_nocache(struct rt_device *dev);
void sync_own_nocache(struct rt_device *dev);
void sync_cached(struct rt_device *dev);
void linux_entry(struct rt_device *dev);
void linux_list(struct rt_device *dev);
void linux_count(struct rt_device *dev);
void linux_coherent(struct rt_device *dev);
void linux_block(struct rt_device *dev);
void in_interrupt(struct rt_device *dev);

#endif
