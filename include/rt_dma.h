/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library adds to RT-Thread's interface. Types are pointer-sized, as RT-Thread's: rt_size_t and rt_ubase_t are
 * uintptr_t here.
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
 * Makes `[cpu_addr, cpu_addr + size)` the device's, and returns the address for the device, or RT_DMA_MAPPING_ERROR.
 *
 * Until it is unmapped, or synced for the processor, the processor leaves the buffer alone. What it wrote before is
 * visible to the device (`RT_DMA_TO_DEVICE`, `RT_DMA_BIDIRECTIONAL`), and what the device writes will be to the
 * processor (`RT_DMA_FROM_DEVICE`, `RT_DMA_BIDIRECTIONAL`). The buffer may be any mapped memory of any alignment:
 * one that the device does not reach, that is not contiguous, or that the device would write and that shares a cache
 * line with something else, is copied through a bounce buffer from a pool.
 *
 * Fails, with a line in the log, if `dev` or `cpu_addr` is null, `size` is zero, not all of it is mapped,
 * `direction` is none of the three, or there is no memory for a bounce buffer or its record.
 *
 * Any context, but a thread for a device's first call. In an interrupt, memory outside the pools that is mapped
 * linearly and needs no bounce buffer can always be mapped; other memory while records last that calls in threads
 * leave (16, or what is unmapped).
 */
uintptr_t rt_dma_map_single(struct rt_device *dev,
                            void *cpu_addr,
                            uintptr_t size,
                            int direction);

/**
 * The same for the `size` bytes at `offset` of the page at physical address `page_pa`, which must be mapped
 * linearly, or be a buffer of a pool.
 */
uintptr_t rt_dma_map_page(struct rt_device *dev,
                          uintptr_t page_pa,
                          uintptr_t offset,
                          uintptr_t size,
                          int direction);

/**
 * The same for each of the `nents` buffers of `sg`, whose `dma_handle` it fills in. Returns `nents`, or 0, with
 * nothing left mapped and every `dma_handle` RT_DMA_MAPPING_ERROR, if one cannot be mapped or the list is null or
 * empty.
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
