/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/managed.h
 * @brief Managed resources: rt_dmam_release gives back everything of a device.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_MANAGED_H
#define RT_DMA_MANAGED_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Allocates a buffer as `rt_dma_alloc` does, and ties it to the device: `rt_dmam_release` frees it.
 *
 * A driver may also free it by `rt_dma_free`. After that it is not tied to the device any more. From the first managed buffer
 * on, each `rt_dma_free` checks whether it frees a managed one.
 *
 * @code{.c}
 * static rt_err_t probe(struct rt_device *dev)
 * {
 *     rt_ubase_t handle;
 *     struct ring *ring = rt_dmam_alloc(dev, sizeof(*ring), &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
 *
 *     return ring ? start(ring, handle) : -RT_ENOMEM;
 * }
 *
 * static void remove(struct rt_device *dev)
 * {
 *     stop(dev);
 *     rt_dmam_release(dev);
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate, not zero.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @param[in] flags As for `rt_dma_alloc`.
 * @return The buffer; NULL where `rt_dma_alloc` returns NULL, and without memory for the bookkeeping (64 bytes; for the
 * device's first resource about 100 more).
 * @note Context: thread.
 */
void *rt_dmam_alloc(struct rt_device *dev,
                    uintptr_t size,
                    unsigned long *dma_handle,
                    uintptr_t flags);

/**
 * @brief Frees a buffer of `rt_dmam_alloc` before `rt_dmam_release` would.
 *
 * A call for a buffer that is not a managed buffer of the device (any more) is logged and counted, and changes nothing.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @param[in] size The size that was allocated, in bytes. With 0 the call does nothing.
 * @param[in] cpu_addr The buffer. With NULL the call does nothing.
 * @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
 * @note Context: thread.
 */
void rt_dmam_free(struct rt_device *dev,
                  uintptr_t size,
                  void *cpu_addr,
                  uintptr_t dma_handle);

/**
 * @brief Releases all buffers, mappings and block pools that are tied to the device, the newest first.
 *
 * A driver calls it when it is removed. The device's masks end too, and bounce buffers that were left when an interrupt unmapped
 * buffers are freed: the library keeps nothing of the device. If it is called twice, or by two threads at once, each resource is
 * released once. Where the caller may not sleep, the call is logged and counted, and changes nothing.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @note Context: thread.
 */
void rt_dmam_release(struct rt_device *dev);

/**
 * @brief Hands a buffer to the device as `rt_dma_map_single` does, and ties the mapping to the device: `rt_dmam_release`
 * unmaps it.
 *
 * A driver may also unmap it by `rt_dma_unmap_single`. After that it is not tied to the device any more.
 *
 * @param[in] dev The device.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @return As `rt_dma_map_single`; `RT_DMA_MAPPING_ERROR` also without memory for the bookkeeping.
 * @note Context: thread.
 */
uintptr_t rt_dmam_map_single(struct rt_device *dev,
                             void *cpu_addr,
                             uintptr_t size,
                             int direction);

/**
 * @brief Ends a mapping of `rt_dmam_map_single` before `rt_dmam_release` would.
 *
 * A wrong `size` or `direction` is logged and counted, and the buffer is unmapped as it was mapped. A call for a handle that
 * is not a managed mapping of the device (any more) is logged and counted, and changes nothing. So is a call for a handle of
 * which the device has more than one managed mapping, and none with this size and direction.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @param[in] dma_handle The handle that the map returned.
 * @param[in] size The size that was mapped, in bytes.
 * @param[in] direction The direction of the mapping.
 * @note Context: thread.
 */
void rt_dmam_unmap_single(struct rt_device *dev,
                          uintptr_t dma_handle,
                          uintptr_t size,
                          int direction);

/**
 * @brief Creates a pool as `rt_dma_block_pool_create` does, and ties it to the device: `rt_dmam_release` destroys it.
 *
 * A driver may also destroy it by `rt_dma_block_pool_destroy`. After that it is not tied to the device any more. If blocks are
 * in use when the device is released, the pool stays, and is tied to no device.
 *
 * @param[in] name As for `rt_dma_block_pool_create`.
 * @param[in] dev The device.
 * @param[in] size As for `rt_dma_block_pool_create`.
 * @param[in] align As for `rt_dma_block_pool_create`.
 * @param[in] boundary As for `rt_dma_block_pool_create`.
 * @return The pool; NULL where `rt_dma_block_pool_create` returns NULL, and without memory for the bookkeeping.
 * @note Context: thread.
 */
struct rt_dma_block_pool *rt_dmam_block_pool_create(const char *name,
                                             struct rt_device *dev,
                                             uintptr_t size,
                                             uintptr_t align,
                                             uintptr_t boundary);

/**
 * @brief Creates a pool as `rt_dma_block_pool_create_linux` does, and ties it to the device as `rt_dmam_block_pool_create` does.
 *
 * @param[in] name As for `rt_dma_block_pool_create_linux`.
 * @param[in] dev The device.
 * @param[in] size As for `rt_dma_block_pool_create_linux`.
 * @param[in] align As for `rt_dma_block_pool_create_linux`.
 * @param[in] boundary As for `rt_dma_block_pool_create_linux`.
 * @return The pool; NULL where `rt_dma_block_pool_create_linux` returns NULL, and without memory for the bookkeeping.
 * @note Context: thread.
 */
struct rt_dma_block_pool *rt_dmam_block_pool_create_linux(const char *name,
                                                   struct rt_device *dev,
                                                   uintptr_t size,
                                                   uintptr_t align,
                                                   uintptr_t boundary);

/**
 * @brief Destroys a pool of `rt_dmam_block_pool_create` before `rt_dmam_release` would.
 *
 * While blocks are in use, the pool stays tied to its device, and lines in the log list the blocks. A call for a pool that is
 * not managed is logged and counted, and changes nothing.
 *
 * @param[in] pool The pool. With NULL the call does nothing.
 * @note Context: thread.
 */
void rt_dmam_block_pool_destroy(struct rt_dma_block_pool *pool);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_MANAGED_H */
