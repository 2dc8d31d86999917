/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dma-mapping.h
 * @brief For porting drivers from Linux: its DMA API, as inline calls of this library's and of RT-Thread's drivers/dma.h.
 *
 * Names, arguments and results are those of Linux's Documentation/core-api/dma-api.rst: 0 or a negative number of
 * `<errno.h>`, memory full of zeros from the allocators. What differs is in docs/porting-from-linux.md; most of all:
 *
 * - A `struct device` is a `struct rt_device`. The tag is only declared here, and every call takes a pointer to either;
 *   a driver that looks inside defines it with a `struct rt_device` first, or has `#define device rt_device` in its own
 *   source (not here: RT-Thread's structures have members of that name).
 * - Nothing releases managed buffers when a driver is unbound: the port calls rt_dmam_release() at the end of remove.
 * - GFP flags choose nothing but `__GFP_ZERO` of a pool. What may be called from an interrupt stands at each function of
 *   rt_dma.h; the first call for a device needs a thread.
 * - A `struct page *` is the address at which the processor sees the page.
 * - `dev->dma_mask` does not exist: dma_set_mask() and dma_coerce_mask_and_coherent() do. A device without a mask is given
 *   any memory, not just the lowest 4 GiB.
 */
#ifndef RT_DMA_LINUX_DMA_MAPPING_H
#define RT_DMA_LINUX_DMA_MAPPING_H

#include <rt_dma_linux/memory.h>
#include <rt_dma_linux/streaming.h>
#include <rt_dma_linux/pages.h>
#include <linux/scatterlist.h>

/* ---- what a driver keeps for its unmaps ------------------------------------------------------------------------- */

/** @brief Declares a member that holds the handle of a mapping. */
#define DEFINE_DMA_UNMAP_ADDR(name)         dma_addr_t name
/** @brief Declares a member that holds the length of a mapping. */
#define DEFINE_DMA_UNMAP_LEN(name)          uint32_t name
/** @brief Reads the handle of a mapping. */
#define dma_unmap_addr(ptr, name)           ((ptr)->name)
/** @brief Writes the handle of a mapping. */
#define dma_unmap_addr_set(ptr, name, val)  (((ptr)->name) = (val))
/** @brief Reads the length of a mapping. */
#define dma_unmap_len(ptr, name)            ((ptr)->name)
/** @brief Writes the length of a mapping. */
#define dma_unmap_len_set(ptr, name, val)   (((ptr)->name) = (val))

#endif /* RT_DMA_LINUX_DMA_MAPPING_H */
