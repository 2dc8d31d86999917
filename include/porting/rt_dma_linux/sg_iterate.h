/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sg_iterate.h
 * @brief For porting drivers from Linux: walking the pages of a scatter list, and its bytes a page at a time.
 */
#ifndef RT_DMA_LINUX_SG_ITERATE_H
#define RT_DMA_LINUX_SG_ITERATE_H

#include <rt_dma_linux/sg_table.h>

/** @brief A walk over the pages of a list. */
struct sg_page_iter
{
    /** The entry. */
    struct scatterlist *sg;
    /** The number of the page within the entry, counted from the entry's first page. */
    unsigned int sg_pgoffset;
    /** Number of entries from this one to the end. */
    unsigned int __nents;
    /** By how many pages the next step advances. */
    int __pg_advance;
};

/** @brief A walk over the pages of a mapped list, as the device sees them. */
struct sg_dma_page_iter
{
    /** The walk. */
    struct sg_page_iter base;
};

/** @brief Begins a walk at page `pgoffset` of the first of `nents` entries. */
static inline void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist, unsigned int nents,
        unsigned long pgoffset)
{
    piter->sg = sglist;
    piter->sg_pgoffset = (unsigned int)pgoffset;
    piter->__nents = nents;
    piter->__pg_advance = 0;
}

/** @brief Returns how many pages hold `length` bytes from `offset` on. */
static inline unsigned int dma_linux_page_count(unsigned int offset, unsigned int length)
{
    return (unsigned int)(((size_t)offset + length + DMA_LINUX_PAGE_SIZE - 1) / DMA_LINUX_PAGE_SIZE);
}

/** @brief Returns how many pages an entry has for the processor. */
static inline unsigned int dma_linux_cpu_pages(struct scatterlist *sg)
{
    return dma_linux_page_count(sg->offset, sg->length);
}

/** @brief Returns how many pages an entry has at the device's address. */
static inline unsigned int dma_linux_device_pages(struct scatterlist *sg)
{
    return dma_linux_page_count((unsigned int)(sg_dma_address(sg) & (DMA_LINUX_PAGE_SIZE - 1)), sg_dma_len(sg));
}

/** @brief Advances a walk by a page. `pages_of` returns how many pages an entry has. Returns 0 at the end. */
static inline int dma_linux_page_step(struct sg_page_iter *piter, unsigned int (*pages_of)(struct scatterlist *sg))
{
    if (!piter->__nents || !piter->sg)
    {
        return 0;
    }
    piter->sg_pgoffset += (unsigned int)piter->__pg_advance;
    piter->__pg_advance = 1;
    for (;;)
    {
        unsigned int pages = pages_of(piter->sg);

        if (piter->sg_pgoffset < pages)
        {
            return 1;
        }
        piter->sg_pgoffset -= pages;
        piter->sg = sg_next(piter->sg);
        piter->__nents--;
        if (!piter->__nents || !piter->sg)
        {
            return 0;
        }
    }
}

/** @brief Advances to the next page. Returns 0 at the end. */
static inline int __sg_page_iter_next(struct sg_page_iter *piter)
{
    return dma_linux_page_step(piter, dma_linux_cpu_pages);
}

/** @brief Advances to the device's next page. Returns 0 at the end. */
static inline int __sg_page_iter_dma_next(struct sg_dma_page_iter *dma_iter)
{
    return dma_linux_page_step(&dma_iter->base, dma_linux_device_pages);
}

/** @brief Returns the current page. */
static inline struct page *sg_page_iter_page(struct sg_page_iter *piter)
{
    return nth_page(sg_page(piter->sg), piter->sg_pgoffset);
}

/** @brief Returns the device's address of the current page. */
static inline dma_addr_t sg_page_iter_dma_address(struct sg_dma_page_iter *dma_iter)
{
    return sg_dma_address(dma_iter->base.sg) + (dma_addr_t)dma_iter->base.sg_pgoffset * DMA_LINUX_PAGE_SIZE;
}

/** @brief Runs the statement for every page of `nents` entries, from page `pgoffset` on. */
#define for_each_sg_page(sglist, piter, nents, pgoffset) \
    for (__sg_page_iter_start((piter), (sglist), (nents), (pgoffset)); __sg_page_iter_next(piter);)

/** @brief Runs the statement for every page that a device sees of `nents` entries, from page `pgoffset` on. */
#define for_each_sg_dma_page(sglist, dma_iter, dma_nents, pgoffset) \
    for (__sg_page_iter_start(&(dma_iter)->base, (sglist), (dma_nents), (pgoffset)); \
         __sg_page_iter_dma_next(dma_iter);)

/** @brief Runs the statement for every page of a table. */
#define for_each_sgtable_page(sgt, piter, pgoffset) \
    for_each_sg_page((sgt)->sgl, piter, (sgt)->orig_nents, pgoffset)

/** @brief Runs the statement for every page that a device sees of a table. */
#define for_each_sgtable_dma_page(sgt, dma_iter, pgoffset) \
    for_each_sg_dma_page((sgt)->sgl, dma_iter, (sgt)->nents, pgoffset)

/** @brief Flag of sg_miter_start() without effect, because every page is always mapped. */
#define SG_MITER_ATOMIC     (1 << 0)
/** @brief Flag of sg_miter_start(): the driver writes to the list. */
#define SG_MITER_TO_SG      (1 << 1)
/** @brief Flag of sg_miter_start(): the driver reads the list. */
#define SG_MITER_FROM_SG    (1 << 2)
/** @brief Flag of sg_miter_start() without effect. */
#define SG_MITER_LOCAL      (1 << 3)

/** @brief A walk over the bytes of a list, in pieces that each lie within a page. */
struct sg_mapping_iter
{
    /** The page of the piece. */
    struct page *page;
    /** The piece, for the processor. */
    void *addr;
    /** Bytes of the piece. */
    size_t length;
    /** Bytes that the driver has used: the next piece begins after them. sg_miter_next() sets it to length. */
    size_t consumed;
    /** The walk over the pages. It is at the page of the piece. */
    struct sg_page_iter piter;
    /** Where the rest of the page begins. */
    unsigned int __offset;
    /** Bytes of the page that are left. */
    unsigned int __remaining;
    /** The flags. */
    unsigned int __flags;
};

/** @brief Begins a walk over `nents` entries. */
static inline void sg_miter_start(struct sg_mapping_iter *miter, struct scatterlist *sgl, unsigned int nents,
        unsigned int flags)
{
    miter->page = NULL;
    miter->addr = NULL;
    miter->length = 0;
    miter->consumed = 0;
    miter->__offset = 0;
    miter->__remaining = 0;
    miter->__flags = flags;
    __sg_page_iter_start(&miter->piter, sgl, nents, 0);
}

/**
 * @brief Ends the use of the current piece. The walk can continue after it, at the first byte that the driver has not
 * used.
 */
static inline void sg_miter_stop(struct sg_mapping_iter *miter)
{
    if (miter->addr)
    {
        miter->__offset += (unsigned int)miter->consumed;
        miter->__remaining -= (unsigned int)miter->consumed;
        miter->page = NULL;
        miter->addr = NULL;
        miter->length = 0;
        miter->consumed = 0;
    }
}

/** @brief Makes sure that the current page has bytes left. Returns false at the end of the list. */
static inline bool dma_linux_miter_page(struct sg_mapping_iter *miter)
{
    while (!miter->__remaining)
    {
        struct scatterlist *sg;
        size_t end, first;

        if (!__sg_page_iter_next(&miter->piter))
        {
            return false;
        }
        sg = miter->piter.sg;
        /* The entry's bytes that lie in the current page, counted from the beginning of the entry's first page. */
        first = (size_t)miter->piter.sg_pgoffset * DMA_LINUX_PAGE_SIZE;
        end = (size_t)sg->offset + sg->length;
        miter->__offset = 0;
        if (sg->offset > first)
        {
            size_t skipped = sg->offset - first;

            miter->__offset = (unsigned int)(skipped < DMA_LINUX_PAGE_SIZE ? skipped : DMA_LINUX_PAGE_SIZE);
        }
        end = end - first < DMA_LINUX_PAGE_SIZE ? end - first : DMA_LINUX_PAGE_SIZE;
        miter->__remaining = (unsigned int)(end > miter->__offset ? end - miter->__offset : 0);
    }
    return true;
}

/** @brief Advances to the next piece. Returns false at the end of the list. */
static inline bool sg_miter_next(struct sg_mapping_iter *miter)
{
    sg_miter_stop(miter);
    if (!dma_linux_miter_page(miter))
    {
        return false;
    }
    miter->page = sg_page_iter_page(&miter->piter);
    miter->addr = (char *)page_address(miter->page) + miter->__offset;
    miter->length = miter->consumed = miter->__remaining;
    return true;
}

/** @brief Passes over `offset` bytes. Returns false if the list has fewer. */
static inline bool sg_miter_skip(struct sg_mapping_iter *miter, long offset)
{
    sg_miter_stop(miter);
    while (offset > 0)
    {
        unsigned int passed;

        if (!dma_linux_miter_page(miter))
        {
            return false;
        }
        passed = (unsigned long)offset < miter->__remaining ? (unsigned int)offset : miter->__remaining;
        miter->__offset += passed;
        miter->__remaining -= passed;
        offset -= (long)passed;
    }
    return true;
}

#endif /* RT_DMA_LINUX_SG_ITERATE_H */
