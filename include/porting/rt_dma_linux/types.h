/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file types.h
 * @brief For porting drivers from Linux: the types, error numbers, allocation flags and pages that the DMA API needs.
 *
 * A port that has some of these itself defines a macro for each before it includes a header of linux/:
 *
 * - `RT_DMA_LINUX_HAS_DMA_ADDR_T`: the port has `dma_addr_t`.
 * - `RT_DMA_LINUX_HAS_PHYS_ADDR_T`: `phys_addr_t`.
 * - `RT_DMA_LINUX_HAS_GFP_T`: `gfp_t`.
 * - `RT_DMA_LINUX_HAS_DIRECTION`: `enum dma_data_direction`.
 * - `RT_DMA_LINUX_HAS_PAGES`: `page_address`, `page_to_phys`, `nth_page`, `virt_to_page` and `offset_in_page`.
 * - `RT_DMA_LINUX_HAS_MALLOC`: `dma_linux_malloc(size, gfp)` and `dma_linux_free(memory)`, for tables and for the
 *   memory of `sgl_alloc()`.
 *
 * Macros that the port defines (`GFP_KERNEL`, `EIO`, `page_address` and so on) are kept without that. If `__KERNEL__`
 * is defined, as Linux's drivers expect it, those of Linux's general headers that the port has are included: drivers
 * rely on the DMA headers to include them.
 */
#ifndef RT_DMA_LINUX_TYPES_H
#define RT_DMA_LINUX_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__KERNEL__) && defined(__has_include)
#if __has_include(<linux/types.h>)
#include <linux/types.h>
#endif
#if __has_include(<linux/errno.h>)
#include <linux/errno.h>
#endif
#if __has_include(<linux/err.h>)
#include <linux/err.h>
#endif
#if __has_include(<linux/sizes.h>)
#include <linux/sizes.h>
#endif
#if __has_include(<linux/string.h>)
#include <linux/string.h>
#endif
#if __has_include(<linux/bug.h>)
#include <linux/bug.h>
#endif
#if __has_include(<linux/device.h>)
#include <linux/device.h>
#endif
#if __has_include(<linux/mm.h>)
#include <linux/mm.h>
#endif
#if __has_include(<linux/slab.h>)
#include <linux/slab.h>
#endif
#if __has_include(<linux/io.h>)
#include <linux/io.h>
#endif
#elif __STDC_HOSTED__
/* Error numbers from the C library where there is one. */
#include <errno.h>
#endif

/*
 * In C, RT-Thread's declarations are used if they are found, and otherwise this library's. C++ cannot compile
 * rtdevice.h, because that includes drivers/dma.h.
 */
#ifndef __cplusplus
#ifdef __has_include
#if __has_include(<rtdevice.h>)
#include <rtdevice.h>
#endif
#else
/* A compiler without __has_include is taken for a BSP's. */
#include <rtdevice.h>
#endif
#endif
#ifndef RT_DMA_F_NOCACHE
#include <rt_dma_pool.h>
#endif
#include <rt_dma.h>
#include <rt_dma_linux/device.h>
#include <linux/dma-direction.h>

/*
 * Linux's own linux/types.h defines these types. The header of that name in a toolchain for Linux does not: it is the
 * one for programs, which includes linux/posix_types.h but has not the guard of Linux's uapi/linux/types.h.
 */
#if defined(_LINUX_TYPES_H) && (defined(_UAPI_LINUX_TYPES_H) || !defined(_LINUX_POSIX_TYPES_H))
#define RT_DMA_LINUX_HAS_DMA_ADDR_T
#define RT_DMA_LINUX_HAS_PHYS_ADDR_T
#define RT_DMA_LINUX_HAS_GFP_T
#elif !defined(__cplusplus)
#include <stdbool.h>
#endif

#ifndef EIO
/** @brief Error: input or output. */
#define EIO 5
#endif
#ifndef ENXIO
/** @brief Error: there is no such device or address. */
#define ENXIO 6
#endif
#ifndef ENOMEM
/** @brief Error: there is no memory. */
#define ENOMEM 12
#endif
#ifndef ENODEV
/** @brief Error: there is no such device. */
#define ENODEV 19
#endif
#ifndef EINVAL
/** @brief Error: an argument is not valid. */
#define EINVAL 22
#endif

/** @brief An unsigned number of 64 bits, of the type that Linux's u64 has, so that `%llx` prints it. */
__extension__ typedef unsigned long long dma_linux_u64;

#ifndef RT_DMA_LINUX_HAS_DMA_ADDR_T
/** @brief Defined: dma_addr_t has a definition. */
#define RT_DMA_LINUX_HAS_DMA_ADDR_T
#if defined(CONFIG_ARCH_DMA_ADDR_T_64BIT) && UINTPTR_MAX == 0xffffffffu
/** @brief An address on the device's bus, which is wider than the processor's. */
typedef dma_linux_u64 dma_addr_t;
#else
/** @brief An address on the device's bus. */
typedef unsigned long dma_addr_t;
#endif
#endif

#ifndef RT_DMA_LINUX_HAS_PHYS_ADDR_T
/** @brief Defined: phys_addr_t has a definition. */
#define RT_DMA_LINUX_HAS_PHYS_ADDR_T
/** @brief A physical address of the processor. */
typedef unsigned long phys_addr_t;
#endif

#ifndef RT_DMA_LINUX_HAS_GFP_T
/** @brief Defined: gfp_t has a definition. */
#define RT_DMA_LINUX_HAS_GFP_T
/* A port that defines GFP_KERNEL has a gfp_t too, also without the macro above. */
#ifndef GFP_KERNEL
/**
 * @brief Allocation flags. Only `__GFP_ZERO` has an effect, for a pool. The kernel knows whether the caller may sleep.
 */
typedef unsigned int gfp_t;
#endif
#endif
#ifndef GFP_KERNEL
/** @brief The caller is a thread. */
#define GFP_KERNEL      0x00u
#endif
#ifndef GFP_ATOMIC
/** @brief The caller must not sleep. */
#define GFP_ATOMIC      0x01u
#endif
#ifndef GFP_NOWAIT
/** @brief The caller must not sleep. */
#define GFP_NOWAIT      0x02u
#endif
#ifndef GFP_NOIO
/** @brief No input or output is started for the memory. */
#define GFP_NOIO        0x04u
#endif
#ifndef GFP_DMA
/** @brief Has no effect: the device's mask limits the memory. */
#define GFP_DMA         0x08u
#endif
#ifndef GFP_DMA32
/** @brief Has no effect: the device's mask limits the memory. */
#define GFP_DMA32       0x10u
#endif
#ifndef __GFP_ZERO
/** @brief The memory is cleared. */
#define __GFP_ZERO      0x20u
#endif
#ifndef __GFP_NOWARN
/** @brief Has no effect. */
#define __GFP_NOWARN    0x40u
#endif

/* ---- pages ------------------------------------------------------------------------------------------------------ */

struct page;

/** @brief Bytes of a page. */
#define DMA_LINUX_PAGE_SIZE ((size_t)4096)

/*
 * Unless the port has pages of its own, a `struct page *` is the address at which the processor sees the page. `struct
 * page` is never defined, so arithmetic with such pointers does not compile: use nth_page().
 */
#ifndef RT_DMA_LINUX_HAS_PAGES
#ifdef __cplusplus
extern "C"
#endif
/** @cond */
/* The port's translation, which is rt_kmem_v2p() made safe against interrupts: see rt_dma_port.h. */
uintptr_t rt_dma_port_v2p(void *va);
/** @endcond */

#ifndef virt_to_page
/** @brief The page that contains an address of the processor. */
#define virt_to_page(cpu_addr)  ((struct page *)((uintptr_t)(cpu_addr) & ~(uintptr_t)(DMA_LINUX_PAGE_SIZE - 1)))
#endif
#ifndef page_address
/** @brief The address at which the processor sees a page. */
#define page_address(page)      ((void *)(page))
#endif
#ifndef page_to_phys
/** @brief The physical address of a page. */
#define page_to_phys(page)      ((phys_addr_t)rt_dma_port_v2p((void *)(page)))
#endif
#ifndef nth_page
/** @brief The page that is n pages after a page. */
#define nth_page(first, n)      ((struct page *)(void *)((char *)(first) + (size_t)(n) * DMA_LINUX_PAGE_SIZE))
#endif
#ifndef offset_in_page
/** @brief An address's distance from the beginning of its page. */
#define offset_in_page(p)       ((uintptr_t)(p) & (DMA_LINUX_PAGE_SIZE - 1))
#endif
#endif

/* ---- memory of the heap ----------------------------------------------------------------------------------------- */

#ifndef RT_DMA_LINUX_HAS_MALLOC
/** @brief Defined: dma_linux_malloc() and dma_linux_free() have a definition. */
#define RT_DMA_LINUX_HAS_MALLOC
/* rtthread.h declares these, if the BSP has a heap. */
#if !defined(__RT_THREAD_H__) && !defined(RT_THREAD_H__)
#ifdef __cplusplus
extern "C" {
#endif
/** @cond */
void *rt_malloc(rt_size_t size);
void rt_free(void *memory);
/** @endcond */
#ifdef __cplusplus
}
#endif
#endif
/** @brief Allocates memory of the heap, of any size: for scatter tables, and for the pages of sgl_alloc(). */
#define dma_linux_malloc(size, gfp) rt_malloc(size)
/** @brief Frees memory of dma_linux_malloc(). */
#define dma_linux_free(memory)      rt_free(memory)
#endif

/* ---- handles ---------------------------------------------------------------------------------------------------- */

/** @brief The handle that a map returns when it fails. dma_mapping_error() tests for it. */
#define DMA_MAPPING_ERROR   (~(dma_addr_t)0)

/** @brief A mask of the n lowest bits, n from 0 to 64. */
#define DMA_BIT_MASK(n) \
    ((n) > 63 ? ~(dma_linux_u64)0 : (n) < 1 ? (dma_linux_u64)0 : ((dma_linux_u64)1 << ((n) & 63)) - 1)

/** @brief Returns a handle of the library as a `dma_addr_t`, which may be wider. */
static inline dma_addr_t dma_linux_address(uintptr_t handle)
{
    return handle == RT_DMA_MAPPING_ERROR ? DMA_MAPPING_ERROR : (dma_addr_t)handle;
}

/**
 * @brief Returns a `dma_addr_t` as a handle of the library; RT_DMA_MAPPING_ERROR for an address that it never returned.
 */
static inline uintptr_t dma_linux_handle(dma_addr_t address)
{
    return (dma_addr_t)(uintptr_t)address == address ? (uintptr_t)address : RT_DMA_MAPPING_ERROR;
}

#endif /* RT_DMA_LINUX_TYPES_H */
