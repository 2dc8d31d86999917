/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of memblock, and the pages that the page allocator owns. */
#include <rtdevice.h>
#include <mm_aspace.h>
#include <mm_memblock.h>
#include "parts.h"

static struct rt_memblock reserved, memory;
static rt_region_t paged;

void host_reserve(struct rt_mmblk_reg *region)
{
    region->node.next = reserved.reg_list.next;
    reserved.reg_list.next = &region->node;
}

struct rt_memblock *rt_memblock_get_memory(void)
{
    return &memory;
}

void host_add_memory(struct rt_mmblk_reg *region)
{
    region->node.next = memory.reg_list.next;
    memory.reg_list.next = &region->node;
}

rt_err_t rt_memblock_reserve_memory(const char *name, rt_size_t start, rt_size_t end, mmblk_flag_t flags)
{
    static struct rt_mmblk_reg regions[4];
    static int used;
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &reserved.reg_list, node)
    {
        RT_ASSERT(end <= reg->memreg.start || reg->memreg.end <= start);
    }
    if (used == RT_ARRAY_SIZE(regions))
    {
        return -RT_ENOMEM;
    }
    regions[used] = (struct rt_mmblk_reg) { { start, end, name }, flags, 1, { 0 } };
    host_reserve(&regions[used++]);
    return RT_EOK;
}

void host_set_paged(rt_size_t start, rt_size_t end)
{
    paged = (rt_region_t) { start, end, RT_NULL };
}

rt_bool_t rt_page_is_member(rt_base_t page_pa)
{
    return (rt_size_t)page_pa >= paged.start && (rt_size_t)page_pa < paged.end;
}

struct rt_memblock *rt_memblock_get_reserved(void)
{
    return &reserved;
}
