/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The regions of which rt_dma_pool_extract makes pools: the BSP passes them in revision 1; memblock has them in
 * revision 2. rt_dma_port/pool_regions.h states what each function does.
 */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_MEMBLOCK
#include <mm_memblock.h>
#endif

#if RT_DMA_PORT_REVISION == 1

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, void **region)
{
    /*
     * Stands for a region without a name, which is passed over. It has no room, so no pool is made of it, and
     * rt_dma_port_shrink_region does not get it.
     */
    static rt_region_t empty;
    rt_region_t *entry;

    if (!list->start || !list->length)
    {
        return RT_DMA_PORT_NO_LIST;
    }

    if (index >= list->length)
    {
        return RT_DMA_PORT_END;
    }

    entry = (rt_region_t *)list->start + index;
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

#else /* revision 2 */

#ifdef RT_USING_MEMBLOCK

/* Returns whether an entry of the list is memory that boot code has reserved for pools. */
static int is_pool_region(const struct rt_mmblk_reg *entry)
{
    const char *name = entry->memreg.name;

    /* An entry that is not in use may still be in the list. Memory that can be removed is no place for pools. */
    if (!entry->alloc || (entry->flags & MEMBLOCK_HOTPLUG))
    {
        return 0;
    }

    /* Boot code gives this name to the regions for pools. Other entries have other names, or none. */
    return name && rt_strcmp(name, "dma-pool") == 0;
}

/* The list is walked again for each index. It is short, and only rt_dma_pool_extract reads it here. */
int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, void **region)
{
    struct rt_mmblk_reg *entry;

    RT_UNUSED(list);

    rt_slist_for_each_entry(entry, &rt_memblock_get_reserved()->reg_list, node)
    {
        if (is_pool_region(entry) && index-- == 0)
        {
            *region = &entry->memreg;

            return RT_DMA_PORT_FOUND;
        }
    }

    return RT_DMA_PORT_END;
}

#else /* !RT_USING_MEMBLOCK */

int rt_dma_port_pool_region(const struct rt_dma_port_regions *list, uintptr_t index, void **region)
{
    RT_UNUSED(list);
    RT_UNUSED(index);
    RT_UNUSED(region);

    return RT_DMA_PORT_NO_MEMBLOCK;
}

#endif /* RT_USING_MEMBLOCK */

/* The page allocator takes all memory that is not in memblock's list, so the list must not change. */
void rt_dma_port_shrink_region(void *region, uintptr_t start, uintptr_t end)
{
    RT_UNUSED(region);
    RT_UNUSED(start);
    RT_UNUSED(end);
}

#endif /* RT_DMA_PORT_REVISION */
