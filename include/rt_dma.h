/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma.h
 * @brief The DMA API beyond RT-Thread's drivers/dma.h: streaming mappings, masks, block pools, managed resources.
 *
 * The header may be included together with drivers/dma.h. Its types have the size of a pointer, as RT-Thread's have:
 * rt_size_t and rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is passed), rt_err_t is intptr_t.
 *
 * In this order: coherent and other memory of a device; streaming mappings, their syncs and lists; masks; block pools; managed
 * resources; limits of a device; a device's own regions; lending; statistics; the end of a pool. docs/driver-guide.md has a
 * table of which call a driver needs.
 *
 * A note "Context" at each function states where it may be called:
 * - any: in a thread, in an interrupt, and with interrupts off. The call sleeps only where its caller may sleep: in an
 *   interrupt, or with interrupts off, it never does.
 * - thread: the call may sleep. Elsewhere it returns an error or NULL, changes nothing, and counts the refusal.
 * - thread first, then any: the first call for a device, or for a pool's view, may sleep; elsewhere it returns an error
 *   or NULL. Later calls: any.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

#include "rt_dma_version.h"

struct rt_dma_pool;

/**
 * @brief The handle that no mapping has. A map that fails returns it.
 */
#define RT_DMA_MAPPING_ERROR UINTPTR_MAX

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

/**
 * A device. Only the port accesses its members.
 */
struct rt_device;

/**
 * @brief A pool of small blocks of DMA memory.
 */
struct rt_dma_block_pool;

/**
 * @brief One buffer of a scatter list.
 */
struct rt_dma_sg {
  /**
   * The driver's buffer.
   */
  void *addr;
  /**
   * Bytes in the buffer.
   */
  uintptr_t length;
  /**
   * The address for the device. `rt_dma_map_sg` sets it.
   */
  uintptr_t dma_handle;
};

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
 * @brief Makes a mapped buffer, or a part of it, the processor's, with what the device wrote, until it is synced for the
 * device.
 *
 * Where the device is not coherent, a part begins and ends on a cache line, or where the mapping does. `direction` is that of
 * the mapping; for a bidirectional mapping it may be any, and `RT_DMA_TO_DEVICE` brings the processor no bytes. A call for
 * bytes that are not mapped, or with a wrong direction, is logged and counted, and changes nothing.
 *
 * @code{.c}
 * rt_dma_sync_single_for_cpu(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
 * is_done = status->flags & DONE;
 * rt_dma_sync_single_for_device(dev, handle, sizeof(*status), RT_DMA_FROM_DEVICE);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
 * @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_single_for_cpu(struct rt_device *dev,
                                uintptr_t dma_handle,
                                uintptr_t size,
                                int direction);

/**
 * @brief Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it.
 *
 * With `RT_DMA_FROM_DEVICE` the device is shown none of the processor's bytes: what the device has written since the last
 * sync for the processor stays, and what the processor wrote meanwhile may be lost. Parts, directions and errors are as for
 * `rt_dma_sync_single_for_cpu`.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle The handle that the map returned, or one of a byte after it in the mapping.
 * @param[in] size Bytes to sync. With 0 the call does nothing, and that is no error.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_single_for_device(struct rt_device *dev,
                                   uintptr_t dma_handle,
                                   uintptr_t size,
                                   int direction);

/**
 * @brief Returns whether a map failed.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle What the map returned.
 * @return 0 if it is the handle of a mapping; `-RT_ENOMEM` if it is `RT_DMA_MAPPING_ERROR`.
 * @note Context: any.
 */
int rt_dma_mapping_error(struct rt_device *dev, uintptr_t dma_handle);

/**
 * @brief Hands every buffer of a list to the device, or none.
 *
 * Each buffer is mapped as by `rt_dma_map_single`, and its `dma_handle` is set.
 *
 * @code{.c}
 * struct rt_dma_sg list[] = { { header, sizeof(*header), 0 }, { body, length, 0 } };
 *
 * if (rt_dma_map_sg(dev, list, 2, RT_DMA_TO_DEVICE) == 0)
 * {
 *     return -RT_ENOMEM;
 * }
 * start_and_wait(list[0].dma_handle, list[1].dma_handle);
 * rt_dma_unmap_sg(dev, list, 2, RT_DMA_TO_DEVICE);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in,out] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction `RT_DMA_TO_DEVICE`, `RT_DMA_FROM_DEVICE` or `RT_DMA_BIDIRECTIONAL`.
 * @return `nents`; 0 if a buffer cannot be mapped, or the list is null or empty. Then no buffer is mapped, and every
 * `dma_handle` is `RT_DMA_MAPPING_ERROR`.
 * @note Context: thread first, then any.
 */
int rt_dma_map_sg(struct rt_device *dev,
                  struct rt_dma_sg *sg,
                  int nents,
                  int direction);

/**
 * @brief Ends the mapping of every buffer of a list that `rt_dma_map_sg` mapped, each as `rt_dma_unmap_single` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_unmap_sg(struct rt_device *dev,
                     struct rt_dma_sg *sg,
                     int nents,
                     int direction);

/**
 * @brief Ends the mapping of every buffer of a list, each as `rt_dma_unmap_single_attrs` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @param[in] attrs As for `rt_dma_unmap_single_attrs`.
 * @note Context: any.
 */
void rt_dma_unmap_sg_attrs(struct rt_device *dev,
                           struct rt_dma_sg *sg,
                           int nents,
                           int direction,
                           uintptr_t attrs);

/**
 * @brief Syncs every buffer of a list for the processor, each as `rt_dma_sync_single_for_cpu` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

/**
 * @brief Syncs every buffer of a list for the device, each as `rt_dma_sync_single_for_device` does.
 *
 * @param[in] dev The device.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction of the mapping.
 * @note Context: any.
 */
void rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

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

/**
 * @brief Sets the streaming mask: the addresses that the device can use for buffers that are mapped for it.
 *
 * A map of a buffer outside the mask uses a bounce buffer. `rt_dma_sync_out_data` returns `-RT_ERROR` for such a buffer. A
 * failed call changes nothing. `rt_dmam_release` ends the masks of the device.
 *
 * @code{.c}
 * if (rt_dma_set_mask_and_coherent(dev, 0xffffffff) != RT_EOK)
 * {
 *     return -RT_EIO;
 * }
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] mask Bit n is 1 if the device drives address line n: `0xffffffff` for 32 lines. Until a mask is set, all bits
 * are 1.
 * @retval RT_EOK The mask is set.
 * @retval -RT_EINVAL `dev` is NULL, or `mask` is 0.
 * @retval -RT_EIO No page of any installed pool that serves the device lies wholly within the mask. Without any pool, and for a
 * device that itself lies within its streaming mask and whose bus does not translate, that is no error.
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_EBUSY The call needs a thread.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_mask(struct rt_device *dev,
                         uint64_t mask);

/**
 * @brief Sets the coherent mask: the addresses that the device can use for buffers that are allocated for it.
 *
 * After the call, `rt_dma_alloc` and all calls that use it return only buffers whose handles lie within `mask`, from the first
 * byte to the last. A pool of which only a part is within the mask serves that part. Buffers that the driver has already stay
 * valid, and are freed as before.
 *
 * If the BSP gave the device its own allocation operation, that operation allocates, and a buffer outside the mask is given
 * back to it. A BSP must set a device's own operations before the mask: a later change of `dma_ops` takes the mask away.
 *
 * @param[in] dev The device.
 * @param[in] mask As for `rt_dma_set_mask`.
 * @return As `rt_dma_set_mask`.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_coherent_mask(struct rt_device *dev,
                                  uint64_t mask);

/**
 * @brief Sets the streaming and the coherent mask, or on failure neither.
 *
 * @param[in] dev The device.
 * @param[in] mask As for `rt_dma_set_mask`.
 * @return As `rt_dma_set_mask`.
 * @note Context: thread first, then any. A device's first mask needs a thread too.
 */
intptr_t rt_dma_set_mask_and_coherent(struct rt_device *dev, uint64_t mask);

/**
 * @brief Returns the streaming mask.
 *
 * @param[in] dev The device.
 * @return The mask; all ones if none was set; 0 if `dev` is NULL.
 * @note Context: any.
 */
uint64_t rt_dma_get_mask(struct rt_device *dev);

/**
 * @brief Returns the coherent mask.
 *
 * @param[in] dev The device.
 * @return The mask; all ones if none was set; 0 if `dev` is NULL.
 * @note Context: any.
 */
uint64_t rt_dma_get_coherent_mask(struct rt_device *dev);

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

/**
 * @brief Sets the maximum number of bytes that the device takes in one segment.
 *
 * The library does not split or merge segments: the code that builds the device's scatter lists asks for the limit by
 * `rt_dma_get_max_segment`. `rt_dmam_release` ends the limits of the device.
 *
 * @code{.c}
 * rt_dma_set_max_segment(dev, 0x10000);
 * rt_dma_set_segment_boundary(dev, 0xffff);
 * rt_dma_set_min_align_mask(dev, 0xfff);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes, not zero.
 * @retval RT_EOK The limit is set.
 * @retval -RT_EINVAL `dev` is NULL, or `size` is 0.
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_EBUSY The call needs a thread.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_max_segment(struct rt_device *dev,
                                uintptr_t size);

/**
 * @brief Returns the maximum number of bytes that the device takes in one segment.
 *
 * @param[in] dev The device.
 * @return Bytes; 65,536 if no limit was set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_max_segment(struct rt_device *dev);

/**
 * @brief Sets the boundary that no segment of the device crosses.
 *
 * As with `rt_dma_set_max_segment`, the code that builds the device's scatter lists asks for it.
 *
 * @param[in] dev The device.
 * @param[in] mask The boundary minus one: `0xffff` if no segment crosses a multiple of 64 KiB.
 * @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_segment_boundary(struct rt_device *dev, uintptr_t mask);

/**
 * @brief Returns the boundary that no segment of the device crosses.
 *
 * @param[in] dev The device.
 * @return The boundary minus one; all ones if none was set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_segment_boundary(struct rt_device *dev);

/**
 * @brief Sets which low bits of a buffer's address its bounce buffer keeps.
 *
 * Some devices need this because their descriptors contain only a part of the address, and the rest follows from the position in
 * the list. An NVMe controller is an example: every page of a buffer except the first begins at offset 0, so its mask is
 * `0xfff`.
 *
 * @param[in] dev The device.
 * @param[in] mask The bits, up to a page: `0xfff` for the offset in a page. 0 if no bit is kept.
 * @return As `rt_dma_set_max_segment`; `-RT_EINVAL` if `mask` plus one is not a power of two up to a page.
 * @note Context: thread first, then any. A device's first limit needs a thread too.
 */
intptr_t rt_dma_set_min_align_mask(struct rt_device *dev,
                                   uintptr_t mask);

/**
 * @brief Returns which low bits of a buffer's address its bounce buffer keeps.
 *
 * @param[in] dev The device.
 * @return The bits; 0 if none were set.
 * @note Context: any.
 */
uintptr_t rt_dma_get_min_align_mask(struct rt_device *dev);

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


#endif /* RT_DMA_H */
