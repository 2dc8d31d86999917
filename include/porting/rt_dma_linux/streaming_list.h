/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file streaming_list.h
 * @brief For porting drivers from Linux: streaming maps of scatter lists and tables, and their syncs.
 *
 * In each call `dev` is the device, `sgl` the first entry of a list, `sgt` a table, and `dir` the direction of the
 * mapping. On Linux, dma_map_sg() may return fewer entries than it got. Here it returns `nents` or 0, and an unmap or a
 * sync gets the same `nents`.
 *
 * @note Context of the maps: thread first, then any. Context of the unmaps and the syncs: any. rt_dma.h defines the
 * terms.
 */
#ifndef RT_DMA_LINUX_STREAMING_LIST_H
#define RT_DMA_LINUX_STREAMING_LIST_H

#include <rt_dma_linux/sg_table.h>
#include <rt_dma_linux/streaming.h>

/**
 * @brief Returns how many bytes of an entry an unmap or a sync covers: those that dma_map_sg() mapped, or all bytes of
 * an entry that the driver has mapped itself.
 */
static inline unsigned int dma_linux_mapped_length(const struct scatterlist *sg)
{
    return sg->dma_mapped ? sg->dma_mapped : sg->length;
}

/** @brief Ends the mapping of each of the first `nents` entries, as dma_map_sg_attrs() made it. */
static inline void dma_unmap_sg_attrs(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir, unsigned long attrs)
{
    struct scatterlist *sg;
    int i;

    for (i = 0, sg = sgl; i < nents && sg; i++, sg = sg_next(sg))
    {
        unsigned int length = dma_linux_mapped_length(sg);

        if (length)
        {
            dma_unmap_single_attrs(dev, sg->dma_address, length, dir, attrs | DMA_LINUX_LIST_ENTRY);
        }
        sg->dma_mapped = 0;
    }
}

/**
 * @brief Maps one entry. An entry without bytes gets the address 0.
 *
 * @retval 0 The entry is mapped.
 * @retval -ENOMEM The map failed.
 */
static inline int dma_linux_map_entry(dma_device_t dev, struct scatterlist *sg, enum dma_data_direction dir,
        unsigned long attrs)
{
    sg->dma_address = 0;
    if (sg->length)
    {
        sg->dma_address = dma_map_single_attrs(dev, sg_virt(sg), sg->length, dir, attrs | DMA_LINUX_LIST_ENTRY);
        if (dma_mapping_error(dev, sg->dma_address))
        {
            return -ENOMEM;
        }
    }
    /* An unmap reads dma_mapped only: a driver may change dma_length. */
    sg->dma_length = sg->dma_mapped = sg->length;
    return 0;
}

/**
 * @brief Hands the first `nents` entries to the device, one by one.
 *
 * @return `nents`; 0 if a map fails, or the list has fewer entries. Then no entry is mapped.
 */
static inline int dma_map_sg_attrs(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
        unsigned long attrs)
{
    struct scatterlist *sg = sgl;
    int i;

    for (i = 0; i < nents; i++, sg = sg_next(sg))
    {
        if (!sg || dma_linux_map_entry(dev, sg, dir, attrs))
        {
            dma_unmap_sg_attrs(dev, sgl, i, dir, attrs);
            return 0;
        }
    }
    return i;
}

/**
 * @brief Hands a list to the device as dma_map_sg_attrs() does, without attributes.
 *
 * @return As dma_map_sg_attrs().
 */
static inline int dma_map_sg(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir)
{
    return dma_map_sg_attrs(dev, sgl, nents, dir, 0);
}

/** @brief Ends the mapping of a list. */
static inline void dma_unmap_sg(dma_device_t dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir)
{
    dma_unmap_sg_attrs(dev, sgl, nents, dir, 0);
}

/** @brief Syncs a list for the processor. */
static inline void dma_sync_sg_for_cpu(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir)
{
    struct scatterlist *sg;
    int i;

    for (i = 0, sg = sgl; i < nents && sg; i++, sg = sg_next(sg))
    {
        unsigned int length = dma_linux_mapped_length(sg);

        if (length)
        {
            dma_sync_single_for_cpu(dev, sg->dma_address, length, dir);
        }
    }
}

/** @brief Syncs a list for the device. */
static inline void dma_sync_sg_for_device(dma_device_t dev, struct scatterlist *sgl, int nents,
        enum dma_data_direction dir)
{
    struct scatterlist *sg;
    int i;

    for (i = 0, sg = sgl; i < nents && sg; i++, sg = sg_next(sg))
    {
        unsigned int length = dma_linux_mapped_length(sg);

        if (length)
        {
            dma_sync_single_for_device(dev, sg->dma_address, length, dir);
        }
    }
}

/**
 * @brief Hands a table to the device.
 *
 * @retval 0 The table is mapped.
 * @retval -EINVAL The table is empty, or `dir` is DMA_NONE or no direction.
 * @retval -ENOMEM A map failed, or the list has fewer than `orig_nents` entries. No entry is mapped.
 */
static inline int dma_map_sgtable(dma_device_t dev, struct sg_table *sgt, enum dma_data_direction dir,
        unsigned long attrs)
{
    int nents;

    if (!sgt->orig_nents || !rt_dma_linux_is_direction(dir))
    {
        return -EINVAL;
    }
    nents = dma_map_sg_attrs(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);
    if (!nents)
    {
        return -ENOMEM;
    }
    sgt->nents = (unsigned int)nents;
    return 0;
}

/** @brief Ends the mapping of a table. */
static inline void dma_unmap_sgtable(dma_device_t dev, struct sg_table *sgt, enum dma_data_direction dir,
        unsigned long attrs)
{
    dma_unmap_sg_attrs(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);
}

/** @brief Syncs a table for the processor. */
static inline void dma_sync_sgtable_for_cpu(dma_device_t dev, struct sg_table *sgt, enum dma_data_direction dir)
{
    dma_sync_sg_for_cpu(dev, sgt->sgl, (int)sgt->orig_nents, dir);
}

/** @brief Syncs a table for the device. */
static inline void dma_sync_sgtable_for_device(dma_device_t dev, struct sg_table *sgt, enum dma_data_direction dir)
{
    dma_sync_sg_for_device(dev, sgt->sgl, (int)sgt->orig_nents, dir);
}

#endif /* RT_DMA_LINUX_STREAMING_LIST_H */
