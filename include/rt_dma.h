/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/*
 * What the library offers beyond RT-Thread's drivers/dma.h, beside which it may be included. Types are pointer-sized, as
 * RT-Thread's: rt_size_t and rt_ubase_t are uintptr_t here, rt_err_t is intptr_t.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

/**
 * A device; only the port looks inside.
 */
struct rt_device;

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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
