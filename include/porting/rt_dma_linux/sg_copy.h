/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sg_copy.h
 * @brief For porting drivers from Linux: copying between a scatter list and a buffer, and splitting a list.
 *
 * A copy accesses the processor's memory. If the list is mapped, the driver must sync it for the processor first.
 */
#ifndef RT_DMA_LINUX_SG_COPY_H
#define RT_DMA_LINUX_SG_COPY_H

#include <rt_dma_linux/sg_iterate.h>

/** @brief The largest `int`. (limits.h would define names that Linux's headers define, too.) */
#define DMA_LINUX_INT_MAX   ((int)(~0u >> 1))
/** @brief The highest order of an entry: with one more, its 4 GiB would not fit in its length. */
#define DMA_LINUX_MAX_ORDER 19

/* The copies use the compiler's own functions: no header of the port needs to declare memcpy() and memset(). */

/** @brief What is done with the bytes of a list. */
enum dma_linux_sg_action
{
    /** The buffer's bytes go to the list. */
    DMA_LINUX_SG_FROM_BUFFER,
    /** The list's bytes go to the buffer. */
    DMA_LINUX_SG_TO_BUFFER,
    /** The list is filled with zeros. */
    DMA_LINUX_SG_ZERO
};

/**
 * @brief Does `action` with at most `buflen` bytes of the list, from byte `skip` on.
 *
 * @return The number of bytes; 0 if `skip` is negative, or the list has no more than `skip` bytes.
 */
static inline size_t dma_linux_sg_transfer(struct scatterlist *sgl, unsigned int nents, char *buf, size_t buflen,
        long skip, enum dma_linux_sg_action action)
{
    struct sg_mapping_iter miter;
    size_t done = 0;

    sg_miter_start(&miter, sgl, nents, 0);
    if (skip < 0 || !sg_miter_skip(&miter, skip))
    {
        return 0;
    }
    while (done < buflen && sg_miter_next(&miter))
    {
        size_t length = buflen - done < miter.length ? buflen - done : miter.length;

        switch (action)
        {
        case DMA_LINUX_SG_FROM_BUFFER:
            __builtin_memcpy(miter.addr, buf + done, length);
            break;
        case DMA_LINUX_SG_TO_BUFFER:
            __builtin_memcpy(buf + done, miter.addr, length);
            break;
        case DMA_LINUX_SG_ZERO:
            __builtin_memset(miter.addr, 0, length);
            break;
        }
        done += length;
    }
    sg_miter_stop(&miter);
    return done;
}

/**
 * @brief Copies between the list, from byte `skip` on, and `buf`: to `buf` if `to_buffer` is true, else from it.
 *
 * @return The number of bytes that were copied.
 */
static inline size_t sg_copy_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen, long skip,
        bool to_buffer)
{
    return dma_linux_sg_transfer(sgl, nents, (char *)buf, buflen, skip,
            to_buffer ? DMA_LINUX_SG_TO_BUFFER : DMA_LINUX_SG_FROM_BUFFER);
}

/** @brief Copies the buffer to the list, from the list's byte `skip` on. Returns the number of bytes. */
static inline size_t sg_pcopy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf, size_t buflen,
        long skip)
{
    return dma_linux_sg_transfer(sgl, nents, (char *)(uintptr_t)buf, buflen, skip, DMA_LINUX_SG_FROM_BUFFER);
}

/** @brief Copies the list to the buffer, from the list's byte `skip` on. Returns the number of bytes. */
static inline size_t sg_pcopy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen,
        long skip)
{
    return dma_linux_sg_transfer(sgl, nents, (char *)buf, buflen, skip, DMA_LINUX_SG_TO_BUFFER);
}

/** @brief Copies the buffer to the list. Returns the number of bytes. */
static inline size_t sg_copy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf, size_t buflen)
{
    return sg_pcopy_from_buffer(sgl, nents, buf, buflen, 0);
}

/** @brief Copies the list to the buffer. Returns the number of bytes. */
static inline size_t sg_copy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen)
{
    return sg_pcopy_to_buffer(sgl, nents, buf, buflen, 0);
}

/** @brief Fills `buflen` bytes of the list with zeros, from byte `skip` on. Returns the number of bytes. */
static inline size_t sg_zero_buffer(struct scatterlist *sgl, unsigned int nents, size_t buflen, long skip)
{
    return dma_linux_sg_transfer(sgl, nents, NULL, buflen, skip, DMA_LINUX_SG_ZERO);
}

/** @brief Allocates `pages` cleared pages, at most 2^19, for sgl_alloc(). Returns NULL if there is no memory. */
static inline void *dma_linux_pages_alloc(size_t pages, gfp_t gfp)
{
    /* One page more, for the alignment, and a word for the address that the heap returns. */
    size_t bytes = (pages + 1) * DMA_LINUX_PAGE_SIZE + sizeof(void *);
    char *memory = (char *)dma_linux_malloc(bytes, gfp);
    void **first;

    (void)gfp;
    if (!memory)
    {
        return NULL;
    }
    /* The word before the first page holds the address that the heap returned. */
    first = (void **)(((uintptr_t)memory + sizeof(void *) + DMA_LINUX_PAGE_SIZE - 1) & ~(DMA_LINUX_PAGE_SIZE - 1));
    first[-1] = memory;
    __builtin_memset(first, 0, pages * DMA_LINUX_PAGE_SIZE);
    return first;
}

/** @brief Frees a list of sgl_alloc_order() and the memory of its first `nents` entries. */
static inline void sgl_free_n_order(struct scatterlist *sgl, int nents, int order)
{
    struct scatterlist *sg;
    int i;

    (void)order;
    for_each_sg(sgl, sg, nents, i)
    {
        if (!sg || !sg_page(sg))
        {
            break;
        }
        dma_linux_free(((void **)page_address(sg_page(sg)))[-1]);
    }
    dma_linux_free(sgl);
}

/** @brief Frees a list of sgl_alloc_order() and its memory. */
static inline void sgl_free_order(struct scatterlist *sgl, int order)
{
    /* The loop ends at the end of the list. */
    sgl_free_n_order(sgl, DMA_LINUX_INT_MAX, order);
}

/** @brief Frees a list of sgl_alloc() and its memory. */
static inline void sgl_free(struct scatterlist *sgl)
{
    sgl_free_order(sgl, 0);
}

/**
 * @brief Allocates a list and its memory, `length` bytes, in entries of `1 << order` pages.
 *
 * @return The list; NULL if there is no memory, `length` is 0, or `order` is more than 19. `*nent_p` gets the number of
 * entries, unless `nent_p` is NULL. With `chainable` the list has one entry more, for a link.
 */
static inline struct scatterlist *sgl_alloc_order(dma_linux_u64 length, unsigned int order, bool chainable, gfp_t gfp,
        unsigned int *nent_p)
{
    struct sg_table table;
    struct scatterlist *sg;
    dma_linux_u64 count;
    size_t piece;
    unsigned int i, nents;

    if (order > DMA_LINUX_MAX_ORDER)
    {
        return NULL;
    }
    piece = DMA_LINUX_PAGE_SIZE << order;
    count = (length + piece - 1) / piece;
    nents = (unsigned int)count;
    if (!count || count > DMA_LINUX_INT_MAX || sg_alloc_table(&table, nents + (chainable ? 1 : 0), gfp))
    {
        return NULL;
    }
    for_each_sg(table.sgl, sg, nents, i)
    {
        unsigned int bytes = (unsigned int)(length < piece ? length : piece);
        void *pages = dma_linux_pages_alloc((size_t)1 << order, gfp);

        if (!pages)
        {
            sgl_free_order(table.sgl, (int)order);
            return NULL;
        }
        sg_set_buf(sg, pages, bytes);
        length -= bytes;
    }
    if (nent_p)
    {
        *nent_p = nents;
    }
    return table.sgl;
}

/** @brief Allocates a list and its memory, `length` bytes, in entries of a page. */
static inline struct scatterlist *sgl_alloc(dma_linux_u64 length, gfp_t gfp, unsigned int *nent_p)
{
    return sgl_alloc_order(length, 0, false, gfp, nent_p);
}

#endif /* RT_DMA_LINUX_SG_COPY_H */
