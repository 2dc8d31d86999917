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
 * Allocates a write-combining buffer full of zeros: coherent, where the processor may gather and reorder writes until the
 * next barrier. For what is written in long runs and seldom read, as a frame buffer.
 *
 * On aarch64 it is Normal Non-cacheable memory; elsewhere as what `rt_dma_alloc_coherent` gives. Freed by `rt_dma_free`.
 * Null as from `rt_dma_alloc`, and where such a mapping cannot be had. Context as `rt_dma_alloc`.
 */
void *rt_dma_alloc_wc(struct rt_device *dev,
                      uintptr_t size,
                      uintptr_t *dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_H */
