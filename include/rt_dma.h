/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library offers beyond RT-Thread's drivers/dma.h, beside which it may be included. Types are pointer-sized, as
 * RT-Thread's: rt_size_t and rt_ubase_t are uintptr_t here, rt_err_t is intptr_t.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

/**
 * A device; only the port looks inside.
 */
struct rt_device;

/**
 * A pool of small blocks of DMA memory.
 */
struct rt_dma_block_pool;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a pool of blocks of one size, in coherent memory of `dev`.
 *
 * `size` is in bytes, and is rounded up to a multiple of `align` and of a word; it may be more than a page. Every block is
 * aligned to `align`, for the processor and for the device: a power of two up to a page (0 and 1: to a word, as in any
 * case). No block crosses a multiple of `boundary` for the device: a power of two no less than the size as rounded up (0:
 * blocks may cross any). `name` is copied, up to 31 bytes, and may be null.
 *
 * Memory comes when blocks are asked for, page by page, from the device's `rt_dma_alloc`. Returns null if `dev` is null, a
 * number is not as it should be, or there is no memory for the bookkeeping; one line in the log says which. Thread.
 *
 * The rules are those of Linux's dma_pool_create (Documentation/core-api/dma-api.rst).
 */
struct rt_dma_block_pool *rt_dma_block_pool_create(const char *name,
                                                   struct rt_device *dev,
                                                   uintptr_t size,
                                                   uintptr_t align,
                                                   uintptr_t boundary);

/**
 * Takes a block. Its contents are what they were.
 *
 * `dma_handle` takes the address for the device; it may be null. Returns the address for the processor: memory as
 * `rt_dma_alloc_coherent` gives it, so where that is Device memory (aarch64), only aligned accesses, and no memset or
 * memcpy. Returns null if `pool` is null or there is no memory.
 *
 * Takes the same time however many blocks there are, and touches none of their memory. Any context while a block is free;
 * when none is, a thread gets another page, and an interrupt gets null.
 */
void *rt_dma_block_pool_alloc(struct rt_dma_block_pool *pool,
                              uintptr_t *dma_handle);

/**
 * Takes a block full of zeros: otherwise as `rt_dma_block_pool_alloc`. Cleared word by word, as Device memory takes it.
 */
void *rt_dma_block_pool_zalloc(struct rt_dma_block_pool *pool,
                               uintptr_t *dma_handle);

/**
 * Gives a block back.
 *
 * `block` and `dma_handle` are those of its `rt_dma_block_pool_alloc`; a zero `dma_handle` says that the caller did not ask
 * for it. What does not fit (an address that is not the beginning of a block of this pool, another handle, a second free)
 * is logged and counted, and changes nothing. Null `pool` or `block` does nothing.
 *
 * Takes the same time however many blocks there are. Any context.
 */
void rt_dma_block_pool_free(struct rt_dma_block_pool *pool,
                            void *block,
                            uintptr_t dma_handle);

/**
 * Gives back the pages on which no block is in use, and says how many they were.
 *
 * The next allocation may have to get a page again, which an interrupt cannot. Zero if `pool` is null. Thread.
 */
uintptr_t rt_dma_block_pool_trim(struct rt_dma_block_pool *pool);

/**
 * Gives back a pool, and all its pages.
 *
 * Returns `RT_EOK`; `-RT_EBUSY` while blocks are in use: a line in the log says how many, one more each of the first eight,
 * and the pool serves on; `-RT_EINVAL` if `pool` is null, or no pool (any more); `-RT_ERROR` in an interrupt. Nobody may use
 * the pool meanwhile. Thread.
 */
intptr_t rt_dma_block_pool_destroy(struct rt_dma_block_pool *pool);

/**
 * Prints every block pool: its name, blocks in use, blocks in all, bytes of a block as rounded up, pages. A shell command:
 * takes no arguments, returns 0. Thread.
 */
int list_dma_block_pool(int argc,
                        char **argv);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
