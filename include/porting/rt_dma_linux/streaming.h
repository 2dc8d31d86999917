/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file streaming.h
 * @brief For porting drivers from Linux: streaming maps of buffers, pages and registers, and their syncs.
 *
 * @note Context of the maps: thread first, then any. Context of the unmaps and the syncs: any. rt_dma.h defines the
 * terms.
 */
#ifndef RT_DMA_LINUX_STREAMING_H
#define RT_DMA_LINUX_STREAMING_H

#include <rt_dma_linux/memory.h>

/** @brief Attribute that dma_map_sg_attrs() gives to each entry. Only the debug mode uses it. */
#define DMA_LINUX_LIST_ENTRY    ((unsigned long)RT_DMA_ATTR_LIST_ENTRY)
/** @brief The attributes that a map passes to the library. */
#define DMA_LINUX_MAP_ATTRS     (DMA_ATTR_CPU_CACHE_CLEAN | DMA_LINUX_LIST_ENTRY)
/** @brief The attributes that an unmap passes to the library. */
#define DMA_LINUX_UNMAP_ATTRS   (DMA_ATTR_SKIP_CPU_SYNC | DMA_LINUX_MAP_ATTRS)

/** @brief Returns -ENOMEM for DMA_MAPPING_ERROR, which a map returns when it fails; 0 for every other value. */
static inline int dma_mapping_error(dma_device_t dev, dma_addr_t dma_addr)
{
#ifdef PKG_RT_DMA_POOL_USING_DEBUG
    /* This call lets the debug mode record that the driver has checked the handle. */
    return rt_dma_mapping_error(dma_rt_device(dev), dma_linux_handle(dma_addr)) ? -ENOMEM : 0;
#else
    (void)dev;
    return dma_addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
#endif
}

/* ---- single buffers --------------------------------------------------------------------------------------------- */

/**
 * @brief Hands `size` bytes to the device. A bounce buffer takes the place of memory that the device cannot reach.
 *
 * DMA_ATTR_SKIP_CPU_SYNC has no effect on a map: the cache is maintained even if the driver asks to skip that.
 */
static inline dma_addr_t dma_map_single_attrs(dma_device_t dev, void *cpu_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    return dma_linux_address(
            rt_dma_map_single_attrs(dma_rt_device(dev), cpu_addr, size, (int)dir, attrs & DMA_LINUX_MAP_ATTRS));
}

/**
 * @brief Hands the bytes back to the processor.
 *
 * With DMA_ATTR_SKIP_CPU_SYNC nothing is copied, and no cache is maintained: the buffer keeps the bytes that the
 * processor has seen or written since its last sync.
 */
static inline void dma_unmap_single_attrs(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    rt_dma_unmap_single_attrs(dma_rt_device(dev), dma_linux_handle(dma_addr), size, (int)dir,
            attrs & DMA_LINUX_UNMAP_ATTRS);
}

/** @brief Hands `size` bytes to the device, which begin `offset` bytes after the beginning of a page. */
static inline dma_addr_t dma_map_page_attrs(dma_device_t dev, struct page *page, size_t offset, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    return dma_map_single_attrs(dev, (char *)page_address(page) + offset, size, dir, attrs);
}

/** @brief Ends a mapping of dma_map_page_attrs(). */
static inline void dma_unmap_page_attrs(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    dma_unmap_single_attrs(dev, dma_addr, size, dir, attrs);
}

/** @brief Hands `size` bytes to the device as dma_map_single_attrs() does, without attributes. */
static inline dma_addr_t dma_map_single(dma_device_t dev, void *cpu_addr, size_t size, enum dma_data_direction dir)
{
    return dma_map_single_attrs(dev, cpu_addr, size, dir, 0);
}

/** @brief Ends a mapping of dma_map_single(). */
static inline void dma_unmap_single(dma_device_t dev, dma_addr_t dma_addr, size_t size, enum dma_data_direction dir)
{
    dma_unmap_single_attrs(dev, dma_addr, size, dir, 0);
}

/** @brief Hands a part of a page to the device as dma_map_page_attrs() does, without attributes. */
static inline dma_addr_t dma_map_page(dma_device_t dev, struct page *page, size_t offset, size_t size,
        enum dma_data_direction dir)
{
    return dma_map_page_attrs(dev, page, offset, size, dir, 0);
}

/** @brief Ends a mapping of dma_map_page(). */
static inline void dma_unmap_page(dma_device_t dev, dma_addr_t dma_addr, size_t size, enum dma_data_direction dir)
{
    dma_unmap_page_attrs(dev, dma_addr, size, dir, 0);
}

/* ---- physical addresses ----------------------------------------------------------------------------------------- */

/**
 * @brief Returns the address at which the device reaches a register or memory of another device. It is the physical
 * address, even if the bus translates addresses.
 *
 * @return The address; DMA_MAPPING_ERROR if a byte is not within the device's mask or has no address, if `size` is 0,
 * or if `dir` is no direction.
 */
static inline dma_addr_t dma_map_resource(dma_device_t dev, phys_addr_t phys_addr, size_t size,
        enum dma_data_direction dir, unsigned long attrs)
{
    dma_linux_u64 last = (dma_linux_u64)phys_addr + (size ? size - 1 : 0);

    (void)attrs;
    if (!size || !rt_dma_linux_is_direction(dir) || last < phys_addr || last > dma_get_mask(dev)
            || last > (dma_linux_u64)DMA_MAPPING_ERROR - 1)
    {
        return DMA_MAPPING_ERROR;
    }
    return (dma_addr_t)phys_addr;
}

/** @brief Ends a mapping of dma_map_resource(). There is nothing to do, because the mapping uses no memory. */
static inline void dma_unmap_resource(dma_device_t dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
        unsigned long attrs)
{
    (void)dev;
    (void)addr;
    (void)size;
    (void)dir;
    (void)attrs;
}

/**
 * @brief Hands RAM at a physical address to the device. With DMA_ATTR_MMIO it does what dma_map_resource() does. Other
 * attributes have no effect.
 */
static inline dma_addr_t dma_map_phys(dma_device_t dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
        unsigned long attrs)
{
    if (attrs & DMA_ATTR_MMIO)
    {
        return dma_map_resource(dev, phys, size, dir, attrs);
    }
    if ((phys_addr_t)(uintptr_t)phys != phys)
    {
        /* A port's phys_addr_t may be wider than a pointer: the library has no such memory. */
        return DMA_MAPPING_ERROR;
    }
    return dma_linux_address(rt_dma_map_page(dma_rt_device(dev), (uintptr_t)phys & ~(DMA_LINUX_PAGE_SIZE - 1),
            (uintptr_t)phys & (DMA_LINUX_PAGE_SIZE - 1), size, (int)dir));
}

/** @brief Ends a mapping of dma_map_phys(), which had the same attributes. */
static inline void dma_unmap_phys(dma_device_t dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
        unsigned long attrs)
{
    if (!(attrs & DMA_ATTR_MMIO))
    {
        /* The map had none of the other attributes, and an unmap may have only those of its map. */
        dma_unmap_single_attrs(dev, addr, size, dir, attrs & DMA_ATTR_SKIP_CPU_SYNC);
    }
}

/* ---- syncs ------------------------------------------------------------------------------------------------------ */

/** @brief Makes a mapping, or a part of it, the processor's, with what the device wrote. */
static inline void dma_sync_single_for_cpu(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir)
{
    rt_dma_sync_single_for_cpu(dma_rt_device(dev), dma_linux_handle(dma_addr), size, (int)dir);
}

/**
 * @brief Makes a mapping, or a part of it, the device's again, with what the processor wrote.
 *
 * With DMA_FROM_DEVICE a driver may poll: what the device wrote since the last sync stays, if the driver has not
 * written to the buffer.
 */
static inline void dma_sync_single_for_device(dma_device_t dev, dma_addr_t dma_addr, size_t size,
        enum dma_data_direction dir)
{
    rt_dma_sync_single_for_device(dma_rt_device(dev), dma_linux_handle(dma_addr), size, (int)dir);
}

/** @brief Syncs a part of a mapping for the processor. */
static inline void dma_sync_single_range_for_cpu(dma_device_t dev, dma_addr_t dma_addr, unsigned long offset,
        size_t size, enum dma_data_direction dir)
{
    dma_sync_single_for_cpu(dev, dma_addr + offset, size, dir);
}

/** @brief Syncs a part of a mapping for the device. */
static inline void dma_sync_single_range_for_device(dma_device_t dev, dma_addr_t dma_addr, unsigned long offset,
        size_t size, enum dma_data_direction dir)
{
    dma_sync_single_for_device(dev, dma_addr + offset, size, dir);
}

#endif /* RT_DMA_LINUX_STREAMING_H */
