/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For porting drivers from Linux: scatter lists, over struct rt_dma_sg.
 *
 * A list is one array: there is no chaining and no end mark, and so no sg_next(); walk it with for_each_sg(). An entry
 * holds the buffer's address for the processor, not its page. Names of drivers, contract of Linux's
 * Documentation/core-api/dma-api.rst.
 */
#ifndef RT_DMA_LINUX_SCATTERLIST_H
#define RT_DMA_LINUX_SCATTERLIST_H

#include <stddef.h>
#include <stdint.h>

#include <rt_dma.h>

/* The one name that is replaced by the preprocessor: an entry's members must be there for the driver. */
#ifndef scatterlist
#define scatterlist rt_dma_sg
#endif

/* Where the device finds an entry, and its bytes: valid from dma_map_sg() to dma_unmap_sg(). Both may be assigned. */
#define sg_dma_address(sg)  ((sg)->dma_handle)
#define sg_dma_len(sg)      ((sg)->length)

/* One turn for each of the first nr entries of list: sg points to it, i counts. */
#define for_each_sg(list, sg, nr, i) for ((i) = 0, (sg) = (list); (i) < (nr); (i)++, (sg)++)

/* Says where an entry's bytes are. */
static inline void sg_set_buf(struct scatterlist *sg, const void *buf, unsigned int buflen)
{
    sg->addr = (void *)(uintptr_t)buf;
    sg->length = buflen;
}

/* Makes nents entries empty. */
static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
    unsigned int i;

    for (i = 0; i < nents; i++)
    {
        sg_set_buf(&sgl[i], NULL, 0);
        sgl[i].dma_handle = 0;
    }
}

/* A list of one entry. */
static inline void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int buflen)
{
    sg_init_table(sg, 1);
    sg_set_buf(sg, buf, buflen);
}

/* An entry's bytes, for the processor. */
static inline void *sg_virt(struct scatterlist *sg)
{
    return sg->addr;
}

#endif /* RT_DMA_LINUX_SCATTERLIST_H */
