/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/memory.h
 * @brief Memory for a device: coherent, cleared, write-combining, aligned.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_MEMORY_H
#define RT_DMA_MEMORY_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Allocates coherent memory and fills it with zeros, as Linux's `dma_alloc_coherent` does.
 *
 * The memory is aligned, for the device, to the smallest power of two of pages that holds `size` bytes. So a buffer of up to
 * 64 KiB never crosses a multiple of 64 KiB (Linux `Documentation/core-api/dma-api-howto.rst`). A buffer of more than 1 MiB
 * that has no such place is aligned to 1 MiB, or else to a page. Memory that the BSP's own operation allocates is aligned as
 * that operation does it.
 *
 * The memory type is that of `rt_dma_wc_flags`: Normal memory on aarch64, so that `memset` and unaligned accesses are allowed.
 *
 * @code{.c}
 * rt_ubase_t handle;
 * struct ring *ring = rt_dma_zalloc_coherent(dev, sizeof(*ring), &handle);
 *
 * if (ring)
 * {
 *     start(ring, handle);
 *     rt_dma_free(dev, sizeof(*ring), ring, handle, rt_dma_wc_flags(dev));
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @return The buffer, which `rt_dma_free` frees with the flags of `rt_dma_wc_flags`; NULL if `dev` is NULL, `size` is 0, or no
 * pool that serves the device has room.
 * @note Context: thread first, then any. The time grows with `size`.
 */
void *rt_dma_zalloc_coherent(struct rt_device *dev,
                             uintptr_t size,
                             unsigned long *dma_handle);

/**
 * @brief Allocates memory as `rt_dma_zalloc_coherent` does, and ties it to the device: `rt_dmam_release` frees it.
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate, not zero.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @return The buffer, which `rt_dmam_free` frees earlier; NULL where `rt_dma_zalloc_coherent` returns NULL, and without memory
 * for the bookkeeping.
 * @note Context: thread.
 */
void *rt_dmam_zalloc_coherent(struct rt_device *dev,
                              uintptr_t size,
                              unsigned long *dma_handle);

/**
 * @brief Allocates a buffer and fills it with zeros.
 *
 * Works as `rt_dma_alloc`. A cached buffer is flushed, so that the device sees the zeros whatever the memory type is.
 *
 * @code{.c}
 * rt_ubase_t handle;
 * struct request *request = rt_dma_zalloc(dev, sizeof(*request), &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
 *
 * if (!request)
 * {
 *     return -RT_ENOMEM;
 * }
 * start_and_wait(handle);
 * rt_dma_free(dev, sizeof(*request), request, handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @param[in] flags As for `rt_dma_alloc`; `rt_dma_free` takes the same flags.
 * @return The buffer; NULL where `rt_dma_alloc` returns NULL, and for `RT_DMA_F_NOMAP`, because a buffer that is not mapped
 * cannot be cleared.
 * @note Context: thread first, then any. The time grows with `size`.
 */
void *rt_dma_zalloc(struct rt_device *dev,
                    uintptr_t size,
                    unsigned long *dma_handle,
                    uintptr_t flags);

/**
 * @brief Returns the flags with which `rt_dma_alloc` gives a device write-combining memory.
 *
 * Write-combining memory is coherent, but the processor may gather and reorder writes until the next barrier. Unaligned
 * accesses and `memset` are allowed.
 *
 * On aarch64 the flag is `RT_DMA_F_WT`, which is Normal Non-cacheable memory there, like Linux's coherent memory. On other
 * architectures, for a device that the BSP's own operations serve, and for a NULL `dev`, the flags are those of
 * `rt_dma_alloc_coherent`: `RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR`.
 *
 * @param[in] dev The device.
 * @return The flags. Every call for one device returns the same flags.
 * @note Context: thread first, then any.
 */
uintptr_t rt_dma_wc_flags(struct rt_device *dev);

/**
 * @brief Allocates a write-combining buffer and fills it with zeros.
 *
 * Use it for memory that is written in long runs and seldom read, for example a frame buffer. Works as `rt_dma_zalloc` with
 * the flags of `rt_dma_wc_flags`; `rt_dma_free` takes these flags.
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @return The buffer; NULL where `rt_dma_zalloc` returns NULL, and where such a mapping cannot be made.
 * @note Context: thread first, then any. The time grows with `size`.
 */
void *rt_dma_alloc_wc(struct rt_device *dev,
                      uintptr_t size,
                      unsigned long *dma_handle);

/**
 * @brief Allocates a buffer whose physical address is a multiple of `align` bytes.
 *
 * Its handle is a multiple of `align` too, unless the bus translates addresses by an offset that is not. The buffer lies at the
 * lowest such address in the first pool that serves the request. `rt_dma_free` frees it with the same size and flags.
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate.
 * @param[in] align A power of two, in bytes. Up to a page it has no effect, because every buffer is aligned to a page.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL. Not written on failure.
 * @param[in] flags As for `rt_dma_alloc`.
 * @return The buffer; NULL where `rt_dma_alloc` returns NULL, if `align` is not a power of two, if no pool has such a buffer,
 * and if the BSP's own operation allocates for the device and returns a handle that is not so aligned.
 * @note Context: thread first, then any. The time grows with the number of free runs that are too short.
 */
void *rt_dma_alloc_aligned(struct rt_device *dev,
                           uintptr_t size,
                           uintptr_t align,
                           unsigned long *dma_handle,
                           uintptr_t flags);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_MEMORY_H */
