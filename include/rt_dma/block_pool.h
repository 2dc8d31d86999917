/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/block_pool.h
 * @brief Pools of small blocks of one size.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_BLOCK_POOL_H
#define RT_DMA_BLOCK_POOL_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Creates a pool of small blocks of one size, in coherent memory of a device.
 *
 * The pool allocates pages from the device's `rt_dma_alloc`, when blocks are asked for. The rules are those of Linux's
 * `dma_pool_create` (Documentation/core-api/dma-api.rst).
 *
 * @code{.c}
 * struct rt_dma_block_pool *pool = rt_dma_block_pool_create("descriptors", dev, sizeof(struct descriptor), 16, 0);
 * rt_ubase_t handle;
 * struct descriptor *descriptor = rt_dma_block_pool_zalloc(pool, &handle);
 *
 * if (descriptor)
 * {
 *     start_and_wait(handle);
 *     rt_dma_block_pool_free(pool, descriptor, handle);
 * }
 * rt_dma_block_pool_destroy(pool);
 * @endcode
 *
 * @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
 * @param[in] dev The device.
 * @param[in] size Bytes in a block, not zero. Rounded up to a multiple of `align` and of a word. May be more than a page.
 * @param[in] align Every block begins at a multiple of it, for the processor and for the device. A power of two up to a page;
 * 0 and 1 mean a word.
 * @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less than
 * the rounded size; 0 means no boundary.
 * @return The pool; NULL if `dev` is NULL, if a number is out of its range, or without memory for the bookkeeping. One line in
 * the log gives the reason.
 * @note Context: thread.
 */
struct rt_dma_block_pool *rt_dma_block_pool_create(const char *name,
                                            struct rt_device *dev,
                                            uintptr_t size,
                                            uintptr_t align,
                                            uintptr_t boundary);

/**
 * @brief Creates a pool of small blocks by the rules of Linux's `dma_pool_create`.
 *
 * It differs from a pool of `rt_dma_block_pool_create` in this:
 * - The blocks are the memory of `rt_dma_alloc_wc`: Normal memory on aarch64, so that `memset` and unaligned accesses are
 *   allowed.
 * - `size` is rounded up to a multiple of `align` only, and to 16 bytes, so that a page holds as many blocks as on Linux.
 * - `align` may be more than a page.
 * - Threads keep a few blocks free, and bookkeeping for more memory. So an interrupt gets blocks from a pool that is empty or
 *   was never used. `rt_dma_block_pool_fill` makes more ready.
 *
 * All other functions take both kinds of pools.
 *
 * @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
 * @param[in] dev The device.
 * @param[in] size Bytes in a block, not zero. May be more than a page.
 * @param[in] align Every block begins at a multiple of it for the device, and up to a page for the processor. A power of two; 0
 * means 1.
 * @param[in] boundary As for `rt_dma_block_pool_create`.
 * @return As for `rt_dma_block_pool_create`. The call succeeds even if there is no DMA memory yet.
 * @note Context: thread.
 */
struct rt_dma_block_pool *rt_dma_block_pool_create_linux(const char *name,
                                                  struct rt_device *dev,
                                                  uintptr_t size,
                                                  uintptr_t align,
                                                  uintptr_t boundary);

/**
 * @brief Makes sure that blocks are free, for an interrupt that will allocate them.
 *
 * The pool gets pages until at least `count` blocks are free. `rt_dma_block_pool_trim` frees these pages as others.
 *
 * @param[in] pool The pool.
 * @param[in] count The number of blocks that are to be free.
 * @retval RT_EOK At least `count` blocks are free.
 * @retval -RT_EINVAL `pool` is NULL.
 * @retval -RT_ENOMEM There is no memory for as many.
 * @retval -RT_EBUSY The caller may not sleep.
 * @note Context: thread.
 */
intptr_t rt_dma_block_pool_fill(struct rt_dma_block_pool *pool,
                                uintptr_t count);

/**
 * @brief Frees the pages on which no block is in use.
 *
 * The next allocation may need a page again. Only a thread can get one.
 *
 * @param[in] pool The pool.
 * @return The number of pages that were freed; 0 if `pool` is NULL, and where the caller may not sleep.
 * @note Context: thread.
 */
uintptr_t rt_dma_block_pool_trim(struct rt_dma_block_pool *pool);

/**
 * @brief Destroys a pool, and frees its pages.
 *
 * While blocks are in use, the pool stays and works as before. A line in the log gives their number, and one line each the
 * address of the first eight.
 *
 * No other call may use the pool at the same time.
 *
 * @param[in] pool The pool.
 * @retval RT_EOK The pool is destroyed.
 * @retval -RT_EBUSY Blocks are in use.
 * @retval -RT_EINVAL `pool` is NULL, was destroyed before, or is not a pool.
 * @retval -RT_ERROR The caller may not sleep. (-RT_EBUSY, which other calls return then, states here that blocks are in use.)
 * @note Context: thread.
 */
intptr_t rt_dma_block_pool_destroy(struct rt_dma_block_pool *pool);

/**
 * @brief Prints a line for every block pool: its name, blocks in use, all blocks, bytes of a block after rounding, pages.
 *
 * It is a shell command.
 *
 * @param[in] argc Has no effect.
 * @param[in] argv Has no effect.
 * @return 0.
 * @note Context: thread.
 */
int list_dma_block_pool(int argc,
                        char **argv);

/**
 * @brief Allocates a block. Its contents are undefined.
 *
 * A block is memory as `rt_dma_alloc_coherent` returns it. Where that is Device memory (aarch64), only aligned accesses are
 * allowed, and neither `memset` nor `memcpy`. A block of `rt_dma_block_pool_create_linux` is Normal memory, without these limits.
 *
 * The call takes the same time however many blocks the pool has, and does not touch their memory.
 *
 * @param[in] pool The pool.
 * @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
 * @return The block; NULL if `pool` is NULL or there is no memory.
 * @note Context: any. If no block is free, the pool needs a page more. A thread gets it; elsewhere the call returns NULL, unless
 * the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
 */
void *rt_dma_block_pool_alloc(struct rt_dma_block_pool *pool,
                              unsigned long *dma_handle);

/**
 * @brief Allocates a block and fills it with zeros.
 *
 * Works as `rt_dma_block_pool_alloc`. The block is cleared by aligned stores of words, which Device memory allows.
 *
 * @param[in] pool The pool.
 * @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
 * @return The block; NULL if `pool` is NULL or there is no memory.
 * @note Context: any. If no block is free, the pool needs a page more: a thread gets it; elsewhere the call returns NULL, unless
 * the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
 */
void *rt_dma_block_pool_zalloc(struct rt_dma_block_pool *pool,
                               unsigned long *dma_handle);

/**
 * @brief Frees a block.
 *
 * A wrong call is logged and counted, and changes nothing: an address that is not the beginning of a block of this pool, a
 * handle that is not the block's, a second free.
 *
 * The call takes the same time however many blocks the pool has.
 *
 * @param[in] pool The pool. With NULL the call does nothing.
 * @param[in] block The block. With NULL the call does nothing.
 * @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
 * @note Context: any.
 */
void rt_dma_block_pool_free(struct rt_dma_block_pool *pool,
                            void *block,
                            uintptr_t dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_BLOCK_POOL_H */
