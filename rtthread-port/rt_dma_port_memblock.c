/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Boot memory: revision 1 is handed its regions by the BSP, revision 2 finds them in the reserved list. */

#include "rt_dma_port_rtthread.h"

#if RT_DMA_PORT_REVISION == 1

int rt_dma_port_reserved(const void *list, uintptr_t index, struct rt_dma_port_region *region)
{
    const rt_region_t *reg = (const rt_region_t *)list + index;

    region->start = reg->start;
    region->end = reg->name ? reg->end : reg->start;

    return RT_DMA_PORT_FOUND;
}

#elif defined(RT_USING_MEMBLOCK)

#include <mm_memblock.h>

int rt_dma_port_reserved(const void *list, uintptr_t index, struct rt_dma_port_region *region)
{
    struct rt_mmblk_reg *reg;
    struct rt_memblock *reserved = rt_memblock_get_reserved();

    RT_UNUSED(list);

    if (!reserved)
    {
        return RT_DMA_PORT_ABSENT;
    }

    rt_slist_for_each_entry(reg, &reserved->reg_list, node)
    {
        const char *name = reg->memreg.name;

        if (reg->alloc && !(reg->flags & MEMBLOCK_HOTPLUG) && name && !rt_strcmp(name, "dma-pool") && index-- == 0)
        {
            *region = (struct rt_dma_port_region) { reg->memreg.start, reg->memreg.end };

            return RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

#else

int rt_dma_port_reserved(const void *list, uintptr_t index, struct rt_dma_port_region *region)
{
    RT_UNUSED(list);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_ABSENT;
}

#endif /* revision 1, RT_USING_MEMBLOCK */
