/* SPDX-License-Identifier: Apache-2.0 */
/* A region of physical memory. */
/* For C only, as RT-Thread's header of this name: C++ refuses the structure in `sizeof`. */
#ifndef MM_PAGE_H__
#define MM_PAGE_H__

#include <rthw.h>
#include <rtthread.h>

struct rt_page
{
    char padding[sizeof(struct { void *next; })];
};

typedef struct tag_region
{
    rt_size_t start;
    rt_size_t end;  /* exclusive */

    const char *name;
} rt_region_t;

rt_bool_t rt_page_is_member(rt_base_t page_pa);

#endif
