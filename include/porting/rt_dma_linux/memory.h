/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file memory.h
 * @brief For porting drivers from Linux: a device's masks and limits, and memory that is allocated for it.
 *
 * @note Context of the calls that set a mask or a limit, and of the allocations: thread first, then any. Context of the
 * frees: any, but memory that has a mapping of its own needs a thread, as for rt_dma_free(). Context of the calls that
 * only return a value: any. Context of dmam_*: thread. rt_dma.h defines the terms.
 */
#ifndef RT_DMA_LINUX_MEMORY_H
#define RT_DMA_LINUX_MEMORY_H

#include <rt_dma_linux/types.h>

/**
 * @brief Attribute of an unmap: the call leaves the buffer alone, because the driver has synced what it wants to see.
 */
#define DMA_ATTR_SKIP_CPU_SYNC      ((unsigned long)RT_DMA_ATTR_SKIP_CPU_SYNC)
/**
 * @brief Attribute: no code writes to the cache lines of the buffer while it is mapped (RT_DMA_ATTR_OWN_LINES). It has
 * an effect for maps of single buffers, pages and lists. The unmap gets it, too.
 */
#define DMA_ATTR_CPU_CACHE_CLEAN    ((unsigned long)RT_DMA_ATTR_OWN_LINES)
/** @brief Attribute without effect: coherent memory is write-combining where that is possible. */
#define DMA_ATTR_WRITE_COMBINE      (1UL << 1)
/** @brief Attribute without effect. */
#define DMA_ATTR_WEAK_ORDERING      (1UL << 2)
/** @brief Attribute without effect: memory is always mapped for the processor. */
#define DMA_ATTR_NO_KERNEL_MAPPING  (1UL << 3)
/** @brief Attribute without effect: memory is always contiguous. */
#define DMA_ATTR_FORCE_CONTIGUOUS   (1UL << 4)
/** @brief Attribute without effect. */
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 5)
/** @brief Attribute without effect. */
#define DMA_ATTR_NO_WARN            (1UL << 6)
/** @brief Attribute without effect. */
#define DMA_ATTR_PRIVILEGED         (1UL << 7)
/** @brief Attribute of dma_map_phys(): the address is a device's register or memory, not RAM. */
#define DMA_ATTR_MMIO               (1UL << 10)

/* ---- masks ------------------------------------------------------------------------------------------------------ */

/**
 * @brief Sets the streaming mask.
 *
 * @retval 0 The mask is set.
 * @retval -EIO rt_dma_set_mask() failed, for any reason. The mask stays.
 */
static inline int dma_set_mask(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_mask(dma_rt_device(dev), mask) ? -EIO : 0;
}

/** @brief Sets the coherent mask. Returns 0 or -EIO as dma_set_mask(). */
static inline int dma_set_coherent_mask(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_coherent_mask(dma_rt_device(dev), mask) ? -EIO : 0;
}

/** @brief Sets both masks. Returns 0 or -EIO as dma_set_mask(). */
static inline int dma_set_mask_and_coherent(dma_device_t dev, uint64_t mask)
{
    return rt_dma_set_mask_and_coherent(dma_rt_device(dev), mask) ? -EIO : 0;
}

/** @brief Does what dma_set_mask_and_coherent() does. On Linux it is for a device without a pointer to its mask. */
static inline int dma_coerce_mask_and_coherent(dma_device_t dev, uint64_t mask)
{
    return dma_set_mask_and_coherent(dev, mask);
}

/** @brief Returns the streaming mask; all ones if none was set. It has no more bits than a `dma_addr_t`. */
static inline uint64_t dma_get_mask(dma_device_t dev)
{
    return (dma_addr_t)rt_dma_get_mask(dma_rt_device(dev));
}

/** @brief Returns the largest mask that can be needed: all bits of a handle. */
static inline uint64_t dma_get_required_mask(dma_device_t dev)
{
    (void)dev;
    return DMA_BIT_MASK(8 * sizeof(uintptr_t));
}

/**
 * @brief Returns whether the device's mask leaves out addresses, so that some maps may need a bounce buffer. Memory
 * that only the bus leaves out does not count.
 */
static inline bool dma_addressing_limited(dma_device_t dev)
{
    return dma_get_mask(dev) < dma_get_required_mask(dev);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

/**
 * @brief Sets the most bytes that the device takes in one segment.
 *
 * @retval 0 The limit is set.
 * @retval -EIO rt_dma_set_max_segment() failed.
 */
static inline int dma_set_max_seg_size(dma_device_t dev, unsigned int size)
{
    return rt_dma_set_max_segment(dma_rt_device(dev), size) ? -EIO : 0;
}

/** @brief Returns the most bytes of a segment; 65,536 if nothing was set. */
static inline unsigned int dma_get_max_seg_size(dma_device_t dev)
{
    return (unsigned int)rt_dma_get_max_segment(dma_rt_device(dev));
}

/**
 * @brief Sets the mask of the boundary that no segment crosses: `0xffff` for 64 KiB.
 *
 * @retval 0 The limit is set.
 * @retval -EIO rt_dma_set_segment_boundary() failed.
 */
static inline int dma_set_seg_boundary(dma_device_t dev, unsigned long mask)
{
    return rt_dma_set_segment_boundary(dma_rt_device(dev), mask) ? -EIO : 0;
}

/** @brief Returns the mask of the boundary that no segment crosses; all ones if nothing was set. */
static inline unsigned long dma_get_seg_boundary(dma_device_t dev)
{
    return rt_dma_get_segment_boundary(dma_rt_device(dev));
}

/**
 * @brief Returns how many pages of `1 << page_shift` bytes lie between two boundaries.
 *
 * @return The number; for a NULL device, that of 4 GiB.
 */
static inline unsigned long dma_get_seg_boundary_nr_pages(dma_device_t dev, unsigned int page_shift)
{
    return ((dma_rt_device(dev) ? dma_get_seg_boundary(dev) : 0xffffffffUL) >> page_shift) + 1;
}

/**
 * @brief Sets which low bits of a buffer's address a bounce buffer keeps.
 *
 * @retval 0 The limit is set.
 * @retval -EIO rt_dma_set_min_align_mask() failed.
 */
static inline int dma_set_min_align_mask(dma_device_t dev, unsigned int min_align_mask)
{
    return rt_dma_set_min_align_mask(dma_rt_device(dev), min_align_mask) ? -EIO : 0;
}

/** @brief Returns which low bits of a buffer's address a bounce buffer keeps; 0 if nothing was set. */
static inline unsigned int dma_get_min_align_mask(dma_device_t dev)
{
    return (unsigned int)rt_dma_get_min_align_mask(dma_rt_device(dev));
}

/** @brief Returns the most bytes of a mapping: 256 KiB, as on Linux, if dma_addressing_limited() is true. */
static inline size_t dma_max_mapping_size(dma_device_t dev)
{
    return dma_addressing_limited(dev) ? (size_t)256 * 1024 : ~(size_t)0;
}

/** @brief Returns the size up to which a mapping costs least: that of dma_max_mapping_size(). */
static inline size_t dma_opt_mapping_size(dma_device_t dev)
{
    return dma_max_mapping_size(dev);
}

/** @brief Returns true: it is always safe to make the sync calls for a mapping. */
static inline bool dma_need_sync(dma_device_t dev, dma_addr_t dma_addr)
{
    (void)dev;
    (void)dma_addr;
    return true;
}

/** @brief Returns true: it is always safe to make the sync calls for a mapping of the device. */
static inline bool dma_dev_need_sync(dma_device_t dev)
{
    (void)dev;
    return true;
}

/** @brief Returns 0: segments cannot be merged at any boundary, because there is no IOMMU. */
static inline unsigned long dma_get_merge_boundary(dma_device_t dev)
{
    (void)dev;
    return 0;
}

/**
 * @brief Returns the alignment, in bytes, at which a buffer shares no cache line. Its size must be a multiple of it,
 * too.
 */
static inline int dma_get_cache_alignment(void)
{
#ifdef RT_CPU_CACHE_LINE_SZ
    /* rthw.h defines 32 for BSPs that do not define the size, and that may be too small. */
    return RT_CPU_CACHE_LINE_SZ > 64 ? RT_CPU_CACHE_LINE_SZ : 64;
#else
    /* The size is not known. No supported processor has longer lines. */
    return 128;
#endif
}

/* ---- coherent memory -------------------------------------------------------------------------------------------- */

/**
 * @brief Allocates coherent memory, full of zeros.
 *
 * For the device, the memory is aligned to the smallest power of two of pages that holds `size` bytes, so that 64 KiB
 * or less never cross a multiple of 64 KiB (dma-api-howto.rst). rt_dma_zalloc_coherent() describes larger buffers.
 *
 * It is Normal memory on aarch64, so that `memset` and unaligned accesses are allowed, which the Device memory of
 * RT-Thread's rt_dma_alloc_coherent() does not allow. There is one exception: memory of the device's own
 * `memory-region` is Device memory, if the device does not snoop the cache.
 *
 * @return The memory; NULL where rt_dma_zalloc_coherent() returns NULL. Then `*dma_handle` is not written.
 * @note Context: thread first, then any.
 */
static inline void *dma_alloc_attrs(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
        unsigned long attrs)
{
    rt_ubase_t handle = 0;
    void *cpu_addr = rt_dma_zalloc_coherent(dma_rt_device(dev), size, &handle);

    (void)gfp;
    (void)attrs;
    if (cpu_addr)
    {
        *dma_handle = handle;
    }
    return cpu_addr;
}

/** @brief Frees coherent memory, by the arguments of its allocation. A wrong call is logged, and changes nothing. */
static inline void dma_free_attrs(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
        unsigned long attrs)
{
    (void)attrs;
    rt_dma_free(dma_rt_device(dev), size, cpu_addr, dma_linux_handle(dma_handle), rt_dma_wc_flags(dma_rt_device(dev)));
}

/** @brief Allocates coherent memory as dma_alloc_attrs() does. */
static inline void *dma_alloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_attrs(dev, size, dma_handle, gfp, 0);
}

/** @brief Frees memory of dma_alloc_coherent(). */
static inline void dma_free_coherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    dma_free_attrs(dev, size, cpu_addr, dma_handle, 0);
}

/**
 * @brief Allocates coherent memory. Older drivers use this name, because dma_alloc_coherent() did not clear the memory
 * then.
 */
static inline void *dma_zalloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_coherent(dev, size, dma_handle, gfp);
}

/** @brief Allocates write-combining memory: coherent memory is write-combining where that is possible. */
static inline void *dma_alloc_wc(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dma_alloc_attrs(dev, size, dma_handle, gfp, DMA_ATTR_WRITE_COMBINE);
}

/** @brief Frees memory of dma_alloc_wc(). */
static inline void dma_free_wc(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    dma_free_attrs(dev, size, cpu_addr, dma_handle, DMA_ATTR_WRITE_COMBINE);
}

/** @brief Allocates coherent memory that rt_dmam_release() frees if the driver did not. Context: thread. */
static inline void *dmam_alloc_attrs(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
        unsigned long attrs)
{
    rt_ubase_t handle = 0;
    void *cpu_addr = rt_dmam_zalloc_coherent(dma_rt_device(dev), size, &handle);

    (void)gfp;
    (void)attrs;
    if (cpu_addr)
    {
        *dma_handle = handle;
    }
    return cpu_addr;
}

/** @brief Allocates coherent memory as dmam_alloc_attrs() does. */
static inline void *dmam_alloc_coherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
    return dmam_alloc_attrs(dev, size, dma_handle, gfp, 0);
}

/** @brief Frees memory of dmam_alloc_coherent() before the device is released. Context: thread. */
static inline void dmam_free_coherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
    rt_dmam_free(dma_rt_device(dev), size, cpu_addr, dma_linux_handle(dma_handle));
}

#endif /* RT_DMA_LINUX_MEMORY_H */
