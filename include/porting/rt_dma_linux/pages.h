/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pages.h
 * @brief For porting drivers from Linux: cached memory that stays mapped until it is freed, and tables of memory.
 */
#ifndef RT_DMA_LINUX_PAGES_H
#define RT_DMA_LINUX_PAGES_H

#include <rt_dma_linux/streaming_list.h>

/**
 * @brief Rounds up to whole pages.
 *
 * @return The size in whole pages; 0 if that does not fit in a `size_t`.
 */
static inline size_t dma_linux_whole_pages(size_t size)
{
    return (size + DMA_LINUX_PAGE_SIZE - 1) & ~(DMA_LINUX_PAGE_SIZE - 1);
}

/**
 * @brief Allocates cached, cleared memory that stays mapped until it is freed.
 *
 * At first the memory is the processor's. dma_sync_single_for_device() hands it to the device, and
 * dma_sync_single_for_cpu() back. Its size is rounded up to whole pages, so that its last cache line holds no other
 * data.
 *
 * @return The memory; NULL if there is none, if it cannot be mapped for the device, or if `size` is 0.
 * @note Context: thread first, then any.
 */
static inline void *dma_alloc_noncoherent(dma_device_t dev, size_t size, dma_addr_t *dma_handle,
        enum dma_data_direction dir, gfp_t gfp)
{
    size_t whole = dma_linux_whole_pages(size);
    void *cpu_addr = rt_dma_zalloc(dma_rt_device(dev), whole, NULL, 0);
    dma_addr_t mapped;

    (void)gfp;
    if (!cpu_addr)
    {
        return NULL;
    }
    mapped = dma_map_single(dev, cpu_addr, whole, dir);
    if (dma_mapping_error(dev, mapped))
    {
        rt_dma_free(dma_rt_device(dev), whole, cpu_addr, 0, 0);
        return NULL;
    }
    *dma_handle = mapped;
    return cpu_addr;
}

/**
 * @brief Frees memory of dma_alloc_noncoherent().
 *
 * @note Context: any. Memory that has a mapping of its own (rt_dma_alloc() states when) needs a thread: elsewhere the
 * call is refused and counted, and the memory stays allocated.
 */
static inline void dma_free_noncoherent(dma_device_t dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
        enum dma_data_direction dir)
{
    size_t whole = dma_linux_whole_pages(size);

    dma_unmap_single(dev, dma_handle, whole, dir);
    rt_dma_free(dma_rt_device(dev), whole, cpu_addr, 0, 0);
}

/** @brief Allocates memory as dma_alloc_noncoherent() does, and returns its first page. */
static inline struct page *dma_alloc_pages(dma_device_t dev, size_t size, dma_addr_t *dma_handle,
        enum dma_data_direction dir, gfp_t gfp)
{
    void *cpu_addr = dma_alloc_noncoherent(dev, size, dma_handle, dir, gfp);

    return cpu_addr ? virt_to_page(cpu_addr) : NULL;
}

/** @brief Frees pages of dma_alloc_pages(). */
static inline void dma_free_pages(dma_device_t dev, size_t size, struct page *page, dma_addr_t dma_handle,
        enum dma_data_direction dir)
{
    dma_free_noncoherent(dev, size, page_address(page), dma_handle, dir);
}

/* ---- memory in a table ------------------------------------------------------------------------------------------ */

/**
 * @brief Allocates memory as dma_alloc_noncoherent() does, and a table with one entry for it.
 *
 * @return The table; NULL where dma_alloc_noncoherent() returns NULL, if the heap has no room for the table, and if
 * `size` does not fit in the length of an entry (4 GiB).
 * @note Context: thread.
 */
static inline struct sg_table *dma_alloc_noncontiguous(dma_device_t dev, size_t size, enum dma_data_direction dir,
        gfp_t gfp, unsigned long attrs)
{
    size_t whole = dma_linux_whole_pages(size);
    unsigned int length = (unsigned int)whole;
    struct sg_table *sgt;
    dma_addr_t handle = 0;
    void *cpu_addr;

    (void)attrs;
    if (length != whole || length < size)
    {
        return NULL;
    }
    sgt = (struct sg_table *)dma_linux_malloc(sizeof(*sgt), gfp);
    if (!sgt)
    {
        return NULL;
    }
    cpu_addr = NULL;
    if (!sg_alloc_table(sgt, 1, gfp))
    {
        cpu_addr = dma_alloc_noncoherent(dev, size, &handle, dir, gfp);
    }
    if (!cpu_addr)
    {
        sg_free_table(sgt);
        dma_linux_free(sgt);
        return NULL;
    }
    sg_set_buf(sgt->sgl, cpu_addr, length);
    sgt->sgl->dma_address = handle;
    sgt->sgl->dma_length = length;
    sgt->sgl->dma_mapped = length;
    return sgt;
}

/** @brief Frees memory and table of dma_alloc_noncontiguous(). Context: thread. */
static inline void dma_free_noncontiguous(dma_device_t dev, size_t size, struct sg_table *sgt,
        enum dma_data_direction dir)
{
    dma_free_noncoherent(dev, size, sg_virt(sgt->sgl), sgt->sgl->dma_address, dir);
    sg_free_table(sgt);
    dma_linux_free(sgt);
}

/** @brief Returns the processor's address of the memory of a table. The memory is always mapped. */
static inline void *dma_vmap_noncontiguous(dma_device_t dev, size_t size, struct sg_table *sgt)
{
    (void)dev;
    (void)size;
    return sg_virt(sgt->sgl);
}

/** @brief Does nothing: the memory stays mapped. On Linux it ends a mapping of dma_vmap_noncontiguous(). */
static inline void dma_vunmap_noncontiguous(dma_device_t dev, void *vaddr)
{
    (void)dev;
    (void)vaddr;
}

/**
 * @brief Makes a table with one entry for coherent memory, so that a driver can map the memory for another device.
 *
 * sg_free_table() frees the table.
 *
 * @retval 0 The table is made. The entry has whole pages, but no handle.
 * @retval -EINVAL `cpu_addr` is NULL, or `size` does not fit in the length of an entry (4 GiB).
 * @retval -ENOMEM The heap has no room for the entry.
 * @note Context: thread.
 */
static inline int dma_get_sgtable_attrs(dma_device_t dev, struct sg_table *sgt, void *cpu_addr, dma_addr_t dma_addr,
        size_t size, unsigned long attrs)
{
    size_t whole = dma_linux_whole_pages(size);
    unsigned int length = (unsigned int)whole;
    int error;

    (void)dev;
    (void)dma_addr;
    (void)attrs;
    /* dma_linux_whole_pages() returns less than `size` where whole pages do not fit in a size_t. */
    if (!cpu_addr || length != whole || length < size)
    {
        return -EINVAL;
    }
    error = sg_alloc_table(sgt, 1, GFP_KERNEL);
    if (error)
    {
        return error;
    }
    sg_set_buf(sgt->sgl, cpu_addr, length);
    return 0;
}

/** @brief Makes a table of coherent memory, and returns what dma_get_sgtable_attrs() does. Context: thread. */
static inline int dma_get_sgtable(dma_device_t dev, struct sg_table *sgt, void *cpu_addr, dma_addr_t dma_addr,
        size_t size)
{
    return dma_get_sgtable_attrs(dev, sgt, cpu_addr, dma_addr, size, 0);
}

#endif /* RT_DMA_LINUX_PAGES_H */
