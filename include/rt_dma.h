/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library has beyond RT-Thread's drivers/dma.h, beside which it may be included. Types are pointer-sized, as
 * RT-Thread's: rt_size_t and rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is passed), rt_err_t
 * is intptr_t.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

#include "rt_dma_version.h"

/**
 * The handle that no mapping has: what a mapping call returns when it fails.
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
 * A device. Only the port accesses its members.
 */
struct rt_device;

/**
 * A pool of small blocks of DMA memory.
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

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Allocates a buffer full of zeros: otherwise as `rt_dma_alloc`, and freed by `rt_dma_free` with the same flags.
 *
 * The device may see the zeros at once, of whatever type the memory is: a cached buffer is flushed. Null also for
 * `RT_DMA_F_NOMAP`, since what is not mapped cannot be cleared. Context as `rt_dma_alloc`; the time grows with `size`.
 */
void *rt_dma_zalloc(struct rt_device *dev,
                    uintptr_t size,
                    unsigned long *dma_handle,
                    uintptr_t flags);

/**
 * The flags with which `rt_dma_alloc` and its like give a device write-combining memory: coherent, but the processor may
 * gather and reorder writes until the next barrier, access it unaligned, and clear it with `memset`.
 *
 * On aarch64 this is `RT_DMA_F_WT`, which is Normal Non-cacheable memory there, as what Linux gives for coherent memory.
 * Elsewhere, for a device that the BSP's own operations serve, and for a null `dev`, it is what `rt_dma_alloc_coherent`
 * asks for: `RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR`. The same for a device at every call. Any context, but a thread for a
 * device's first call.
 */
uintptr_t rt_dma_wc_flags(struct rt_device *dev);

/**
 * Allocates a write-combining buffer full of zeros: for what is written in long runs and seldom read, as a frame buffer.
 *
 * As `rt_dma_zalloc` with `rt_dma_wc_flags`, and freed by `rt_dma_free` with these. Null also where such a mapping cannot
 * be had. Context as `rt_dma_alloc`.
 */
void *rt_dma_alloc_wc(struct rt_device *dev,
                      uintptr_t size,
                      unsigned long *dma_handle);

/**
 * Allocates a buffer that begins at a multiple of `align` bytes: its physical address does, and so its handle, unless a
 * translation moves it by less.
 *
 * `align` is a power of two; up to a page it asks for nothing more. Otherwise as `rt_dma_alloc`: the lowest such
 * address in the first pool that serves the request, freed by `rt_dma_free` with the same size and flags. Null also for
 * an `align` that is no power of two, or that no pool can meet; and where the BSP's own operation allocates for the
 * device and gives a handle that is not so aligned. Context as `rt_dma_alloc`; the time grows with the free runs that
 * are too short.
 */
void *rt_dma_alloc_aligned(struct rt_device *dev,
                           uintptr_t size,
                           uintptr_t align,
                           unsigned long *dma_handle,
                           uintptr_t flags);

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
                              unsigned long *dma_handle);

/**
 * Takes a block full of zeros: otherwise as `rt_dma_block_pool_alloc`. Cleared word by word, as Device memory takes it.
 */
void *rt_dma_block_pool_zalloc(struct rt_dma_block_pool *pool,
                               unsigned long *dma_handle);

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

/**
 * Allocates a buffer as `rt_dma_alloc` does, and ties it to the device: `rt_dmam_release` frees it.
 *
 * A driver may also free it by `rt_dma_free`: then it is tied to the device no more. From the first managed buffer on, each
 * `rt_dma_free` looks whether it frees one.
 *
 * Returns null also without memory for the bookkeeping (64 bytes, and about 100 for a device's first). Thread.
 */
void *rt_dmam_alloc(struct rt_device *dev,
                    uintptr_t size,
                    unsigned long *dma_handle,
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
 * The masks of the device end, too: nothing that the library keeps of the device is left.
 *
 * Whoever calls it twice, or from two threads at once, has each released once. Null `dev` does nothing; in an interrupt
 * it is counted, and does nothing. Thread.
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
 * Makes a pool of blocks as `rt_dma_block_pool_create` does, and ties it to the device: `rt_dmam_release` destroys it.
 *
 * A driver may also destroy it by `rt_dma_block_pool_destroy`: then it is tied to the device no more. If blocks are in use
 * when the device is released, the pool stays, and is tied to nothing any more. Returns null also without memory for the
 * bookkeeping. Thread.
 */
struct rt_dma_block_pool *rt_dmam_block_pool_create(const char *name,
                                                    struct rt_device *dev,
                                                    uintptr_t size,
                                                    uintptr_t align,
                                                    uintptr_t boundary);

/**
 * Destroys, before `rt_dmam_release` would, a pool of `rt_dmam_block_pool_create`. While blocks are in use it stays, tied to
 * its device as before; lines in the log name them. A pool that is not managed is logged and counted, and stays. Null
 * `pool` does nothing. Thread.
 */
void rt_dmam_block_pool_destroy(struct rt_dma_block_pool *pool);

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
 * memory. Memblock holds memory only until `rt_memblock_setup_memory_environment`, which an unedited RT-Thread calls
 * before `rt_fdt_unflatten`: there a node without `reg` is refused. A board writes a `reg`, or calls this before that
 * function in boot code of its own. What is done already is not done again.
 *
 * Returns `RT_EOK`, also if there is nothing to do; else what was wrong with the first node that cannot be served, while
 * the others are, with a line in the log for each: `-RT_EINVAL` if its properties do not fit together, it overlaps a
 * pool, or the page allocator owns a part of its `reg`, `-RT_EEMPTY` if memblock has no such memory (any more), `-RT_ENOMEM` without memory for the bookkeeping. And
 * `-RT_ENOSYS` without a device tree, `-RT_EBUSY` in an interrupt. Thread.
 */
intptr_t rt_dma_reserved_memory_install(void);

/**
 * Sets the streaming mask: which addresses the device can name in what is mapped for it. A buffer that is mapped and lies
 * beyond it is bounced, and `rt_dma_sync_out_data` returns `-RT_ERROR` for one.
 *
 * `mask` has a one for each address bit that the device drives: `0xffffffff` for 32. A device that has set none has
 * all ones. Returns `RT_EOK`; `-RT_EINVAL` if `dev` is null or `mask` zero; `-RT_EIO` if no page of any installed pool
 * that serves the device lies wholly within the mask; `-RT_ENOMEM`; `-RT_EBUSY` if it needs a thread. A failure changes
 * nothing. `rt_dmam_release` ends the masks of the device. Thread for a device's first mask, and for its first call at all;
 * then any context.
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
 * @note Context: any. A device's first call needs a thread. In an interrupt, memory outside the pools that is mapped
 * linearly and needs no bounce buffer can always be mapped; other memory while records last that calls in threads leave:
 * 16, and those that are unmapped.
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
 * @note Context: any. A device's first call needs a thread.
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
 * @note Context: any. A device's first call needs a thread.
 */
uintptr_t rt_dma_map_page(struct rt_device *dev,
                          uintptr_t page_pa,
                          uintptr_t offset,
                          uintptr_t size,
                          int direction);

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
 * @note Context: any. A device's first call needs a thread.
 */
int rt_dma_map_sg(struct rt_device *dev,
                  struct rt_dma_sg *sg,
                  int nents,
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
 * @note Context: any.
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
 * @brief Returns whether a map failed.
 *
 * @param[in] dev The device.
 * @param[in] dma_handle What the map returned.
 * @return 0 if it is the handle of a mapping; `-RT_ENOMEM` if it is `RT_DMA_MAPPING_ERROR`.
 * @note Context: any.
 */
int rt_dma_mapping_error(struct rt_device *dev, uintptr_t dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
