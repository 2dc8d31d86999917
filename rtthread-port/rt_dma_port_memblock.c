/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The lists of memblock: the memory of the board, and what is reserved of it. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_MEMBLOCK

#include <mm_memblock.h>

/* Reads the region of entry `index` of a list of memblock. Returns the entry; null after the last. */
static const struct rt_mmblk_reg *read_entry(struct rt_memblock *memblock, uintptr_t index,
        struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &memblock->reg_list, node)
    {
        if (index-- == 0)
        {
            region->start = reg->memreg.start;
            region->end = reg->memreg.end;

            return reg;
        }
    }

    return RT_NULL;
}

int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region)
{
    const struct rt_mmblk_reg *reg = read_entry(rt_memblock_get_memory(), index, region);

    if (!reg)
    {
        return RT_DMA_PORT_END;
    }

    /* The library finds no room in an empty region. */
    if (reg->flags)
    {
        region->end = region->start;
    }

    return RT_DMA_PORT_FOUND;
}

int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    return read_entry(rt_memblock_get_reserved(), index, region) ? RT_DMA_PORT_FOUND : RT_DMA_PORT_END;
}

#else /* !RT_USING_MEMBLOCK */

int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
}

int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_END;
}

#endif /* RT_USING_MEMBLOCK */
