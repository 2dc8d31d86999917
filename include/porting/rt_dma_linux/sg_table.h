/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sg_table.h
 * @brief For porting drivers from Linux: scatter lists whose entries are allocated.
 *
 * Entries come from dma_linux_malloc(). Unless the port defines it, that is `rt_malloc`: then only a thread can
 * allocate and free them, also with GFP_ATOMIC.
 */
#ifndef RT_DMA_LINUX_SG_TABLE_H
#define RT_DMA_LINUX_SG_TABLE_H

#include <rt_dma_linux/sg_list.h>

/** @brief A list and its length. */
struct sg_table
{
    /** The list. */
    struct scatterlist *sgl;
    /** Entries that the device sees: here always all of them. */
    unsigned int nents;
    /** Entries of the list. */
    unsigned int orig_nents;
};

/** @brief A table that grows at its end. */
struct sg_append_table
{
    /** The table. */
    struct sg_table sgt;
    /** The last entry that holds memory. */
    struct scatterlist *prv;
    /** Entries of the table. */
    unsigned int total_nents;
};

/** @brief Runs the statement for every entry of a table. */
#define for_each_sgtable_sg(sgt, sg, i)     for_each_sg((sgt)->sgl, sg, (sgt)->orig_nents, i)
/** @brief Runs the statement for every entry that the device sees, of a table that is mapped. */
#define for_each_sgtable_dma_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->nents, i)

/** @brief Makes the table one without entries. Frees nothing. */
static inline void dma_linux_empty_table(struct sg_table *table)
{
    table->sgl = NULL;
    table->nents = table->orig_nents = 0;
}

/**
 * @brief Allocates a table of `nents` empty entries. After an error the table has no entries.
 *
 * @retval 0 The table is allocated.
 * @retval -EINVAL `nents` is 0, or the entries have more bytes than a `size_t` counts.
 * @retval -ENOMEM The heap has no room.
 */
static inline int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
    size_t bytes = nents * sizeof(struct scatterlist);

    (void)gfp; /* The default dma_linux_malloc() is a macro that does not use it. */
    dma_linux_empty_table(table);
    if (nents == 0 || bytes / sizeof(struct scatterlist) != nents)
    {
        return -EINVAL;
    }
    table->sgl = (struct scatterlist *)dma_linux_malloc(bytes, gfp);
    if (!table->sgl)
    {
        return -ENOMEM;
    }
    sg_init_table(table->sgl, nents);
    table->nents = table->orig_nents = nents;
    return 0;
}

/** @brief Frees the entries of a table. A second call does nothing. */
static inline void sg_free_table(struct sg_table *table)
{
    /*
     * As on Linux, an array of no entries is not freed: a driver that sets `sgl` to its own array has allocated none.
     */
    if (table->sgl && table->orig_nents)
    {
        dma_linux_free(table->sgl);
    }
    dma_linux_empty_table(table);
}

/**
 * @brief Makes a table of the driver's own `first_chunk` if its `nents_first_chunk` entries are enough for `nents`;
 * otherwise allocates one as sg_alloc_table() does.
 *
 * @return As sg_alloc_table(). Also -EINVAL if `first_chunk` is NULL and `nents` is not greater than
 * `nents_first_chunk`: sg_free_table_chained() takes such a table for one of the driver's own entries, and does not
 * free it. (Linux allocates it, and then never frees it.) A driver without entries of its own passes NULL and 0.
 */
static inline int sg_alloc_table_chained(struct sg_table *table, int nents, struct scatterlist *first_chunk,
        unsigned int nents_first_chunk)
{
    if (nents > 0 && (unsigned int)nents > nents_first_chunk)
    {
        return sg_alloc_table(table, (unsigned int)nents, GFP_ATOMIC);
    }
    if (nents <= 0 || !first_chunk)
    {
        dma_linux_empty_table(table);
        return -EINVAL;
    }
    sg_init_table(first_chunk, (unsigned int)nents);
    table->sgl = first_chunk;
    table->nents = table->orig_nents = (unsigned int)nents;
    return 0;
}

/** @brief Frees a table of sg_alloc_table_chained(), which was given the same `nents_first_chunk`. */
static inline void sg_free_table_chained(struct sg_table *table, unsigned int nents_first_chunk)
{
    if (table->orig_nents > nents_first_chunk)
    {
        sg_free_table(table);
    }
}

/** @brief Returns whether the page `next` follows `page`, at the processor's addresses and in physical memory. */
static inline int dma_linux_pages_adjoin(struct page *page, struct page *next)
{
    return page_address(next) == (void *)((char *)page_address(page) + DMA_LINUX_PAGE_SIZE)
            && page_to_phys(next) == page_to_phys(page) + DMA_LINUX_PAGE_SIZE;
}

/**
 * @brief Divides `size` bytes of pages, from byte `offset` of the first page on, into entries. Adjacent pages share an
 * entry of up to `max_segment` bytes.
 *
 * Writes the entries to the list `sgl`. With NULL it only counts them.
 *
 * @return The number of entries.
 */
static inline unsigned int dma_linux_divide_pages(struct scatterlist *sgl, struct page **pages, unsigned int n_pages,
        unsigned int offset, unsigned long size, unsigned int max_segment)
{
    struct scatterlist *sg = sgl;
    unsigned int nents = 0, first = 0;

    while (first < n_pages && size)
    {
        unsigned long available, length;
        unsigned int next;

        /* After the loop, pages[first] to pages[next - 1] are adjacent. */
        for (next = first + 1; next < n_pages && (next - first + 1) * DMA_LINUX_PAGE_SIZE <= max_segment; next++)
        {
            if (!dma_linux_pages_adjoin(pages[next - 1], pages[next]))
            {
                break;
            }
        }
        available = (next - first) * DMA_LINUX_PAGE_SIZE - offset;
        length = size < available ? size : available;
        if (sg)
        {
            sg_set_page(sg, pages[first], (unsigned int)length, offset);
            sg = sg_next(sg);
        }
        size -= length;
        offset = 0;
        first = next;
        nents++;
    }
    return nents;
}

/**
 * @brief Allocates a table of `size` bytes of pages, from byte `offset` of the first page on, with entries of up to
 * `max_segment` bytes.
 *
 * If the pages have fewer bytes than that, the table has only the bytes of the pages, as on Linux. After an error the
 * table has no entries.
 *
 * @retval 0 The table is allocated.
 * @retval -EINVAL `max_segment` is less than a page, `offset` is a page or more, or there are no bytes.
 * @retval -ENOMEM The heap has no room.
 */
static inline int sg_alloc_table_from_pages_segment(struct sg_table *sgt, struct page **pages, unsigned int n_pages,
        unsigned int offset, unsigned long size, unsigned int max_segment, gfp_t gfp)
{
    unsigned int nents;
    int error;

    max_segment &= ~(unsigned int)(DMA_LINUX_PAGE_SIZE - 1);
    if (!max_segment || offset >= DMA_LINUX_PAGE_SIZE)
    {
        dma_linux_empty_table(sgt);
        return -EINVAL;
    }
    nents = dma_linux_divide_pages(NULL, pages, n_pages, offset, size, max_segment);
    error = sg_alloc_table(sgt, nents, gfp);
    if (!error)
    {
        dma_linux_divide_pages(sgt->sgl, pages, n_pages, offset, size, max_segment);
    }
    return error;
}

/**
 * @brief Allocates a table of `size` bytes of pages, from byte `offset` of the first page on.
 *
 * @return As sg_alloc_table_from_pages_segment().
 */
static inline int sg_alloc_table_from_pages(struct sg_table *sgt, struct page **pages, unsigned int n_pages,
        unsigned int offset, unsigned long size, gfp_t gfp)
{
    return sg_alloc_table_from_pages_segment(sgt, pages, n_pages, offset, size, ~0u, gfp);
}

/**
 * @brief Appends `size` bytes of pages to a table.
 *
 * Before the first call, all members of `append` are zero. Each call allocates the whole table anew, so `left_pages`
 * (pages that the caller will append later) has no effect. Unlike on Linux, the entries move: after the call, an
 * earlier pointer to an entry is not valid. Also unlike on Linux, the first of the new pages never shares an entry with
 * the last old one, even if it is adjacent, and `offset` need not be 0.
 *
 * @return 0, -EINVAL or -ENOMEM as sg_alloc_table_from_pages_segment(). After an error the table is as before.
 */
static inline int sg_alloc_append_table_from_pages(struct sg_append_table *append, struct page **pages,
        unsigned int n_pages, unsigned int offset, unsigned long size, unsigned int max_segment,
        unsigned int left_pages, gfp_t gfp)
{
    struct sg_table *old = &append->sgt, added, joined;
    struct scatterlist *sg, *target;
    unsigned int i;
    int error = sg_alloc_table_from_pages_segment(&added, pages, n_pages, offset, size, max_segment, gfp);

    (void)left_pages;
    if (error)
    {
        return error;
    }
    error = sg_alloc_table(&joined, old->orig_nents + added.orig_nents, gfp);
    if (!error)
    {
        target = joined.sgl;
        for_each_sgtable_sg(old, sg, i)
        {
            sg_set_page(target, sg_page(sg), sg->length, sg->offset);
            target = sg_next(target);
        }
        for_each_sgtable_sg(&added, sg, i)
        {
            sg_set_page(target, sg_page(sg), sg->length, sg->offset);
            append->prv = target;
            target = sg_next(target);
        }
        sg_free_table(old);
        *old = joined;
        append->total_nents = joined.orig_nents;
    }
    sg_free_table(&added);
    return error;
}

/** @brief Frees a table of sg_alloc_append_table_from_pages(). */
static inline void sg_free_append_table(struct sg_append_table *append)
{
    sg_free_table(&append->sgt);
    append->prv = NULL;
    append->total_nents = 0;
}

#endif /* RT_DMA_LINUX_SG_TABLE_H */
