/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library has beyond RT-Thread's drivers/dma.h, beside which it may be included. Types are pointer-sized, as
 * RT-Thread's: rt_size_t and rt_ubase_t are uintptr_t here, rt_err_t is intptr_t.
 */
#ifndef RT_DMA_H
#define RT_DMA_H


/**
 * A device; only the port looks inside.
 */
struct rt_device;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Sets the streaming mask: which addresses the device can name in what is mapped for it.
 *
 * `mask` has a one for each address bit that the device drives: `0xffffffff` for 32. A device that has set none has
 * all ones. Returns `RT_EOK`; `-RT_EINVAL` if `dev` is null or `mask` zero; `-RT_EIO` if no page of any installed pool
 * that serves the device lies wholly within the mask; `-RT_ENOMEM`; `-RT_EBUSY` if it needs a thread. A failure changes
 * nothing. Thread for a device's first mask, and for its first call at all; then any context.
 */
intptr_t rt_dma_set_mask(struct rt_device *dev,
                         uint64_t mask);

/**
 * Sets the coherent mask: from then on `rt_dma_alloc` and all that is built on it give the device only buffers whose
 * handles, from the first byte to the last, lie within `mask`; also from the reachable part of a pool that straddles it.
 * Buffers that the device holds already stay, and are freed as ever.
 *
 * Where the BSP gave the device an allocation of its own, that allocates, and what lies beyond the mask is given back to
 * it. A BSP that gives a device operations of its own does so before: later it takes the mask away.
 *
 * Returns and context as `rt_dma_set_mask`.
 */
intptr_t rt_dma_set_coherent_mask(struct rt_device *dev,
                                  uint64_t mask);

/**
 * Sets the streaming and the coherent mask, or neither.
 *
 * Returns and context as `rt_dma_set_mask`.
 */
intptr_t rt_dma_set_mask_and_coherent(struct rt_device *dev, uint64_t mask);

/**
 * The streaming mask: all ones if none was set, 0 if `dev` is null. Any context.
 */
uint64_t rt_dma_get_mask(struct rt_device *dev);

/**
 * The coherent mask: all ones if none was set, 0 if `dev` is null. Any context.
 */
uint64_t rt_dma_get_coherent_mask(struct rt_device *dev);

/**
 * Allocates a buffer as `rt_dma_alloc` does, and ties it to the device: `rt_dmam_release` frees it.
 *
 * Returns null also without memory for the bookkeeping (64 bytes, and about 100 for a device's first). Thread.
 */
void *rt_dmam_alloc(struct rt_device *dev,
                    uintptr_t size,
                    uintptr_t *dma_handle,
                    uintptr_t flags);

/**
 * Gives back, before `rt_dmam_release` would, a buffer of `rt_dmam_alloc`.
 *
 * `size`, `cpu_addr` and `dma_handle` are those of its `rt_dmam_alloc`; a zero `dma_handle` says that the caller did not
 * ask for it. What is no managed buffer of the device (any more) is logged and counted, and changes nothing. Null `dev`
 * or `cpu_addr`, or zero `size`, does nothing. Thread.
 */
void rt_dmam_free(struct rt_device *dev,
                  uintptr_t size,
                  void *cpu_addr,
                  uintptr_t dma_handle);

/**
 * Releases all that is tied to the device (buffers, pools, mappings), the newest first: what a driver calls when it goes.
 *
 * Whoever calls it twice, or from two threads at once, has each released once. Null `dev` does nothing; in an interrupt
 * it is counted, and does nothing. Thread.
 */
void rt_dmam_release(struct rt_device *dev);

/**
 * Serves those children of the device tree's `/reserved-memory` with `compatible = "shared-dma-pool"` that no device
 * asks for.
 *
 * A node with `linux,cma-default` and `reusable` becomes a pool for everyone, behind those that are installed already.
 * A node without `reg` is given the lowest memory that memblock holds free, of its `size`, `alignment` and
 * `alloc-ranges`; memblock reserves it under the node's name, and it becomes the node's `reg`, so that `memory-region`
 * finds it. All other nodes are served by `memory-region` alone.
 *
 * To be called after `rt_fdt_unflatten` and `rt_dma_pool_extract`, and before a device that names such a node asks for
 * memory. Memblock holds memory only until `rt_memblock_setup_memory_environment`: for nodes without `reg` a BSP calls
 * this before that. What is done already is not done again.
 *
 * Returns `RT_EOK`, also if there is nothing to do; else what was wrong with the first node that cannot be served, while
 * the others are, with a line in the log for each: `-RT_EINVAL` if its properties do not fit together or it overlaps a
 * pool, `-RT_EEMPTY` if memblock has no such memory (any more), `-RT_ENOMEM` without memory for the bookkeeping. And
 * `-RT_ENOSYS` without a device tree, `-RT_EBUSY` in an interrupt. Thread.
 */
intptr_t rt_dma_reserved_memory_install(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
