/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The memory that the kernel uses: its own ranges in memblock, and the pages of the page allocator. */

#include "rt_dma_port_rtthread.h"

#ifdef RT_USING_MEMBLOCK

#include <mm_memblock.h>
#include <mm_page.h>

/*
 * Returns whether the range is the kernel's own. RT-Thread reserves such ranges under these names before it reads
 * /reserved-memory (rt_hw_common_setup, rt_fdt_scan_initrd). Memblock then refuses to reserve a node's memory that
 * overlaps one of them, and only a line of its log states that: without this check, a pool would lie over the kernel.
 *
 * Two more names are not in the list. The pages of "init-page" belong to the page allocator, which
 * rt_dma_port_kernel_uses asks. "memreserve" is an entry of the device tree's /memreserve/, which keeps the kernel from
 * using the memory; the tree may give it to a node as well.
 *
 * RT-Thread reserves the memory of a node under the node's name. A node that is called "fdt" or "initrd", without an
 * address after the name, is therefore taken for the kernel's, and refused: give it another name.
 */
static int is_kernels_own(const struct rt_mmblk_reg *reg)
{
    static const char *const names[] = { "kernel", "memheap", "fdt", "initrd" };

    if (!reg->memreg.name)
    {
        return 0;
    }

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(names); i++)
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

    return rt_page_is_member((rt_base_t)first) != 0;
}

#else /* !RT_USING_MEMBLOCK */

/*
 * What the kernel uses is not known, so no memory is chosen for a node. A node's own reg is trusted: see
 * rt_dma_port_nodes.c.
 */
int rt_dma_port_kernel_uses(uintptr_t pa)
{
    RT_UNUSED(pa);

    return 1;
}

#endif /* RT_USING_MEMBLOCK */
