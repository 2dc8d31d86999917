/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Mappings of 2 MiB and more on aarch64: as pages, because RT-Thread's blocks of 2 MiB may be wrong, and stay. */

#include "rt_dma_port_pages.h"

#ifdef __aarch64__

/*
 * RT-Thread's rt_hw_mmu_map (libcpu/aarch64/common/mmu.c) maps a block of 2 MiB where the virtual address is a multiple
 * of 2 MiB and the length allows it: in older versions if the whole length is a multiple of 2 MiB, since its pull
 * request 9733 wherever 2 MiB are left to map. It does not check the physical address, so that a block can lead to
 * other memory. No version of rt_hw_mmu_unmap removes a block, and a page that is mapped there later stops the kernel.
 * A call for less than 2 MiB maps no block in any version.
 */
#define PIECE ((uintptr_t)ARCH_SECTION_SIZE / 2)

static void limit_to_ioremap_window(rt_mm_va_hint_t hint)
{
    if (!(hint->flags & MMF_MAP_FIXED))
    {
        hint->limit_start = rt_ioremap_start;
        hint->limit_range_size = rt_ioremap_size;
    }
}

/*
 * Reserves addresses, and maps nothing. Returns null if there is no room. rt_aspace_map would be simpler, but asserts
 * that the scheduler runs, and pools are mapped before that.
 */
static void *reserve(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    /* Without the other functions of an object, the kernel treats the area as one of rt_aspace_map_phy. */
    static struct rt_mem_obj object = { .hint_free = limit_to_ioremap_window };
    struct rt_varea *varea = rt_calloc(1, sizeof(*varea));

    if (!varea)
    {
        return RT_NULL;
    }

    if (rt_aspace_map_static(&rt_kernel_space, varea, &va, size, attr, va ? MMF_MAP_FIXED : 0, &object,
            pa >> MM_PAGE_SHIFT))
    {
        rt_free(varea);

        return RT_NULL;
    }

    /* The kernel frees the area when it is unmapped. */
    varea->flag &= ~(rt_size_t)MMF_STATIC_ALLOC;

    return va;
}

void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    char *start = reserve(va, pa, size, attr);
    uintptr_t done, piece;

    if (!start)
    {
        return RT_NULL;
    }

    for (done = 0; done < size; done += piece)
    {
        piece = size - done < PIECE ? size - done : PIECE;

        if (!rt_hw_mmu_map(&rt_kernel_space, start + done, (void *)(pa + done), piece, attr))
        {
            rt_aspace_unmap(&rt_kernel_space, start);

            return RT_NULL;
        }
    }

    /* The page tables are written before the mapping is used. */
    __asm__ volatile ("dsb ish\n\tisb" : : : "memory");

    return start;
}

#endif /* __aarch64__ */
