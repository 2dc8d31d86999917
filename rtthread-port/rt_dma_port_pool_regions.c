/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The regions of which rt_dma_pool_extract makes pools: the BSP passes them in revision 1; memblock has them in
 * revision 2.
 */

#include "rt_dma_port_rtthread.h"

#if RT_DMA_PORT_REVISION == 1

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, const void **region)
{
    static const rt_region_t empty;
    const rt_region_t *reg;

    if (!list->start || !list->length)
    {
        return RT_DMA_PORT_INVALID;
    }

    if (index >= list->length)
    {
        return RT_DMA_PORT_END;
    }

    /* A region without a name is passed over: the library finds no room in an empty one. */
    reg = (const rt_region_t *)list->start + index;
    *region = reg->name ? reg : &empty;

    return RT_DMA_PORT_FOUND;
}

void rt_dma_port_shrink_region(void *region, uintptr_t start, uintptr_t end)
{
    rt_region_t *reg = region;

    /* The last bytes are compared, because the end of a region at the end of the address space is 0. */
    if (reg->start == start && end - 1 < reg->end - 1)
    {
        reg->start = end;
    }
}

#else /* revision 2 */

#ifdef RT_USING_MEMBLOCK

#include <mm_memblock.h>

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, const void **region)
{
    const struct rt_mmblk_reg *reg;

    RT_UNUSED(list);

    rt_slist_for_each_entry(reg, &rt_memblock_get_reserved()->reg_list, node)
    {
        const char *name = reg->memreg.name;

        if (!reg->alloc || (reg->flags & MEMBLOCK_HOTPLUG) || !name || rt_strcmp(name, "dma-pool"))
        {
            continue;
        }

        if (index-- == 0)
        {
            *region = &reg->memreg;

            return RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

#else

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, const void **region)
{
    RT_UNUSED(list);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_ABSENT;
}

#endif /* RT_USING_MEMBLOCK */

void rt_dma_port_shrink_region(void *region, uintptr_t start, uintptr_t end)
{
    RT_UNUSED(region);
    RT_UNUSED(start);
    RT_UNUSED(end);
}

#endif /* revision */
