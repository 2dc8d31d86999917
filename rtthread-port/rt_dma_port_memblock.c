/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The owners of memory at boot: memblock's lists, and the page allocator. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_MEMBLOCK

#include <mm_memblock.h>
#include <mm_page.h>

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

/*
 * Whether the range is the kernel's own. RT-Thread reserves such ranges under these names before it reads /reserved-memory
 * (rt_hw_common_setup, rt_fdt_scan_initrd). Memblock then refuses to reserve a node's memory that overlaps one of them, and
 * only a line of its log states that.
 */
static int is_kernels_own(const struct rt_mmblk_reg *reg)
{
    static const char *const names[] = { "kernel", "memheap", "fdt", "initrd" };

    for (rt_size_t i = 0; reg->memreg.name && i < RT_ARRAY_SIZE(names); i++)
    {
        if (!rt_strcmp(reg->memreg.name, names[i]))
        {
            return 1;
        }
    }

    return 0;
}

int rt_dma_port_kernel_uses(uintptr_t pa)
{
    const struct rt_mmblk_reg *reg;
    uintptr_t first = RT_ALIGN_DOWN(pa, ARCH_PAGE_SIZE), last = first + (ARCH_PAGE_SIZE - 1);

    rt_slist_for_each_entry(reg, &rt_memblock_get_reserved()->reg_list, node)
    {
        if (reg->memreg.start <= last && first < reg->memreg.end && is_kernels_own(reg))
        {
            return 1;
        }
    }

    return !!rt_page_is_member((rt_base_t)first);
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

int rt_dma_port_kernel_uses(uintptr_t pa)
{
    RT_UNUSED(pa);

    return 1;
}

#endif /* RT_USING_MEMBLOCK */
