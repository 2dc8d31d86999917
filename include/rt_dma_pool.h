/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * The interface of RT-Thread's drivers/dma.h that the library implements, for who builds without that header. Where it
 * comes first, it is the word, and this one adds nothing. Types are pointer-sized, as RT-Thread's: rt_size_t and
 * rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is passed), rt_err_t is intptr_t.
 */
#if !defined(RT_DMA_POOL_H) && !defined(__DMA_H__)
#define RT_DMA_POOL_H

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
 * Allocates a buffer that the device can reach.
 *
 * `size` is in bytes, and is rounded up to whole pages. `dma_handle` takes the address for the device; it may be null.
 * `flags` are `RT_DMA_F_*`. Returns the address for the processor (with `RT_DMA_F_NOMAP` the physical address), or null
 * if `dev` is null, `size` is zero, or no pool that serves the request has room.
 *
 * Context: thread first, then any. A thread is needed for a device's first call, and for a pool's first buffer of a memory
 * type (not cached, write-through); from an interrupt such a call returns null.
 */
void *rt_dma_alloc(struct rt_device *dev,
                   uintptr_t size,
                   unsigned long *dma_handle,
                   uintptr_t flags);

/**
 * Gives a buffer back.
 *
 * `size`, `cpu_addr` and `dma_handle` are those of its `rt_dma_alloc`; a zero `dma_handle` says that the caller did not
 * ask for it. What does not fit (another size, an address that was not handed out, a second free) is logged and
 * counted, and changes nothing. Null `dev` or `cpu_addr`, or zero `size`, does nothing.
 *
 * Context: any; thread for a buffer that has a mapping of its own (one of a pool beyond the view limit).
 */
void rt_dma_free(struct rt_device *dev,
                 uintptr_t size,
                 void *cpu_addr,
                 uintptr_t dma_handle,
                 uintptr_t flags);

/**
 * @brief Makes what the processor wrote to a buffer visible to the device.
 *
 * If `dma_handle` is NULL and the device's operations do not maintain the cache, there is nothing to do, and the address is
 * not looked at.
 *
 * @param[in] dev The device.
 * @param[in] data The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[out] dma_handle The buffer's address for the device; 0 if the buffer is not mapped or not reachable. May be NULL.
 * @param[in] flags `RT_DMA_F_NOCACHE` if the buffer is not cached: the operations of a device whose handles are translated
 * then leave the cache alone.
 * @retval RT_EOK The device sees the bytes.
 * @retval -RT_EINVAL `dev` or `data` is NULL, `size` is zero, nothing is mapped at `data`, or the buffer passes the end of
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
 * Bytes of others in the cache lines at the buffer's ends are kept. If the device's operations do not maintain the cache,
 * there is nothing to do, and the address is not looked at.
 *
 * @param[in] dev The device.
 * @param[out] out_data The buffer.
 * @param[in] size Bytes in the buffer, not zero.
 * @param[in] dma_handle The buffer's address for the device. The library's operations do not use it.
 * @param[in] flags As for `rt_dma_sync_out_data`.
 * @retval RT_EOK The processor sees the bytes.
 * @retval -RT_EINVAL `dev` or `out_data` is NULL, `size` is zero, nothing is mapped at `out_data`, or the buffer passes the
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
 * The operations of a device that its device-tree node asks for (revision r2).
 *
 * Installs the regions that the node names in `memory-region`, once. Returns null if `dev` is null, has no node, or
 * its node asks for none. Does not write `dev->dma_ops`. Thread.
 */
const struct rt_dma_map_ops *rt_dma_ofw_device_map_ops(struct rt_device *dev);

/**
 * Makes a range of physical memory a pool, at the end of the list of pools.
 *
 * `region` is in bytes; its start is rounded up to a page, its end down. Its name must stay. Returns the pool, or null
 * if `region` is null, holds no whole page, overlaps an installed pool, or there is no memory for the bookkeeping (at
 * most 16 bytes for 32 pages, on 32-bit processors 18, and 512 for the pool): one line in the log says which. Thread.
 */
rt_dma_pool *rt_dma_pool_install(struct rt_region_t *region);

/**
 * Makes the boot pools `coherent-pool` and `cma` of reserved memory.
 *
 * Revision r2 calls it with `(cma_size, coherent_pool_size)`, in bytes, and the regions are memblock's reserved ones
 * named "dma-pool". Revision r1 calls it with `(region_list, list_len, cma_size, coherent_pool_size)`, and the
 * regions are those of its list that have a name; the start of the region that is used moves up, unless all of it is
 * used. The port says which of the two the BSP's `drivers/dma.h` declares; in every RT-Thread ABI the four arguments
 * travel in registers, so that the two that r2 does not pass are merely not looked at.
 *
 * Returns `RT_EOK`; `-RT_EINVAL` for sizes that do not make sense or no list; `-RT_ENOSYS` without memblock;
 * `-RT_EEMPTY` if no region has room; `-RT_ENOMEM` without memory for the bookkeeping; `-RT_EBUSY` in an interrupt. All
 * or nothing. Thread.
 */
intptr_t rt_dma_pool_extract(uintptr_t first,
                             uintptr_t second,
                             uintptr_t third,
                             uintptr_t fourth);

/**
 * The shell's command: prints every pool's name, range, size, use, longest free run and flags, and how many there
 * are. Returns 0. Thread.
 */
int list_dma_pool(int argc,
                  char **argv);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* !RT_DMA_POOL_H && !__DMA_H__ */
