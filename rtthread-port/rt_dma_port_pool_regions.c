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
    const rt_region_t *entry;

    if (!list->start || !list->length)
    {
        return RT_DMA_PORT_NO_LIST;
    }

    if (index >= list->length)
    {
        return RT_DMA_PORT_END;
    }

    /* A region without a name is passed over: the library finds no room in an empty one. */
    entry = (const rt_region_t *)list->start + index;
    *region = entry->name ? entry : &empty;

    return RT_DMA_PORT_FOUND;
}

void rt_dma_port_shrink_region(void *region, uintptr_t start, uintptr_t end)
{
    rt_region_t *entry = region;

    /* The last bytes are compared, because the end of a region at the end of the address space is 0. */
    if (entry->start == start && end - 1 < entry->end - 1)
    {
        entry->start = end;
    }
}

#elif defined(RT_USING_MEMBLOCK) /* revision 2 */

#include <mm_memblock.h>

/* The list is walked again for each index. It is short, and is read at boot only. */
int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, const void **region)
{
    const struct rt_mmblk_reg *entry;

    RT_UNUSED(list);

    rt_slist_for_each_entry(entry, &rt_memblock_get_reserved()->reg_list, node)
    {
        const char *name = entry->memreg.name;

        /* An entry that is not in use may still be in the list. Memory that can be removed is no place for pools. */
        if (!entry->alloc || (entry->flags & MEMBLOCK_HOTPLUG))
        {
            continue;
        }

        /* The name of the regions that boot code reserves for pools. Other entries have other names, or none. */
        if (!name || rt_strcmp(name, "dma-pool"))
        {
            continue;
        }

        if (index-- == 0)
        {
            *region = &entry->memreg;

            return RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

#else /* revision 2 without memblock */

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, const void **region)
{
    RT_UNUSED(list);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_NO_MEMBLOCK;
}

#endif /* where the regions come from */

#if RT_DMA_PORT_REVISION != 1

/* The page allocator takes all memory that is not in memblock's list, so the list must not change. */
void rt_dma_port_shrink_region(void *region, uintptr_t start, uintptr_t end)
{
    RT_UNUSED(region);
    RT_UNUSED(start);
    RT_UNUSED(end);
}

#endif
