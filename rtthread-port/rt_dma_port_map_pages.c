/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Mappings on aarch64 and riscv64, page by page. RT-Thread's rt_hw_mmu_map maps blocks of 2 MiB where it can, but no
 * version of rt_hw_mmu_unmap removes a block. On aarch64 it also does not check the physical address, so that a block
 * may lead to memory that was not asked for. A call for less than 2 MiB maps only pages, in every version that
 * docs/tested.md lists.
 */

#include "rt_dma_port_map_pages.h"

#ifdef RT_DMA_PORT_KERNEL_MAPS_BLOCKS

/*
 * Each call of rt_hw_mmu_map maps a piece: less than a block, and within one page table. Pieces end at multiples of
 * this size. If a piece cannot be mapped, riscv64 unmaps only the pieces before it: to unmap a page that is not mapped
 * would end a use of its table too often, so that the table could be freed too early.
 */
#define PIECE_SIZE ((uintptr_t)1 << 20)

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
static struct rt_varea *reserve_addresses(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    /* The object has no other functions, so the kernel treats the area as it treats one of rt_aspace_map_phy. */
    static struct rt_mem_obj object =
    {
        .hint_free = limit_to_ioremap_window,
        .on_varea_close = RT_DMA_PORT_CLOSE_AREA,
    };
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

    /* Without this flag, the kernel frees the area when it is unmapped. */
    varea->flag &= ~(rt_size_t)MMF_STATIC_ALLOC;

    return varea;
}

/* Returns the size of the piece that begins at this address, if `left` bytes are to be mapped from there on. */
static uintptr_t piece_size(uintptr_t start, uintptr_t left)
{
    uintptr_t size = PIECE_SIZE - start % PIECE_SIZE;

    return left < size ? left : size;
}

/* Maps a piece. Returns whether its pages are mapped. */
static int map_piece(char *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    return rt_hw_mmu_map(&rt_kernel_space, va, (void *)pa, size, attr) && rt_dma_port_page_is_mapped(va, pa);
}

/* Returns the attributes with which RT-Thread's ioremap maps such memory (components/mm/ioremap.c). */
static rt_size_t attributes_of(int memory)
{
    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        return MMU_MAP_K_RWCB;
    case RT_DMA_PORT_UNCACHED:
        return MMU_MAP_K_DEVICE;
    case RT_DMA_PORT_WRITE_THROUGH:
    default:
        return MMU_MAP_K_RW;
    }
}

void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, int memory)
{
    rt_size_t attr = attributes_of(memory);
    struct rt_varea *varea = reserve_addresses(va, pa, size, attr);
    char *start;
    uintptr_t done, piece;

    if (!varea)
    {
        return RT_NULL;
    }

    start = varea->start;

    for (done = 0; done < size; done += piece)
    {
        piece = piece_size((uintptr_t)start + done, size - done);

        if (!rt_dma_port_clear_left_block(start + done) || !map_piece(start + done, pa + done, piece, attr))
        {
            rt_iounmap(start);

            return RT_NULL;
        }

        /* How many bytes are mapped, for rt_dma_port_close_area(). */
        varea->data = (void *)(done + piece);
    }

    rt_dma_port_publish_mappings();

    return start;
}

void rt_dma_port_unmap_pages(void *va)
{
    /* The TLBs of all cores drop the entries: on aarch64 RT-Thread does that, on riscv64 rt_dma_port_close_area(). */
    rt_iounmap(va);
}

#endif /* RT_DMA_PORT_KERNEL_MAPS_BLOCKS */
