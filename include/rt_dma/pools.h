/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/pools.h
 * @brief The pools: what is in use, and the end of a pool.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_POOLS_H
#define RT_DMA_POOLS_H

#include "types.h"

/**
 * @brief How much of a pool is in use, and which requests it could not serve.
 *
 * Later versions of the library may add members at the end.
 */
struct rt_dma_pool_usage {
  /**
   * Size of this structure in bytes. The caller sets it before the call.
   */
  uintptr_t struct_size;
  /**
   * Bytes of the pool, in whole pages.
   */
  uintptr_t total;
  /**
   * Bytes in use.
   */
  uintptr_t used;
  /**
   * The most bytes that were in use at once since the pool was installed.
   */
  uintptr_t peak;
  /**
   * Bytes in the longest free run: the largest buffer that can be allocated.
   */
  uintptr_t longest_free;
  /**
   * Number of buffers in use.
   */
  uintptr_t buffers;
  /**
   * Number of requests that failed although the pool is of the kind that serves them. A request that another pool
   * served did not fail.
   */
  uintptr_t failed;
  /**
   * Bytes of the largest such request.
   */
  uintptr_t largest_failed;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Returns how much of a pool is in use, and which requests it could not serve.
 *
 * @code{.c}
 * struct rt_dma_pool_usage usage = { .struct_size = sizeof(usage) };
 *
 * if (rt_dma_pool_statistics(pool, &usage) == RT_EOK && usage.failed)
 * {
 *     rt_kprintf("%lu requests failed, the largest of %lu bytes\n", usage.failed, usage.largest_failed);
 * }
 * @endcode
 *
 * The members are read one after the other, while other callers may allocate and free.
 *
 * @param[in] pool A pool that `rt_dma_pool_install` returned or `rt_dma_pool_next` found.
 * @param[in,out] usage The caller sets `usage->struct_size`. Members that this version of the library does not have are set to 0.
 * @retval RT_EOK `*usage` was filled in.
 * @retval -RT_EINVAL A pointer is NULL, `pool` is not installed, or `usage->struct_size` is no size of such a structure.
 * @note Context: any. The time grows with the size of the pool: about one instruction for each page.
 */
intptr_t rt_dma_pool_statistics(struct rt_dma_pool *pool,
                                struct rt_dma_pool_usage *usage);

/**
 * @brief Returns the pool that was installed after another one.
 *
 * @code{.c}
 * for (struct rt_dma_pool *pool = rt_dma_pool_next(RT_NULL); pool; pool = rt_dma_pool_next(pool))
 * {
 *     rt_kprintf("%s\n", pool->region.name);
 * }
 * @endcode
 *
 * @param[in] pool An installed pool, or NULL for the first one.
 * @return The next pool; NULL after the last one, and if `pool` is not installed.
 * @note Context: any.
 */
struct rt_dma_pool *rt_dma_pool_next(struct rt_dma_pool *pool);

/**
 * @brief The shell command `list_dma_pool` with options.
 *
 * `-v` prints how much of each pool is in use, the requests that failed, and how many buffers of each size there are. `-m`
 * prints a map of each pool with a character for each run of pages, 78 characters wide at most. Another option prints how the
 * command is used.
 *
 * The command calls this function if menuconfig selects `PKG_RT_DMA_POOL_USING_LIST_OPTIONS`.
 *
 * @param[in] argc Number of arguments, the command included.
 * @param[in] argv The arguments.
 * @return 0; -1 for an option that does not exist.
 * @note Context: thread.
 */
int rt_dma_list_pools(int argc,
                      char **argv);

/**
 * @brief Uninstalls a pool. Its mappings are removed, and its memory belongs to the caller again.
 *
 * Other threads and interrupts may allocate, free and list pools meanwhile. Dirty cache lines of the memory are written back. A
 * linear map that boot code made stays.
 *
 * The bookkeeping of the pool stays in the heap. It is used again when a pool of the same pages is installed, which then has the
 * earlier place in the list. A system that installs and uninstalls the same range many times therefore needs no more memory each
 * time.
 *
 * A range of `rt_dma_pool_extract` is found again by the next extract (revision r2 of the interface). A region that the
 * node of a device names in `memory-region` belongs to the device until `rt_dma_own_region_release`.
 *
 * @code{.c}
 * if (rt_dma_pool_uninstall(pool) == -RT_EBUSY)
 * {
 *     rt_kprintf("a driver still has memory of the pool\n");
 * }
 * @endcode
 *
 * @param[in] pool The pool that `rt_dma_pool_install` returned. After success it must not be used any more.
 * @retval RT_EOK The memory and the name of the region are the caller's. The call waits up to 100 ticks for calls that print the
 * name, such as `list_dma_pool`. Keep a name readable that a console may take longer to print: a string constant always is.
 * @retval -RT_EINVAL `pool` is NULL or not installed. It is counted, and one line in the log contains the address.
 * @retval -RT_EBUSY A page of the pool is in use: by a buffer, a block pool, a bounce buffer, or memory that is lent. Or the
 * node of a device names the region, or the caller may not sleep.
 * @note Context: thread.
 */
intptr_t rt_dma_pool_uninstall(struct rt_dma_pool *pool);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_POOLS_H */
