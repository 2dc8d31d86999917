/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Boot memory. Revision 1 is handed its regions by the BSP and has no use for the reserved list. */

#include "rt_dma_port_rtthread.h"

#if defined(RT_USING_MEMBLOCK) && RT_DMA_PORT_REVISION >= 2

#include <mm_memblock.h>

int rt_dma_port_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;
    struct rt_memblock *reserved = rt_memblock_get_reserved();

    if (!reserved)
    {
        return RT_DMA_PORT_ABSENT;
    }

    rt_slist_for_each_entry(reg, &reserved->reg_list, node)
    {
        if (index-- == 0)
        {
            const char *name = reg->memreg.name;

            region->start = reg->memreg.start;
            region->end = reg->memreg.end;
            region->usable = reg->alloc && !(reg->flags & MEMBLOCK_HOTPLUG) && name && !rt_strcmp(name, "dma-pool");
            region->no_map = 0;
            region->reusable = 0;

            return RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

#else

int rt_dma_port_reserved(uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_ABSENT;
}

#endif /* RT_USING_MEMBLOCK, revision 2 */
