/* SPDX-License-Identifier: Apache-2.0 */
/* A region of physical memory. */
#ifndef MM_PAGE_H__
#define MM_PAGE_H__

#include <rthw.h>
#include <rtthread.h>

typedef struct tag_region
{
    rt_size_t start;
    rt_size_t end;  /* exclusive */

    const char *name;
} rt_region_t;

rt_bool_t rt_page_is_member(rt_base_t page_pa);

#endif
