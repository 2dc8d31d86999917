/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dmapool.h
 * @brief For porting drivers from Linux: pools of small coherent blocks, as inline calls of rt_dma_block_pool_*.
 *
 * @code{.c}
 * struct dma_pool *pool = dma_pool_create("descriptors", dev, sizeof(struct descriptor), 16, 0);
 * dma_addr_t handle;
 * struct descriptor *descriptor = pool ? dma_pool_zalloc(pool, GFP_KERNEL, &handle) : NULL;
 *
 * if (descriptor)
 * {
 *     start_and_wait(handle);
 *     dma_pool_free(pool, descriptor, handle);
 * }
 * dma_pool_destroy(pool);
 * @endcode
 *
 * Names, arguments and results are those of Linux's Documentation/core-api/dma-api.rst. What differs:
 *
 * - dma_pool_destroy() leaves a pool unchanged while blocks of it are in use, and logs their number and the addresses
 *   of the first eight.
 * - A block may be allocated in an interrupt, with any GFP flags. Threads keep a few blocks ready for that purpose;
 *   rt_dma_block_pool_fill() makes more ready.
 */
#ifndef RT_DMA_LINUX_DMAPOOL_H
#define RT_DMA_LINUX_DMAPOOL_H

#include <linux/dma-mapping.h>

/* The name that drivers use for a struct rt_dma_block_pool. */
struct dma_pool;

/** @brief Returns the library's pool for Linux's pointer. */
static inline struct rt_dma_block_pool *dma_linux_block_pool(struct dma_pool *pool)
{
    return (struct rt_dma_block_pool *)(void *)pool;
}

/**
 * @brief Creates a pool of blocks of `size` bytes.
 *
 * A `size` of less than 16 is raised to 16. Then it is rounded up to a multiple of `align`. The blocks are the memory
 * that dma_alloc_coherent() returns.
 *
 * @param[in] name Name for the log. May be NULL.
 * @param[in] dev The device.
 * @param[in] size Bytes in a block: 1 to 2^31 - 1, on a 32-bit processor also when rounded up to pages.
 * @param[in] align Every block begins at a multiple of it for the device. A power of two; 0 means 1.
 * @param[in] boundary No block crosses a multiple of it. A power of two that is not less than the rounded size; 0 means
 * no boundary.
 * @return The pool; NULL if an argument is wrong, there is no memory for the bookkeeping, or the caller may not sleep.
 * @note Context: thread.
 */
static inline struct dma_pool *dma_pool_create(const char *name, dma_device_t dev, size_t size, size_t align,
        size_t boundary)
{
    return (struct dma_pool *)(void *)rt_dma_block_pool_create_linux(name, dma_rt_device(dev), size,
            align, boundary);
}

/** @brief Creates a pool as dma_pool_create() does. The NUMA node has no effect, because there is only one. */
static inline struct dma_pool *dma_pool_create_node(const char *name, dma_device_t dev, size_t size, size_t align,
        size_t boundary, int node)
{
    (void)node;
    return dma_pool_create(name, dev, size, align, boundary);
}

/**
 * @brief Allocates a block, and clears it if `mem_flags` has `__GFP_ZERO`.
 *
 * @param[in] pool The pool. With NULL the call returns NULL.
 * @param[in] mem_flags Flags other than `__GFP_ZERO` have no effect.
 * @param[out] handle Receives the block's address for the device.
 * @return The block; NULL if there is no memory. Then `*handle` is not written.
 * @note Context: any.
 */
static inline void *dma_pool_alloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle)
{
    rt_ubase_t address = 0;
    void *block = (mem_flags & __GFP_ZERO) ? rt_dma_block_pool_zalloc(dma_linux_block_pool(pool), &address)
                                           : rt_dma_block_pool_alloc(dma_linux_block_pool(pool), &address);

    if (block)
    {
        *handle = address;
    }
    return block;
}

/**
 * @brief Allocates a block as dma_pool_alloc() does, with the same arguments, and clears it.
 *
 * @note Context: any.
 */
static inline void *dma_pool_zalloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle)
{
    return dma_pool_alloc(pool, mem_flags | __GFP_ZERO, handle);
}

/**
 * @brief Frees a block.
 *
 * If the block is free already, is not of this pool, or has another handle, the call changes nothing. It is counted,
 * and logged where the caller may sleep.
 *
 * @param[in] pool The pool. With NULL the call does nothing.
 * @param[in] vaddr The block. With NULL the call does nothing.
 * @param[in] addr The handle that the allocation returned.
 * @note Context: any.
 */
static inline void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr)
{
    rt_dma_block_pool_free(dma_linux_block_pool(pool), vaddr, dma_linux_handle(addr));
}

/**
 * @brief Destroys a pool. While blocks of it are in use, it stays unchanged.
 *
 * @param[in] pool The pool. With NULL the call does nothing.
 * @note Context: thread.
 */
static inline void dma_pool_destroy(struct dma_pool *pool)
{
    if (pool)
    {
        (void)rt_dma_block_pool_destroy(dma_linux_block_pool(pool));
    }
}

/**
 * @brief Creates a pool as dma_pool_create() does, with the same arguments. rt_dmam_release() destroys it if the driver
 * did not.
 *
 * @note Context: thread.
 */
static inline struct dma_pool *dmam_pool_create(const char *name, dma_device_t dev, size_t size, size_t align,
        size_t boundary)
{
    return (struct dma_pool *)(void *)rt_dmam_block_pool_create_linux(name, dma_rt_device(dev), size,
            align, boundary);
}

/**
 * @brief Destroys a pool of dmam_pool_create() before the device is released.
 *
 * While blocks of it are in use, it stays, and rt_dmam_release() destroys it if they are free by then.
 *
 * @param[in] pool The pool. With NULL the call does nothing.
 * @note Context: thread.
 */
static inline void dmam_pool_destroy(struct dma_pool *pool)
{
    if (pool)
    {
        rt_dmam_block_pool_destroy(dma_linux_block_pool(pool));
    }
}

#endif /* RT_DMA_LINUX_DMAPOOL_H */
