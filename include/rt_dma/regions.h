/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/regions.h
 * @brief Memory regions of the device tree: a device's own ones, reserved memory, and memory that is lent.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_REGIONS_H
#define RT_DMA_REGIONS_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Checks that a device has the memory region that its node names, and assigns it to the device if it does not belong to it yet.
 *
 * A device is served from all regions that its node names in `memory-region`, and needs no call for that. A driver calls this
 * function to learn whether a region is there, as drivers for Linux do by `of_reserved_mem_device_init_by_idx`, and after
 * `rt_dma_own_region_release`.
 *
 * @code{.c}
 * if (rt_dma_own_region_init(dev, RT_NULL, 0) != RT_EOK)
 * {
 *     rt_kprintf("the display has no memory of its own\n");
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] node The node that names the region: the device's own, or NULL for that one.
 * @param[in] index The number of the region in `memory-region`, from 0 on.
 * @retval RT_EOK The region is the device's.
 * @retval -RT_EINVAL `dev` is NULL, or `node` is another node.
 * @retval -RT_EEMPTY The node names no such region, or the region is refused: a line in the log gives the reason.
 * @retval -RT_EBUSY The caller may not sleep, or there is no memory for the bookkeeping.
 * @note Context: thread.
 */
intptr_t rt_dma_own_region_init(struct rt_device *dev,
                                const void *node,
                                uintptr_t index);

/**
 * @brief Ends a device's right to the regions that its node names: it is served from them no more.
 *
 * Buffers that the device has stay, and are freed as before. `rt_dma_own_region_init` gives the device the regions again.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @note Context: any.
 */
void rt_dma_own_region_release(struct rt_device *dev);

/**
 * @brief Serves those children of `/reserved-memory` with `compatible = "shared-dma-pool"` that no device asks for.
 *
 * - A node with `linux,cma-default` and `reusable` becomes a pool for every device, after the pools that are installed already.
 * - A node without `reg` gets the lowest free memory of memblock that fits its `size`, `alignment` and `alloc-ranges`.
 *   Memblock reserves the memory under the node's name, and its place becomes the node's `reg`, so that a device's
 *   `memory-region` finds it.
 * - Every other node is served when a device names it in `memory-region`, and needs no call.
 *
 * A board calls this function after `rt_fdt_unflatten` and `rt_dma_pool_extract`, and before a device that names such a node
 * allocates memory. Memblock holds memory only until `rt_memblock_setup_memory_environment`. An unedited RT-Thread calls that
 * function before `rt_fdt_unflatten`, so that a node without `reg` is refused. Then the board writes a `reg`, or its boot code
 * calls this function earlier. A second call does not repeat what the first did.
 *
 * @code{.c}
 * if (rt_dma_reserved_memory_install() != RT_EOK)
 * {
 *     rt_kprintf("a shared-dma-pool is not served\n");
 * }
 * @endcode
 *
 * If more than one node cannot be served, the error is that of the first. The other nodes are served. Each refused node has a
 * line in the log.
 *
 * @retval RT_EOK Every node is served, or there is none.
 * @retval -RT_EINVAL A node's properties do not fit together, it overlaps a pool, or the page allocator owns a part of its
 * `reg`.
 * @retval -RT_EEMPTY Memblock has no such memory (any more).
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_ENOSYS There is no device tree.
 * @retval -RT_EBUSY The caller may not sleep.
 * @note Context: thread.
 */
intptr_t rt_dma_reserved_memory_install(void);

/**
 * @brief Borrows memory of a `reusable` region of the device tree, which its owner does not use now.
 *
 * The memory is cached and mapped. When the owner's `rt_dma_alloc` finds no room, it calls `reclaim`, and waits at most 100
 * ticks for memory that is given back later than that.
 *
 * @code{.c}
 * static void drop_block(void *memory, rt_size_t size, void *arg)
 * {
 *     struct cache *cache = arg;
 *
 *     if (forget_block(cache, memory))
 *     {
 *         rt_dma_give_back(memory);
 *     }
 * }
 *
 * block = rt_dma_borrow(4096, drop_block, cache);
 * @endcode
 *
 * `reclaim` gets the memory, its size in bytes and `arg`. It calls `rt_dma_give_back`, or lets another thread do so soon. It runs
 * in the thread of the owner's driver, must not wait for that driver, and must return within a bounded time. It may be called
 * again. If the memory was given back meanwhile, it does nothing.
 *
 * Do not free the memory with `rt_dma_free`.
 *
 * @param[in] size Bytes to borrow, rounded up to whole pages.
 * @param[in] reclaim Gives the memory back.
 * @param[in] arg Argument of `reclaim`.
 * @return The memory; NULL if `size` is 0 or `reclaim` is NULL, no `reusable` region has room, an owner waits for memory, or
 * there is no memory for the bookkeeping.
 * @note Context: thread.
 */
void *rt_dma_borrow(uintptr_t size,
                    void (*reclaim)(void *memory, unsigned long size, void *arg),
                    void *arg);

/**
 * @brief Gives back memory of `rt_dma_borrow`.
 *
 * An address that is not borrowed is logged and counted, and changes nothing. NULL does nothing.
 *
 * @param[in] memory The memory.
 * @note Context: any. In a region larger than `RT_DMA_POOL_VIEW_LIMIT`, the call needs a thread.
 */
void rt_dma_give_back(void *memory);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_REGIONS_H */
