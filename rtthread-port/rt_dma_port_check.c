/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * This file makes no code. The library is built without RT-Thread's headers, and relies on some of their layouts,
 * prototypes and values. This file does not compile if those of the BSP differ, and the error states which one.
 */

#include <stddef.h>

#include "rt_dma_port_rtthread.h"

#define WORD sizeof(void *)

#define CHECK(condition, text) \
    _Static_assert(condition, text)

#define CHECK_WORD(type, header) \
    CHECK(sizeof(type) == WORD, header ": " #type " is not pointer-sized")

#define CHECK_SIZE(type, words, header) \
    CHECK(sizeof(type) == (words) * WORD, header ": " #type " has an unknown size")

#define CHECK_FIELD(type, field, word, words, header) \
    CHECK(offsetof(type, field) == (word) * WORD && sizeof(((type *)0)->field) == (words) * WORD, \
          header ": " #type ": " #field " is not where the library looks for it")

#define CHECK_VALUE(name, value, header) \
    CHECK((name) == (value), header ": " #name " is not " #value)

#define CHECK_FUNCTION(name, result, ...) \
    CHECK(RT_DMA_PORT_IS(name, result, __VA_ARGS__), \
          "drivers/dma.h: " #name " is declared in a way that no known revision of RT-Thread does")

#define CHECK_MAP_OP(name, result, ...) \
    CHECK(RT_DMA_PORT_IS(*((struct rt_dma_map_ops *)0)->name, result, __VA_ARGS__), \
          "drivers/dma.h: struct rt_dma_map_ops: " #name " takes other arguments than the library gives")

/* Integers */

CHECK_WORD(rt_size_t, "rttypes.h");
CHECK_WORD(rt_base_t, "rttypes.h");
CHECK_WORD(rt_ubase_t, "rttypes.h");
CHECK_WORD(rt_err_t, "rttypes.h");
CHECK_WORD(rt_bitmap_t, "bitmap.h");
CHECK((rt_err_t)-1 < 0, "rttypes.h: rt_err_t is not signed");
CHECK((rt_size_t)-1 > 0, "rttypes.h: rt_size_t is signed");
CHECK((rt_ubase_t)-1 > 0, "rttypes.h: rt_ubase_t is signed");

/*
 * The heap: the library has atomic words there, which fault on some processors if they are not aligned. Other heaps
 * than these two do not read RT_ALIGN_SIZE.
 */
#if defined(RT_USING_SMALL_MEM_AS_HEAP) || defined(RT_USING_MEMHEAP_AS_HEAP)
CHECK(RT_ALIGN_SIZE % WORD == 0, "rtconfig.h: RT_ALIGN_SIZE is less than the size of a pointer");
#endif

/* Pages */

CHECK_VALUE(ARCH_PAGE_SIZE, 4096, "mmu.h");
CHECK_VALUE(ARCH_PAGE_SHIFT, 12, "mmu.h");
CHECK_VALUE(MM_PAGE_SHIFT, 12, "mm_aspace.h");
CHECK_VALUE(RT_DMA_PAGE_SIZE, 4096, "drivers/dma.h");

/* Layouts */

CHECK_SIZE(rt_list_t, 2, "rtdef.h");
CHECK_FIELD(rt_list_t, next, 0, 1, "rtdef.h");
CHECK_FIELD(rt_list_t, prev, 1, 1, "rtdef.h");

CHECK_SIZE(rt_region_t, 3, "mm_page.h");
CHECK_FIELD(rt_region_t, start, 0, 1, "mm_page.h");
CHECK_FIELD(rt_region_t, end, 1, 1, "mm_page.h");
CHECK_FIELD(rt_region_t, name, 2, 1, "mm_page.h");

CHECK_SIZE(struct rt_dma_pool, 10, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, region, 0, 3, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, list, 3, 2, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, flags, 5, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, map, 6, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, bits, 7, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, start, 8, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_pool, dev, 9, 1, "drivers/dma.h");

CHECK_SIZE(struct rt_dma_map_ops, 4, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_map_ops, alloc, 0, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_map_ops, free, 1, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_map_ops, sync_out_data, 2, 1, "drivers/dma.h");
CHECK_FIELD(struct rt_dma_map_ops, sync_in_data, 3, 1, "drivers/dma.h");

/* Flags */

CHECK_VALUE(RT_DMA_F_LINEAR, 1 << 0, "drivers/dma.h");
CHECK_VALUE(RT_DMA_F_32BITS, 1 << 1, "drivers/dma.h");
CHECK_VALUE(RT_DMA_F_NOCACHE, 1 << 2, "drivers/dma.h");
CHECK_VALUE(RT_DMA_F_DEVICE, 1 << 3, "drivers/dma.h");
CHECK_VALUE(RT_DMA_F_NOMAP, 1 << 4, "drivers/dma.h");
#if RT_DMA_PORT_REVISION >= 2
CHECK_VALUE(RT_DMA_F_WT, 1 << 5, "drivers/dma.h");
#endif

/* Cache operations */

CHECK_VALUE(RT_HW_CACHE_FLUSH, RT_DMA_PORT_FLUSH, "rthw.h");
CHECK_VALUE(RT_HW_CACHE_INVALIDATE, RT_DMA_PORT_INVALIDATE, "rthw.h");

/* The library rounds addresses to cache lines with a mask. */
CHECK((RT_DMA_PORT_STATED_CACHE_LINE & (RT_DMA_PORT_STATED_CACHE_LINE - 1)) == 0,
      "rtconfig.h: RT_CPU_CACHE_LINE_SZ is not a power of two");

/* Prototypes: those of rt_dma_alloc, rt_dma_free and rt_dma_pool_install are in rt_dma_port_interface.h. */

CHECK_MAP_OP(alloc, void *, struct rt_device *, rt_size_t, rt_ubase_t *, rt_ubase_t);
CHECK_MAP_OP(free, void, struct rt_device *, rt_size_t, void *, rt_ubase_t, rt_ubase_t);
CHECK_MAP_OP(sync_out_data, rt_err_t, struct rt_device *, void *, rt_size_t, rt_ubase_t *, rt_ubase_t);
CHECK_MAP_OP(sync_in_data, rt_err_t, struct rt_device *, void *, rt_size_t, rt_ubase_t, rt_ubase_t);

CHECK_FUNCTION(rt_dma_sync_out_data, rt_err_t, struct rt_device *, void *, rt_size_t, rt_ubase_t *, rt_ubase_t);
CHECK_FUNCTION(rt_dma_sync_in_data, rt_err_t, struct rt_device *, void *, rt_size_t, rt_ubase_t, rt_ubase_t);

#if RT_DMA_PORT_REVISION >= 2
CHECK_FUNCTION(rt_dma_pool_extract, rt_err_t, rt_size_t, rt_size_t);

/*
 * Not every header of this revision declares it. So it is declared here: a header with another declaration does not
 * compile.
 */
const struct rt_dma_map_ops *rt_dma_ofw_device_map_ops(struct rt_device *dev);
#else
CHECK_FUNCTION(rt_dma_pool_extract, rt_err_t, rt_region_t *, rt_size_t, rt_size_t, rt_size_t);
#endif
