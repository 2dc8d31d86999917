/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma_pool.h
 * @brief The interface of RT-Thread's drivers/dma.h that the library implements, for code that is built without that header.
 *
 * If drivers/dma.h was included first, its declarations are used and this header declares nothing. Types have the size of a
 * pointer, as RT-Thread's have: rt_size_t and rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is
 * passed), rt_err_t is intptr_t. rt_dma.h defines the terms of the notes "Context".
 */
#if !defined(RT_DMA_POOL_H) && !defined(__DMA_H__)
#define RT_DMA_POOL_H

/**
 * @brief A pool, as RT-Thread declares it.
 */
typedef struct rt_dma_pool rt_dma_pool;

/**
 * A device. Only the port accesses its members.
 */
typedef struct rt_device rt_device;

/**
 * A device's map operations. A null member stands for the default operation.
 */
typedef struct rt_dma_map_ops {
  /**
   * Allocates a buffer.
   */
  void *(*alloc)(struct rt_device *dev, uintptr_t size, unsigned long *dma_handle, uintptr_t flags);
  /**
   * Frees a buffer.
   */
  void (*free)(struct rt_device *dev, uintptr_t size, void *cpu_addr, uintptr_t dma_handle, uintptr_t flags);
  /**
   * Makes the processor's writes visible to the device.
   */
  intptr_t (*sync_out_data)(struct rt_device *dev,
                            void *data,
                            uintptr_t size,
                            unsigned long *dma_handle,
                            uintptr_t flags);
  /**
   * Makes the device's writes visible to the processor.
   */
  intptr_t (*sync_in_data)(struct rt_device *dev,
                           void *out_data,
                           uintptr_t size,
                           uintptr_t dma_handle,
                           uintptr_t flags);
} rt_dma_map_ops;

/**
 * A range of physical memory.
 */
typedef struct rt_region_t {
  /**
   * First byte.
   */
  uintptr_t start;
  /**
   * One past the last byte.
   */
  uintptr_t end;
  /**
   * The name; may be null.
   */
  const char *name;
} rt_region_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Allocates a buffer that the device can reach.
 *
 * The buffer lies at the lowest address with enough free pages, in the first pool that serves the request. Its contents are
 * undefined.
 *
 * @code{.c}
 * rt_ubase_t handle;
 * void *ring = rt_dma_alloc(dev, 4096, &handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
 *
 * if (!ring)
 * {
 *     return -RT_ENOMEM;
 * }
 * start_and_wait(handle);
 * rt_dma_free(dev, 4096, ring, handle, RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR);
 * @endcode
 *
 * @param[in] dev The device.
 * @param[in] size Bytes to allocate, not zero. Rounded up to whole pages.
 * @param[out] dma_handle Receives the buffer's address for the device. May be NULL.
 * @param[in] flags `RT_DMA_F_*`.
 * @return The buffer's address for the processor; with `RT_DMA_F_NOMAP` its physical address. NULL if `dev` is NULL, `size`
 * is zero, or no pool that serves the request has room.
 * @note Context: thread first, then any. A thread is needed for a device's first call, and for a pool's first buffer of a
 * memory type (not cached, write-through). From an interrupt such a call returns NULL.
 */
void *rt_dma_alloc(struct rt_device *dev,
                   uintptr_t size,
                   unsigned long *dma_handle,
                   uintptr_t flags);

/**
 * @brief Frees a buffer of `rt_dma_alloc`.
 *
 * A wrong call is logged and counted, and changes nothing: another size, an address at which no buffer begins, the handle of
 * another buffer, a second free.
 *
 * @param[in] dev The device. With NULL the call does nothing.
 * @param[in] size The size that was allocated, in bytes. With 0 the call does nothing.
 * @param[in] cpu_addr What `rt_dma_alloc` returned. With NULL the call does nothing.
 * @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
 * @param[in] flags As for the allocation. The library's own operations look at `RT_DMA_F_NOMAP` only.
 * @note Context: any. A buffer that has a mapping of its own (one of a pool that is larger than the view limit) needs a thread.
 */
void rt_dma_free(struct rt_device *dev,
                 uintptr_t size,
                 void *cpu_addr,
                 uintptr_t dma_handle,
                 uintptr_t flags);

/**
 * @brief Makes what the processor wrote to a buffer visible to the device.
 *
 * If `dma_handle` is NULL and the device's operations do not maintain the cache, the call does nothing, and does not check the
 * address.
 *
 * @param[in] dev The device.
 * @param[in] data The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[out] dma_handle The buffer's address for the device; 0 if the buffer is not mapped or not reachable. May be NULL.
 * @param[in] flags `RT_DMA_F_NOCACHE` if the buffer is not cached: the operations of a device whose handles are translated
 * then leave the cache alone.
 * @retval RT_EOK The device sees the bytes.
 * @retval -RT_EINVAL `dev` or `data` is NULL, `size` is zero, nothing is mapped at `data`, or the buffer reaches the end of
 * the address space.
 * @retval -RT_ERROR The device does not reach every byte, or it is the device's first call and its operations cannot be
 * chosen now.
 * @note Context: thread first, then any. A device's first call needs a thread.
 */
intptr_t rt_dma_sync_out_data(struct rt_device *dev,
                              void *data,
                              uintptr_t size,
                              unsigned long *dma_handle,
                              uintptr_t flags);

/**
 * @brief Makes what the device wrote to a buffer visible to the processor.
 *
 * Other data in the cache lines at the buffer's ends are kept. If the device's operations do not maintain the cache, the call
 * does nothing, and does not check the address.
 *
 * @param[in] dev The device.
 * @param[out] out_data The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[in] dma_handle The buffer's address for the device. The library's operations do not use it.
 * @param[in] flags As for `rt_dma_sync_out_data`.
 * @retval RT_EOK The processor sees the bytes.
 * @retval -RT_EINVAL `dev` or `out_data` is NULL, `size` is zero, nothing is mapped at `out_data`, or the buffer reaches the
 * end of the address space.
 * @retval -RT_ERROR It is the device's first call, and its operations cannot be chosen now.
 * @note Context: thread first, then any. A device's first call needs a thread.
 */
intptr_t rt_dma_sync_in_data(struct rt_device *dev,
                             void *out_data,
                             uintptr_t size,
                             uintptr_t dma_handle,
                             uintptr_t flags);

/**
 * @brief Returns the map operations that a device's device-tree node asks for (revision r2 of the interface).
 *
 * Installs the regions to which the node refers in `memory-region`, each of them once. Does not write `dev->dma_ops`.
 *
 * @param[in] dev The device.
 * @return The operations; NULL if `dev` is NULL, has no node, or its node asks for none.
 * @note Context: thread.
 */
const struct rt_dma_map_ops *rt_dma_ofw_device_map_ops(struct rt_device *dev);

/**
 * @brief Makes a range of physical memory a pool, at the end of the list of pools.
 *
 * The bookkeeping takes at most 16 bytes of heap for 32 pages (18 on 32-bit processors), and 640 for the pool.
 *
 * @code{.c}
 * rt_region_t region = { 0x50000000, 0x50100000, "sram" };
 *
 * if (!rt_dma_pool_install(&region))
 * {
 *     return -RT_ERROR;
 * }
 * @endcode
 *
 * @param[in] region The range, in bytes. Its start is rounded up to a page, its end down. The pool keeps the pointer to its
 * name, so the name must stay valid.
 * @return The pool; NULL if `region` is NULL, holds no whole page or overlaps an installed pool, and without memory for the
 * bookkeeping. One line in the log gives the reason.
 * @note Context: thread.
 */
rt_dma_pool *rt_dma_pool_install(struct rt_region_t *region);

/**
 * @brief Makes the boot pools `coherent-pool` and `cma` of reserved memory. A failed call changes nothing.
 *
 * Revision r2 calls it with `(cma_size, coherent_pool_size)`, in bytes, and the regions are memblock's reserved ones
 * named "dma-pool". Revision r1 calls it with `(region_list, list_len, cma_size, coherent_pool_size)`, and the
 * regions are those of its list that have a name; the start of the region that is used moves up, unless all of it is
 * used. The port has a constant for the revision that the BSP's `drivers/dma.h` declares. In every RT-Thread ABI the four
 * arguments are passed in registers, so the two that r2 does not pass are never read.
 *
 * @param[in] first r2: `cma_size`, the bytes of both pools together. r1: `region_list`.
 * @param[in] second r2: `coherent_pool_size`, the bytes of `coherent-pool`. r1: `list_len`.
 * @param[in] third r1: `cma_size`. r2: not passed.
 * @param[in] fourth r1: `coherent_pool_size`. r2: not passed.
 * @retval RT_EOK The pools are made.
 * @retval -RT_EINVAL `cma_size` is zero or less than `coherent_pool_size`, or there is no list.
 * @retval -RT_ENOSYS The kernel has no memblock.
 * @retval -RT_EEMPTY No region has room.
 * @retval -RT_ENOMEM There is no memory for the bookkeeping.
 * @retval -RT_EBUSY The caller may not sleep.
 * @note Context: thread.
 */
intptr_t rt_dma_pool_extract(uintptr_t first,
                             uintptr_t second,
                             uintptr_t third,
                             uintptr_t fourth);

/**
 * @brief Prints a line for every pool, and the number of pools: name, range, size, use, longest free run, peak, failed
 * requests, flags.
 *
 * It is a shell command. With options it prints what `rt_dma_list_pools` does, if the kernel's configuration has
 * `PKG_RT_DMA_POOL_USING_LIST_OPTIONS`.
 *
 * @param[in] argc Number of arguments, the command included.
 * @param[in] argv The arguments.
 * @return 0; -1 for options that do not exist.
 * @note Context: thread.
 */
int list_dma_pool(int argc,
                  char **argv);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* !RT_DMA_POOL_H && !__DMA_H__ */
