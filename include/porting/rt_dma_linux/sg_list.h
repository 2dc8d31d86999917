/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sg_list.h
 * @brief For porting drivers from Linux: an entry of a scatter list, and how lists are built and walked.
 *
 * A list is one or more arrays of entries. The last entry of an array may be a link to the next array (sg_chain()), and
 * the last entry of a list has an end mark (sg_mark_end()). sg_next() follows a link, and returns
 * NULL after the last entry.
 */
#ifndef RT_DMA_LINUX_SG_LIST_H
#define RT_DMA_LINUX_SG_LIST_H

#include <rt_dma_linux/types.h>

/** @brief One piece of memory of a scatter list, or a link to the next array. */
struct scatterlist
{
    /** The page, or the next array of the list; the two lowest bits are SG_CHAIN and SG_END. */
    unsigned long page_link;
    /** Bytes from the beginning of the page to the first byte of the entry. It may be more than a page. */
    unsigned int offset;
    /** Bytes in the entry. */
    unsigned int length;
    /** The device's address of the bytes while they are mapped: by these headers, or by the driver. */
    dma_addr_t dma_address;
    /** Bytes that the device sees at dma_address. A driver may write it: an unmap does not read it. */
    unsigned int dma_length;
    /**
     * Bytes that dma_map_sg() or dma_alloc_noncontiguous() has mapped; 0 while the entry is mapped by neither. Only
     * these headers use it.
     */
    unsigned int dma_mapped;
};

/** @brief The device's address of an entry. A driver may assign it in a list that dma_map_sg() did not map. */
#define sg_dma_address(sg)  ((sg)->dma_address)
/** @brief The number of bytes at the device's address. A driver may assign it. */
#define sg_dma_len(sg)      ((sg)->dma_length)

/** @brief Bit of page_link: the entry is a link to the next array. */
#define SG_CHAIN            0x01UL
/** @brief Bit of page_link: the entry is the last of its list. */
#define SG_END              0x02UL
/** @brief Both bits. */
#define SG_PAGE_LINK_MASK   (SG_CHAIN | SG_END)

/**
 * @brief The entries of one array of a chained table, on Linux. Here sg_alloc_table() makes one array of any length.
 */
#define SG_CHUNK_SIZE       128
/** @brief The highest number of entries that a driver should state for its lists. */
#define SG_MAX_SEGMENTS     2048
/** @brief Entries in a page: on Linux the longest array. Here there is no such limit. */
#define SG_MAX_SINGLE_ALLOC (DMA_LINUX_PAGE_SIZE / sizeof(struct scatterlist))

/** @brief Returns whether the entry is a link to the next array. */
static inline int sg_is_chain(const struct scatterlist *sg)
{
    return (sg->page_link & SG_CHAIN) != 0;
}

/** @brief Returns whether the entry is the last of its list. */
static inline int sg_is_last(const struct scatterlist *sg)
{
    return (sg->page_link & SG_END) != 0;
}

/** @brief Returns the array that a link leads to. */
static inline struct scatterlist *sg_chain_ptr(const struct scatterlist *sg)
{
    return (struct scatterlist *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

/** @brief Returns the entry after an entry, across links; NULL after the last. */
static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
    if (sg_is_last(sg))
    {
        return NULL;
    }
    sg++;
    return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

/** @brief Makes the entry the last of its list. */
static inline void sg_mark_end(struct scatterlist *sg)
{
    sg->page_link = (sg->page_link | SG_END) & ~SG_CHAIN;
}

/** @brief Takes the end mark off an entry. */
static inline void sg_unmark_end(struct scatterlist *sg)
{
    sg->page_link &= ~SG_END;
}

/**
 * @brief Makes the last entry of the array `prv`, of `prv_nents` entries, a link to the array `sgl`.
 *
 * The entry holds no memory after that. `prv_nents` is not 0.
 */
static inline void sg_chain(struct scatterlist *prv, unsigned int prv_nents, struct scatterlist *sgl)
{
    struct scatterlist *link = &prv[prv_nents - 1];

    link->offset = 0;
    link->length = 0;
    link->page_link = ((unsigned long)sgl | SG_CHAIN) & ~SG_END;
}

/** @brief Sets an entry's page. Its offset, length and end mark stay. A link becomes a normal entry. */
static inline void sg_assign_page(struct scatterlist *sg, struct page *page)
{
    sg->page_link = (sg->page_link & SG_END) | (unsigned long)page;
    sg->dma_mapped = 0;
}

/** @brief Sets an entry to `len` bytes that begin `offset` bytes after the beginning of a page. The end mark stays. */
static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len, unsigned int offset)
{
    sg_assign_page(sg, page);
    sg->offset = offset;
    sg->length = len;
}

/** @brief Returns the page of an entry that is not a link. */
static inline struct page *sg_page(struct scatterlist *sg)
{
    return (struct page *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

/** @brief Sets an entry to `buflen` bytes at `buf`, which are mapped for the processor. */
static inline void sg_set_buf(struct scatterlist *sg, const void *buf, unsigned int buflen)
{
    sg_set_page(sg, virt_to_page(buf), buflen, (unsigned int)offset_in_page(buf));
}

/** @brief Returns the address of an entry's first byte for the processor. */
static inline void *sg_virt(struct scatterlist *sg)
{
    return (char *)page_address(sg_page(sg)) + sg->offset;
}

/** @brief Returns the physical address of an entry's first byte. */
static inline phys_addr_t sg_phys(struct scatterlist *sg)
{
    return page_to_phys(sg_page(sg)) + sg->offset;
}

/** @brief Marks the end of an array of `nents` entries, which is not 0. */
static inline void sg_init_marker(struct scatterlist *sgl, unsigned int nents)
{
    sg_mark_end(&sgl[nents - 1]);
}

/** @brief Makes `nents` entries empty, and marks the last one. */
static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
    static const struct scatterlist empty = { 0, 0, 0, 0, 0, 0 };
    unsigned int i;

    for (i = 0; i < nents; i++)
    {
        sgl[i] = empty;
    }
    if (nents)
    {
        sg_init_marker(sgl, nents);
    }
}

/** @brief Makes a list of one entry. */
static inline void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int buflen)
{
    sg_init_table(sg, 1);
    sg_set_buf(sg, buf, buflen);
}

/**
 * @brief Runs the statement for the first `nr` entries of `sglist`, which has at least `nr`. `sg` points to the entry,
 * and `__i` is its index.
 */
#define for_each_sg(sglist, sg, nr, __i) \
    for ((__i) = 0, (sg) = (sglist); (__i) < (nr); (__i)++, (sg) = sg_next(sg))

/** @brief Returns the number of entries up to the end mark. */
static inline int sg_nents(struct scatterlist *sg)
{
    int nents = 0;

    for (; sg; sg = sg_next(sg))
    {
        nents++;
    }
    return nents;
}

/** @brief Returns how many entries hold the first `len` bytes; -EINVAL if the list has fewer bytes. */
static inline int sg_nents_for_len(struct scatterlist *sg, dma_linux_u64 len)
{
    dma_linux_u64 total = 0;
    int nents = 0;

    if (len == 0)
    {
        return 0;
    }
    for (; sg; sg = sg_next(sg))
    {
        nents++;
        total += sg->length;
        if (total >= len)
        {
            return nents;
        }
    }
    return -EINVAL;
}

/** @brief Returns the last of the first `nents` entries, or of all if there are fewer; NULL if `nents` is 0. */
static inline struct scatterlist *sg_last(struct scatterlist *sgl, unsigned int nents)
{
    struct scatterlist *sg = sgl, *last = NULL;
    unsigned int i;

    for (i = 0; i < nents && sg; i++, sg = sg_next(sg))
    {
        last = sg;
    }
    return last;
}

/** @brief Returns 0: no entry is an address of a peer's memory on the bus. */
static inline int sg_dma_is_bus_address(struct scatterlist *sg)
{
    (void)sg;
    return 0;
}

/** @brief Does nothing. On Linux it marks an entry as an address of a peer's memory on the bus. */
static inline void sg_dma_mark_bus_address(struct scatterlist *sg)
{
    (void)sg;
}

/** @brief Does nothing. On Linux it removes the mark of sg_dma_mark_bus_address(). */
static inline void sg_dma_unmark_bus_address(struct scatterlist *sg)
{
    (void)sg;
}

#endif /* RT_DMA_LINUX_SG_LIST_H */
