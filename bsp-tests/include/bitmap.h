/* SPDX-License-Identifier: Apache-2.0 */
/* Bits in an array of words: bit n is bit n % width of word n / width. */
#ifndef BITMAP_H__
#define BITMAP_H__

#include <rtdef.h>

typedef rt_ubase_t rt_bitmap_t;

#define RT_BITMAP_BIT_WIDTH     (sizeof(rt_bitmap_t) * 8)
#define RT_BITMAP_LEN(bits)     (((bits) + RT_BITMAP_BIT_WIDTH - 1) / RT_BITMAP_BIT_WIDTH)

rt_inline rt_bool_t rt_bitmap_test_bit(rt_bitmap_t *map, rt_uint32_t bit)
{
    return !!(map[bit / RT_BITMAP_BIT_WIDTH] & ((rt_bitmap_t)1 << (bit % RT_BITMAP_BIT_WIDTH)));
}

#endif
