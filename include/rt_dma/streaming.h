/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma/streaming.h
 * @brief Streaming mappings: a driver's own buffer is the device's for a time.
 *
 * A part of rt_dma.h, which defines the terms of the notes "Context".
 */
#ifndef RT_DMA_STREAMING_H
#define RT_DMA_STREAMING_H

#include "types.h"

/**
 * @brief Direction of a mapping: the device reads and writes.
 */
#define RT_DMA_BIDIRECTIONAL 0

/**
 * @brief Direction of a mapping: the device reads what the processor wrote.
 */
#define RT_DMA_TO_DEVICE 1

/**
 * @brief Direction of a mapping: the processor reads what the device wrote.
 */
#define RT_DMA_FROM_DEVICE 2

/**
 * @brief No direction: no mapping is made with it.
 */
#define RT_DMA_NONE 3

/**
 * @brief Attribute of an unmap: the buffer's bytes stay as they are, because the driver has synced what it wants to see.
 */
#define RT_DMA_ATTR_SKIP_CPU_SYNC (1 << 0)

/**
 * @brief Attribute of a map and of its unmap: the driver owns the cache lines of the buffer.
 *
 * From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes before and after the buffer
 * included. Then a buffer that the device writes needs no bounce buffer for its alignment. A receive buffer is an example
 * that begins 2 bytes after a cache line (Linux `NET_IP_ALIGN`) and has its lines for itself. If the driver is wrong, bytes
 * of the device, or of the code that wrote, are lost.
 */
#define RT_DMA_ATTR_OWN_LINES (1 << 8)

/**
 * @brief Attribute of a map and of its unmap: the buffer is an entry of a list that the caller maps entry by entry.
 *
 * Only the debug mode uses it: it reports an unmap with the attribute of a buffer that was mapped without it, and the reverse.
 */
#define RT_DMA_ATTR_LIST_ENTRY (1 << 9)

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Hands `[cpu_addr, cpu_addr + size)` to the device.
 *
 * The processor leaves the buffer alone until it is unmapped, or synced for the processor. What the processor wrote before
 * is visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`). What the device writes is visible to the processor
 * after the unmap (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`).
 *
 * The buffer is any mapped memory of any alignment. A bounce buffer from a pool takes its place where the device does not
 * reach it, where it is not contiguous, and where the device would write to a cache line that the buffer shares with other
 * data.
 *
 * @code{.c}
 * rt_ubase_t handle = rt_dma_map_single(dev, frame, length, RT_DMA_TO_DEVICE);
 *
 * if (rt_dma_mapping_error(dev, handle))
 * {
 *     return -RT_ENOMEM;
 * }
 * start_and_wait(handle, length);
 * rt_dma_unmap_single(dev, handle, length, RT_DMA_TO_DEVICE);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @return The address for the device; `RT_DMA_MAPPING_ERROR`, with a line in the log, if an argument is not as stated here,
 * a page of the buffer is not mapped, or there is no memory for a bounce buffer or for the record of the mapping.
 * @note Context: thread first, then any. In an interrupt, a map of memory outside the pools that is mapped linearly and needs
 * no bounce buffer always succeeds. Every other map in an interrupt takes a record: each call in a thread leaves at least 16
 * records, and each unmap gives one back. Without a record the map fails. `rt_dma_map_fill` makes more records ready.
 */
uintptr_t rt_dma_map_single(struct rt_device *dev,
                            void *cpu_addr,
                            uintptr_t size,
                            int direction);

/**
 * @brief Hands a buffer to the device as `rt_dma_map_single` does, with attributes.
 *
 * @param[in] dev The device.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @param[in] attrs 0 or `RT_DMA_ATTR_OWN_LINES`; other bits have no effect. The unmap needs `RT_DMA_ATTR_OWN_LINES` too.
 * @return As `rt_dma_map_single`.
 * @note Context: thread first, then any.
 */
uintptr_t rt_dma_map_single_attrs(struct rt_device *dev,
                                  void *cpu_addr,
                                  uintptr_t size,
                                  int direction,
                                  uintptr_t attrs);

/**
 * @brief Hands a part of a page to the device as `rt_dma_map_single` does a buffer.
 *
 * @param[in] dev The device.
 * @param[in] page_pa The physical address of the page, which is mapped linearly or belongs to a buffer of a pool.
 * @param[in] offset The first byte of the part, counted from the page's first.
 * @param[in] size Bytes in the part, not zero. It may end in a later page.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @return As `rt_dma_map_single`.
 * @note Context: thread first, then any.
 */
uintptr_t rt_dma_map_page(struct rt_device *dev,
                          uintptr_t page_pa,
                          uintptr_t offset,
                          uintptr_t size,
                          int direction);

/**
 * @brief Ends a mapping: the buffer is the processor's again, with what the device wrote to it.
 *
 * A wrong `size` or `direction` is logged and counted, and the mapping is ended as it was made: the bytes arrive, and a
 * bounce buffer is freed. (Of a buffer outside the pools that needed no bounce buffer, only the caller knows the size and
 * the direction.)
 *
 * An unmap for another device, of an unknown handle, or a second unmap is logged and counted, and changes nothing. One
 * exception: a second unmap of a buffer that had no bounce buffer, and lay outside the pools when it was mapped, is not
 * noticed. If a buffer is mapped more than once under one handle, an unmap with the size and direction of none of these
 * mappings changes nothing either.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned.
 * @param[in] size The size that was mapped, in bytes.
 * @param[in] direction The direction of the mapping.
 * @note Context: any. In an interrupt, a bounce buffer that only a thread can free stays in use until a thread makes a call for
 * a streaming mapping. If the BSP's own operations allocated it, the device must exist until then, or until `rt_dmam_release`.
 */
void rt_dma_unmap_single(struct rt_device *dev,
                         uintptr_t dma_handle,
                         uintptr_t size,
                         int direction);

/**
 * @brief Ends a mapping as `rt_dma_unmap_single` does, with attributes.
 *
 * With `RT_DMA_ATTR_SKIP_CPU_SYNC` nothing is copied and no cache is maintained, and the buffer's bytes stay as they are: the
 * driver has synced what it wants to see by `rt_dma_sync_single_for_cpu`, and may have written to the buffer since.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned.
 * @param[in] size The size that was mapped, in bytes.
 * @param[in] direction The direction of the mapping.
 * @param[in] attrs `RT_DMA_ATTR_SKIP_CPU_SYNC`, `RT_DMA_ATTR_OWN_LINES` (if the map had it), both, or 0; other bits have no
 * effect.
 * @note Context: any.
 */
void rt_dma_unmap_single_attrs(struct rt_device *dev,
                               uintptr_t dma_handle,
                               uintptr_t size,
                               int direction,
                               uintptr_t attrs);

/**
 * @brief Ends a mapping that `rt_dma_map_page` made, as `rt_dma_unmap_single` does.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned.
 * @param[in] size The size that was mapped, in bytes.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_unmap_page(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction);

/**
 * @brief Makes streaming maps in an interrupt ready ahead.
 *
 * A map in an interrupt takes a record from a stock, and perhaps a bounce buffer. This call makes sure that the stock has at
 * least `count` records, and that the pool that serves the device's bounce buffers is mapped for the processor. From then on,
 * each call in a thread for a streaming mapping fills the stock up to `count` records again. The stock serves all devices:
 * drivers that map at the same time share its records. Pages for bounce buffers are not reserved.
 *
 * @code{.c}
 * rt_err_t probe(struct rt_device *dev)
 * {
 *     return rt_dma_map_fill(dev, RX_RING_SIZE);
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] count Maps in an interrupt before a thread makes its next call for a streaming mapping: up to 65,536. 16 are ready
 * without this call, once a thread has made such a call.
 * @retval RT_EOK The maps are ready.
 * @retval -RT_EINVAL `dev` is NULL, or `count` is out of its range.
 * @retval -RT_ENOMEM The heap has no room for as many records, and nothing was changed; or no pool has a bounce buffer that the
 * device reaches, and the records are ready.
 * @retval -RT_EBUSY The caller may not sleep.
 * @note Context: thread.
 */
intptr_t rt_dma_map_fill(struct rt_device *dev,
                         uintptr_t count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_STREAMING_H */
