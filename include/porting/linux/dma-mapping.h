/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dma-mapping.h
 * @brief For porting drivers from Linux: its DMA API, as inline calls of this library's and of RT-Thread's
 * drivers/dma.h.
 *
 * Names, arguments and results are those of Linux's Documentation/core-api/dma-api.rst: 0 or a negative number of
 * `<errno.h>`, and cleared memory from the allocators. docs/porting-from-linux.md lists the differences. The main ones:
 *
 * - A `struct device` is a `struct rt_device`, and every call takes a pointer to either. These headers only declare the
 *   tag. A driver that accesses members defines `struct device` with a `struct rt_device` as its first member, or has
 *   `#define device rt_device` in its own source. These headers do not have that line, because structures of RT-Thread
 *   have members of that name.
 * - Nothing releases managed buffers when a driver is unbound: the port calls rt_dmam_release() at the end of remove.
 * - GFP flags have no effect, except `__GFP_ZERO` for a pool. The note "Context" at each function of rt_dma.h states
 *   whether it may be called from an interrupt. The first call for a device needs a thread.
 * - A `struct page *` is the address at which the processor sees the page.
 * - `dev->dma_mask` does not exist: use dma_set_mask() or dma_coerce_mask_and_coherent(). A device without a mask is
 *   given memory at any address, not only in the lowest 4 GiB.
 */
#ifndef RT_DMA_LINUX_DMA_MAPPING_H
#define RT_DMA_LINUX_DMA_MAPPING_H

#include <rt_dma_linux/memory.h>
#include <rt_dma_linux/streaming.h>
#include <rt_dma_linux/streaming_list.h>
#include <rt_dma_linux/pages.h>
#include <rt_dma_linux/unsupported.h>
#include <linux/scatterlist.h>

/* ---- members for an unmap ---------------------------------------------------------------------------------------- */

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
