/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For porting drivers from Linux: its DMA API, as inline calls of this library's and of RT-Thread's drivers/dma.h.
 *
 * Names, arguments and results are those of Linux's Documentation/core-api/dma-api.rst: 0 or a negative number of
 * <errno.h>, memory full of zeros from the allocators. What differs:
 *
 * - A `struct device` is a `struct rt_device`. The tag is only declared here, and every call takes a pointer to either;
 *   a driver that looks inside defines it with a `struct rt_device` first, or has `#define device rt_device` in its own
 *   source (not here: RT-Thread's structures have members of that name).
 * - Nothing releases managed buffers when a driver is unbound: the port calls rt_dmam_release() at the end of remove.
 * - GFP flags choose nothing but __GFP_ZERO of a pool. What may be called from an interrupt stands at each function of
 *   rt_dma.h; the first call for a device needs a thread.
 * - A `struct page *` is a page's physical address.
 * - dev->dma_mask does not exist: dma_set_mask() and dma_coerce_mask_and_coherent() do. A device without a mask is given
 *   any memory, not just the lowest 4 GiB.
 */
#ifndef RT_DMA_LINUX_DMA_MAPPING_H
#define RT_DMA_LINUX_DMA_MAPPING_H

#include <stddef.h>
#include <stdint.h>

/* Error numbers from the C library where there is one. */
#if __STDC_HOSTED__
#include <errno.h>
#endif
/* RT-Thread's own declarations where there are any; else this library's. */
#ifdef __has_include
#if __has_include(<rtdevice.h>)
#include <rtdevice.h>
#endif
#else
#include <rtdevice.h>
#endif
#ifndef RT_DMA_F_NOCACHE
#include <rt_dma_pool.h>
#endif
#include <rt_dma.h>
#include <linux/scatterlist.h>

#ifndef EIO
#define EIO 5
#endif
#ifndef ENOMEM
#define ENOMEM 12
#endif

struct device;
struct page;

/*
 * A device as an argument: `struct device *`, `struct rt_device *` or `void *`. Nothing else compiles in GNU C, which
 * Linux's drivers are written in, and in C++; strict ISO C cannot tell.
 */
#if defined(__cplusplus)
struct dma_device_t
{
    struct rt_device *rt;

    dma_device_t(struct rt_device *dev) : rt(dev) {}
#ifndef device
    dma_device_t(struct device *dev) : rt(reinterpret_cast<struct rt_device *>(dev)) {}
#endif
};
#define dma_rt_device(dev) ((dev).rt)
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__)
typedef union
{
    struct rt_device *rt;
    struct device *dev;
} dma_device_t __attribute__((__transparent_union__));
#define dma_rt_device(dev) ((dev).rt)
#else
typedef void *dma_device_t;
#define dma_rt_device(dev) ((struct rt_device *)(dev))
#endif

/* An address on the device's bus. */
typedef unsigned long dma_addr_t;

/* A mapping that could not be had: test with dma_mapping_error(). */
#define DMA_MAPPING_ERROR   (~(dma_addr_t)0)

/* A mask of the n lowest bits, n from 0 to 64. */
#define DMA_BIT_MASK(n)     ((n) > 63 ? UINT64_MAX : (UINT64_C(1) << ((n) & 63)) - 1)

enum dma_data_direction
{
    DMA_BIDIRECTIONAL = 0,
    DMA_TO_DEVICE = 1,
    DMA_FROM_DEVICE = 2,
    DMA_NONE = 3,
};

#ifndef GFP_KERNEL
typedef unsigned int gfp_t;
#define GFP_KERNEL      0x00u
#define GFP_ATOMIC      0x01u
#define GFP_NOWAIT      0x02u
#define GFP_NOIO        0x04u
#define GFP_DMA         0x08u
#define GFP_DMA32       0x10u
#endif
#ifndef __GFP_ZERO
#define __GFP_ZERO      0x20u
#endif
#ifndef __GFP_NOWARN
#define __GFP_NOWARN    0x40u
#endif

/* The driver synchronizes by itself: see dma_map_single_attrs() and dma_unmap_single_attrs(). */
#define DMA_ATTR_SKIP_CPU_SYNC      ((unsigned long)RT_DMA_ATTR_SKIP_CPU_SYNC)
/*
 * No code writes to the cache lines of the buffer while it is mapped: see RT_DMA_ATTR_OWN_LINES. The unmap needs it, too.
 * It has an effect for dma_map_single_attrs() and all unmap calls.
 */
#define DMA_ATTR_CPU_CACHE_CLEAN    ((unsigned long)RT_DMA_ATTR_OWN_LINES)
/* What follows has no effect: it asks for no more than is always given, or for what no bus here can do. */
#define DMA_ATTR_WRITE_COMBINE      (1UL << 1)
#define DMA_ATTR_WEAK_ORDERING      (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING  (1UL << 3)
#define DMA_ATTR_FORCE_CONTIGUOUS   (1UL << 4)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 5)
#define DMA_ATTR_NO_WARN            (1UL << 6)
#define DMA_ATTR_PRIVILEGED         (1UL << 7)

/* ---- masks ------------------------------------------------------------------------------------------------------ */

/* -EIO: no pool is within the mask; the mask stays as it was. Without a mask a device is given any memory. */
static inline int dma_set_mask(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_mask(dma_rt_device(dev), mask) ? -EIO : 0;
}

static inline int dma_set_coherent_mask(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_coherent_mask(dma_rt_device(dev), mask) ? -EIO : 0;
}

static inline int dma_set_mask_and_coherent(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_mask_and_coherent(dma_rt_device(dev), mask) ? -EIO : 0;
}

static inline int dma_coerce_mask_and_coherent(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_mask_and_coherent(dma_rt_device(dev), mask) ? -EIO : 0;
}

static inline uint64_t dma_get_mask(dma_device_t dev)
{
    return rt_dma_get_mask(dma_rt_device(dev));
}

/* What names every address that a handle can hold: a device with larger and smaller descriptors uses the larger. */
static inline uint64_t dma_get_required_mask(dma_device_t dev)
{
    (void)dev;
    return DMA_BIT_MASK(8 * sizeof(dma_addr_t));
}

/* Bytes that a buffer should be aligned to, and a multiple of, not to share cache lines. */
static inline int dma_get_cache_alignment(void)
{
#ifdef RT_CPU_CACHE_LINE_SZ
    /* rthw.h has a guess of 32 for BSPs that name none. */
    return RT_CPU_CACHE_LINE_SZ > 64 ? RT_CPU_CACHE_LINE_SZ : 64;
#else
    return 128;
#endif
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/*
 * NULL if no pool that serves the device has room. Full of zeros. Write-combining in any case where the library can, as
 * coherent memory of Linux on arm64: drivers memset() and memcpy() it, which the Device memory of RT-Thread's
 * rt_dma_alloc_coherent() does not bear. Where it cannot, only aligned words may be accessed: see rt_dma_wc_flags().
 */
static inline void *dma_alloc_attrs(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
        unsigned long attrs)
{
    (void)gfp;
    (void)attrs;
    return rt_dma_alloc_wc(dma_rt_device(dev), size, dma_handle);
}

/* size, cpu_addr and dma_handle as at the allocation; what does not fit is logged, and changes nothing. */
static inline void dma_free_attrs(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
        unsigned long attrs)
{
    (void)attrs;
    rt_dma_free(dma_rt_device(dev), size, cpu_addr, dma_handle, rt_dma_wc_flags(dma_rt_device(dev)));
}

static inline void *dma_alloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_attrs(dev, size, dma_handle, gfp, 0);
}

static inline void dma_free_coherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    dma_free_attrs(dev, size, cpu_addr, dma_handle, 0);
}

/* The name from before dma_alloc_coherent() cleared. */
static inline void *dma_zalloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_coherent(dev, size, dma_handle, gfp);
}

static inline void *dma_alloc_wc(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_attrs(dev, size, dma_handle, gfp, DMA_ATTR_WRITE_COMBINE);
}

static inline void dma_free_wc(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    dma_free_attrs(dev, size, cpu_addr, dma_handle, DMA_ATTR_WRITE_COMBINE);
}

/* Managed: rt_dmam_release() frees what the driver did not. */
static inline void *dmam_alloc_attrs(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
        unsigned long attrs)
{
    void *cpu_addr = rt_dmam_alloc(dma_rt_device(dev), size, dma_handle, rt_dma_wc_flags(dma_rt_device(dev)));
    size_t words = cpu_addr ? size / sizeof(uintptr_t) : 0, i;

    (void)gfp;
    (void)attrs;
    /* Aligned words, since it may be Device memory. */
    for (i = 0; i < words; i++)
    {
        ((volatile uintptr_t *)cpu_addr)[i] = 0;
    }
    for (i = words * sizeof(uintptr_t); cpu_addr && i < size; i++)
    {
        ((volatile unsigned char *)cpu_addr)[i] = 0;
    }
    return cpu_addr;
}

static inline void *dmam_alloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dmam_alloc_attrs(dev, size, dma_handle, gfp, 0);
}

static inline void dmam_free_coherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    rt_dmam_free(dma_rt_device(dev), size, cpu_addr, dma_handle);
}

/* ---- streaming maps --------------------------------------------------------------------------------------------- */

/* 0, or -ENOMEM for what a map call gives when it fails. */
static inline int dma_mapping_error(dma_device_t dev, dma_addr_t dma_addr)
{
    return rt_dma_mapping_error(dma_rt_device(dev), dma_addr) ? -ENOMEM : 0;
}

/*
 * Hands size bytes to the device. What the device cannot reach goes through a bounce buffer.
 *
 * DMA_ATTR_SKIP_CPU_SYNC has no effect here: the cache is maintained once more than asked.
 */
static inline dma_addr_t dma_map_single_attrs(dma_device_t dev, void *cpu_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    return rt_dma_map_single_attrs(dma_rt_device(dev), cpu_addr, size, dir, attrs & DMA_ATTR_CPU_CACHE_CLEAN);
}

static inline dma_addr_t dma_map_page_attrs(dma_device_t dev, struct page *page, size_t offset, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    (void)attrs;
    return rt_dma_map_page(dma_rt_device(dev), (uintptr_t)page, offset, size, dir);
}

/* The entries that are mapped: all of them, or 0, and then none is. */
static inline int dma_map_sg_attrs(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
        unsigned long attrs)
{
    (void)attrs;
    return rt_dma_map_sg(dma_rt_device(dev), sgl, nents, dir);
}

/*
 * Hands the bytes back to the processor. With DMA_ATTR_SKIP_CPU_SYNC nothing is copied and no cache is maintained: the
 * processor has what it synchronized, and what it wrote since stays.
 */
static inline void dma_unmap_single_attrs(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    rt_dma_unmap_single_attrs(dma_rt_device(dev), dma_addr, size, dir,
            attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_CPU_CACHE_CLEAN));
}

static inline void dma_unmap_page_attrs(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    rt_dma_unmap_single_attrs(dma_rt_device(dev), dma_addr, size, dir,
            attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_CPU_CACHE_CLEAN));
}

/* nents as it was given to the map call. */
static inline void dma_unmap_sg_attrs(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir, unsigned long attrs)
{
    rt_dma_unmap_sg_attrs(dma_rt_device(dev), sgl, nents, dir,
            attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_CPU_CACHE_CLEAN));
}

static inline dma_addr_t dma_map_single(dma_device_t dev, void *cpu_addr, size_t size, enum dma_data_direction dir)
{
    return dma_map_single_attrs(dev, cpu_addr, size, dir, 0);
}

static inline dma_addr_t dma_map_page(dma_device_t dev, struct page *page, size_t offset, size_t size,
        enum dma_data_direction dir)
{
    return dma_map_page_attrs(dev, page, offset, size, dir, 0);
}

static inline int dma_map_sg(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir)
{
    return dma_map_sg_attrs(dev, sgl, nents, dir, 0);
}

static inline void dma_unmap_single(dma_device_t dev, dma_addr_t dma_addr, size_t size, enum dma_data_direction dir)
{
    dma_unmap_single_attrs(dev, dma_addr, size, dir, 0);
}

static inline void dma_unmap_page(dma_device_t dev, dma_addr_t dma_addr, size_t size, enum dma_data_direction dir)
{
    dma_unmap_page_attrs(dev, dma_addr, size, dir, 0);
}

static inline void dma_unmap_sg(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir)
{
    dma_unmap_sg_attrs(dev, sgl, nents, dir, 0);
}

/* Before the processor reads what the device wrote to a mapping, or to a part of it. */
static inline void dma_sync_single_for_cpu(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir)
{
    rt_dma_sync_single_for_cpu(dma_rt_device(dev), dma_addr, size, dir);
}

/*
 * After the processor was at a mapping, before the device is again. With DMA_FROM_DEVICE none of the processor's bytes go to
 * the device, so that a driver may poll: what the device wrote since the last sync stays.
 */
static inline void dma_sync_single_for_device(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir)
{
    rt_dma_sync_single_for_device(dma_rt_device(dev), dma_addr, size, dir);
}

static inline void dma_sync_single_range_for_cpu(dma_device_t dev, dma_addr_t dma_addr, unsigned long offset,
        size_t size, enum dma_data_direction dir)
{
    dma_sync_single_for_cpu(dev, dma_addr + offset, size, dir);
}

static inline void dma_sync_single_range_for_device(dma_device_t dev, dma_addr_t dma_addr, unsigned long offset,
        size_t size, enum dma_data_direction dir)
{
    dma_sync_single_for_device(dev, dma_addr + offset, size, dir);
}

static inline void dma_sync_sg_for_cpu(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir)
{
    rt_dma_sync_sg_for_cpu(dma_rt_device(dev), sgl, nents, dir);
}

static inline void dma_sync_sg_for_device(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir)
{
    rt_dma_sync_sg_for_device(dma_rt_device(dev), sgl, nents, dir);
}

/*
 * Cached memory, mapped for as long as it lives: dma_sync_single_for_device() and dma_sync_single_for_cpu() hand it to and
 * fro. It is the processor's at first, and full of zeros. In whole pages, so that its last line has no neighbour.
 */
static inline void *dma_alloc_noncoherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle,
        enum dma_data_direction dir, gfp_t gfp)
{
    size_t whole = (size + 4095) & ~(size_t)4095;
    void *cpu_addr = rt_dma_zalloc(dma_rt_device(dev), whole, NULL, 0);
    dma_addr_t mapped = cpu_addr ? rt_dma_map_single(dma_rt_device(dev), cpu_addr, whole, dir) : DMA_MAPPING_ERROR;

    (void)gfp;
    if (mapped != DMA_MAPPING_ERROR)
    {
        *dma_handle = mapped;
        return cpu_addr;
    }
    rt_dma_free(dma_rt_device(dev), whole, cpu_addr, 0, 0);
    return NULL;
}

static inline void dma_free_noncoherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
        enum dma_data_direction dir)
{
    size_t whole = (size + 4095) & ~(size_t)4095;

    rt_dma_unmap_single(dma_rt_device(dev), dma_handle, whole, dir);
    rt_dma_free(dma_rt_device(dev), whole, cpu_addr, 0, 0);
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

/* Where these are used, RT-Thread's mm_aspace.h must be included. */
#ifndef virt_to_page
#define virt_to_page(cpu_addr)  ((struct page *)((uintptr_t)rt_kmem_v2p((void *)(cpu_addr)) & ~(uintptr_t)ARCH_PAGE_MASK))
#endif
#ifndef page_to_phys
#define page_to_phys(page)      ((uintptr_t)(page))
#endif
#ifndef offset_in_page
#define offset_in_page(p)       ((uintptr_t)(p) & ARCH_PAGE_MASK)
#endif

/* ---- what a driver keeps for its unmaps ------------------------------------------------------------------------- */

#define DEFINE_DMA_UNMAP_ADDR(name)         dma_addr_t name
#define DEFINE_DMA_UNMAP_LEN(name)          uint32_t name
#define dma_unmap_addr(ptr, name)           ((ptr)->name)
#define dma_unmap_addr_set(ptr, name, val)  (((ptr)->name) = (val))
#define dma_unmap_len(ptr, name)            ((ptr)->name)
#define dma_unmap_len_set(ptr, name, val)   (((ptr)->name) = (val))

#endif /* RT_DMA_LINUX_DMA_MAPPING_H */
