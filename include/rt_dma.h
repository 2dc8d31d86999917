/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library has beyond RT-Thread's drivers/dma.h, beside which it may be included. Types are pointer-sized, as
 * RT-Thread's: rt_size_t and rt_ubase_t are uintptr_t here, rt_err_t is intptr_t.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

/**
 * The handle that no mapping has: what a mapping call returns when it fails.
 */
#define RT_DMA_MAPPING_ERROR UINTPTR_MAX

/**
 * The device reads and writes.
 */
#define RT_DMA_BIDIRECTIONAL 0

/**
 * The device reads what the processor wrote.
 */
#define RT_DMA_TO_DEVICE 1

/**
 * The processor reads what the device wrote.
 */
#define RT_DMA_FROM_DEVICE 2

/**
 * Nobody said: no mapping is made.
 */
#define RT_DMA_NONE 3

/**
 * A device; only the port looks inside.
 */
struct rt_device;

/**
 * One buffer of a scatter list.
 */
struct rt_dma_sg {
  /**
   * The driver's buffer.
   */
  void *addr;
  /**
   * Bytes.
   */
  uintptr_t length;
  /**
   * Where the device finds it: `rt_dma_map_sg` fills it in.
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
                    uintptr_t *dma_handle,
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
                      uintptr_t *dma_handle);

/**
 * Allocates a buffer as `rt_dma_alloc` does, and ties it to the device: `rt_dmam_release` frees it.
 *
 * Returns null also without memory for the bookkeeping (64 bytes, and about 100 for a device's first). Thread.
 */
void *rt_dmam_alloc(struct rt_device *dev,
                    uintptr_t size,
                    uintptr_t *dma_handle,
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
 * Whoever calls it twice, or from two threads at once, has each released once. Null `dev` does nothing; in an interrupt
 * it is counted, and does nothing. Thread.
 */
void rt_dmam_release(struct rt_device *dev);

/**
 * Sets the streaming mask: which addresses the device can name in what is mapped for it.
 *
 * `mask` has a one for each address bit that the device drives: `0xffffffff` for 32. A device that has set none has
 * all ones. Returns `RT_EOK`; `-RT_EINVAL` if `dev` is null or `mask` zero; `-RT_EIO` if no page of any installed pool
 * that serves the device lies wholly within the mask; `-RT_ENOMEM`; `-RT_EBUSY` if it needs a thread. A failure changes
 * nothing. Thread for a device's first mask, and for its first call at all; then any context.
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
 * Makes `[cpu_addr, cpu_addr + size)` the device's, and returns the address for the device, or RT_DMA_MAPPING_ERROR.
 *
 * Until it is unmapped, or synced for the processor, the processor leaves the buffer alone. What it wrote before is
 * visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`), and what the device writes will be to the processor
 * (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`). The buffer may be any mapped memory of any alignment: one that the
 * device does not reach, that is not contiguous, or that the device would write and that shares a cache line with
 * something else, is copied through a bounce buffer from a pool.
 *
 * Fails, with a line in the log, if `dev` or `cpu_addr` is null, `size` is zero, not all of it is mapped, `direction` is
 * none of the three, or there is no memory for a bounce buffer or its record.
 *
 * Any context, but a thread for a device's first call. In an interrupt, memory outside the pools that is mapped linearly
 * and needs no bounce buffer can always be mapped; other memory while records last that calls in threads leave (16, or
 * what is unmapped).
 */
uintptr_t rt_dma_map_single(struct rt_device *dev,
                            void *cpu_addr,
                            uintptr_t size,
                            int direction);

/**
 * The same for the `size` bytes at `offset` of the page at physical address `page_pa`, which must be mapped linearly, or
 * be a buffer of a pool.
 */
uintptr_t rt_dma_map_page(struct rt_device *dev,
                          uintptr_t page_pa,
                          uintptr_t offset,
                          uintptr_t size,
                          int direction);

/**
 * The same for each of the `nents` buffers of `sg`, whose `dma_handle` it fills in. Returns `nents`, or 0, with nothing
 * left mapped and every `dma_handle` RT_DMA_MAPPING_ERROR, if one cannot be mapped or the list is null or empty.
 */
int rt_dma_map_sg(struct rt_device *dev,
                  struct rt_dma_sg *sg,
                  int nents,
                  int direction);

/**
 * Makes a mapped buffer the processor's again, with what the device wrote to it.
 *
 * `dma_handle`, `size` and `direction` are those of the mapping. What does not fit is logged and counted, and changes
 * nothing; but a second unmap of a buffer that had no bounce buffer and lies outside the pools is not noticed. Any
 * context.
 */
void rt_dma_unmap_single(struct rt_device *dev,
                         uintptr_t dma_handle,
                         uintptr_t size,
                         int direction);

/**
 * The same for what `rt_dma_map_page` mapped.
 */
void rt_dma_unmap_page(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction);

/**
 * The same for every buffer of a list that `rt_dma_map_sg` mapped.
 */
void rt_dma_unmap_sg(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

/**
 * Makes a mapped buffer the processor's, with what the device wrote to it, until it is synced for the device.
 *
 * `dma_handle` and `size` may be those of a part of the mapping; where the device is not coherent, one that begins and
 * ends on a cache line, or where the mapping does. Any context.
 */
void rt_dma_sync_single_for_cpu(struct rt_device *dev,
                                uintptr_t dma_handle,
                                uintptr_t size,
                                int direction);

/**
 * Makes a mapped buffer, or a part of it, the device's again, with what the processor wrote to it. Any context.
 */
void rt_dma_sync_single_for_device(struct rt_device *dev,
                                   uintptr_t dma_handle,
                                   uintptr_t size,
                                   int direction);

/**
 * `rt_dma_sync_single_for_cpu` for every buffer of a list. Any context.
 */
void rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

/**
 * `rt_dma_sync_single_for_device` for every buffer of a list. Any context.
 */
void rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction);

/**
 * 0 if `dma_handle` is that of a mapping, `-RT_ENOMEM` if it is RT_DMA_MAPPING_ERROR. Any context.
 */
int rt_dma_mapping_error(struct rt_device *dev, uintptr_t dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
