/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The lists of memblock: the memory of the board, and what is reserved of it. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_MEMBLOCK

#include <mm_memblock.h>

/* Returns entry `index` of a list of memblock; null after the last. */
static const struct rt_mmblk_reg *entry_of(struct rt_memblock *memblock, uintptr_t index)
{
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &memblock->reg_list, node)
    {
        if (index-- == 0)
        {
            return reg;
        }
    }

    return RT_NULL;
}

int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region)
{
    const struct rt_mmblk_reg *reg = entry_of(rt_memblock_get_memory(), index);

    if (!reg)
    {
        return RT_DMA_PORT_END;
    }

    region->start = reg->memreg.start;
    region->end = reg->memreg.end;

    return reg->flags ? RT_DMA_PORT_UNUSABLE : RT_DMA_PORT_FOUND;
}

int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    const struct rt_mmblk_reg *reg = entry_of(rt_memblock_get_reserved(), index);

    if (!reg)
    {
        return RT_DMA_PORT_END;
    }

    region->start = reg->memreg.start;
    region->end = reg->memreg.end;

    return RT_DMA_PORT_FOUND;
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
