/* SPDX-License-Identifier: Apache-2.0 */
/* The boot allocator's lists of memory regions. */
#ifndef MM_MEMBLOCK_H__
#define MM_MEMBLOCK_H__

#include <rtdef.h>
#include <mm_page.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mmblk_flag
{
    MEMBLOCK_NONE       = 0x0,
    MEMBLOCK_HOTPLUG    = 0x1,
    MEMBLOCK_NOMAP      = 0x2,
};
typedef rt_uint32_t mmblk_flag_t;

struct rt_mmblk_reg
{
    rt_region_t memreg;
    mmblk_flag_t flags;
    rt_bool_t alloc;    /* in use */
    rt_slist_t node;
};

struct rt_memblock
{
    rt_slist_t reg_list;
};

rt_err_t rt_memblock_reserve_memory(const char *name, rt_size_t start, rt_size_t end, mmblk_flag_t flags);
struct rt_memblock *rt_memblock_get_memory(void);
struct rt_memblock *rt_memblock_get_reserved(void);

#ifdef __cplusplus
}
#endif
#endif
