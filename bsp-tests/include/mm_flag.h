/* SPDX-License-Identifier: Apache-2.0 */
/* How rt_aspace_map_phy places a mapping. */
#ifndef MM_FLAG_H__
#define MM_FLAG_H__

typedef unsigned long mm_flag_t;

enum mm_flag_cntl
{
    MMF_MAP_FIXED = 1 << 9, /* at `prefer`, nowhere else */
    MMF_STATIC_ALLOC = 1 << 13, /* the caller owns the area's memory */
};

#endif
