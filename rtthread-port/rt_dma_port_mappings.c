/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Mappings: of memory at its linear address, which is the physical address plus a constant of the kernel, and of memory at
 * an address that the kernel chooses.
 */

#include "rt_dma_port_rtthread.h"

#if defined(__aarch64__) || defined(__riscv)
#define MAPS_PIECES
#endif

/*
 * Drops old entries from the TLBs of all cores: an address may have been that of another mapping before. RT-Thread does so
 * for every core on aarch64 only.
 */
#if defined(__riscv)

/* RT-Thread's tlb.h writes to the log. */
#define DBG_TAG "dma.pool"
#define DBG_LVL DBG_WARNING
#include <rtdbg.h>
#include <tlb.h>

static void invalidate_tlbs(void)
{
    /*
     * rt_hw_tlb_invalidate_aspace() is not enough: in RT-Thread 5.2.2 it reaches the TLB of this core only. With ARCH_USING_ASID
     * it drops the entries of one address space, and a TLB may have entries of several for an address of the kernel.
     */
    rt_hw_tlb_invalidate_all_local();
#ifdef RT_USING_SMP
    rt_hw_tlb_invalidate_all();
#endif
}

#elif defined(RT_DMA_PORT_HAS_CP15) && defined(RT_USING_SMP)

static void invalidate_tlbs(void)
{
    /* TLBIALLIS. libcpu/arm/cortex-a/tlb.h has TLBIALL, which is for the TLB of this core. */
    __asm__ volatile ("dsb\n\tmcr p15, 0, %0, c8, c3, 0\n\tdsb\n\tisb" : : "r" (0) : "memory");
}

#else

static void invalidate_tlbs(void)
{
}

#endif

#ifdef MAPS_PIECES

/*
 * Memory is mapped as pages. RT-Thread's rt_hw_mmu_map (libcpu/aarch64/common/mmu.c) maps a block of 2 MiB where the virtual
 * address is a multiple of 2 MiB and the length allows it: in older versions if the whole length is a multiple of 2 MiB, since its
 * pull request 9733 wherever 2 MiB are left to map. It does not check the physical address, so that a block can lead to other
 * memory. No version of rt_hw_mmu_unmap removes a block, and a page that is mapped there later stops the kernel. A call for less
 * than 2 MiB maps no block in any version.
 *
 * On riscv64, libcpu/risc-v/common/mmu.c maps a block where both addresses are multiples of 2 MiB, and removes none either. A
 * page that is mapped there later leads to the block's memory, without an error. Older versions (common64) map pages only.
 *
 * That file has two more faults:
 *
 * - rt_hw_mmu_map returns an address even if there was no memory for a table. An unmap of pages that are not mapped ends uses of
 *   their table, so that the table may be freed while other mappings need it. So a piece lies within one table, and only pieces
 *   that were mapped are unmapped.
 * - rt_hw_mmu_unmap clears no entry of a page: see clear_left_entries().
 */
#define PIECE ((uintptr_t)1 << 20)

static void limit_to_ioremap_window(rt_mm_va_hint_t hint)
{
    if (!(hint->flags & MMF_MAP_FIXED))
    {
        hint->limit_start = rt_ioremap_start;
        hint->limit_range_size = rt_ioremap_size;
    }
}

#ifdef __riscv

/*
 * Clears the entries of pages that are unmapped. rt_hw_mmu_unmap of libcpu/risc-v/common/mmu.c does not: it only counts the uses
 * of a table, and clears the whole table when the last use ends. A pool that is installed later, at the linear addresses of such
 * entries, would take them for a map of the boot code, and would lose them together with the table.
 *
 * The first call below writes an entry that is not valid, because its attribute is zero. It counts as a use of the table, which the
 * second call ends. Versions of RT-Thread without this file leave no entry.
 */
static void clear_left_entries(rt_aspace_t aspace, char *va, uintptr_t size)
{
    for (; size != 0; size -= ARCH_PAGE_SIZE, va += ARCH_PAGE_SIZE)
    {
        if (rt_hw_mmu_v2p(aspace, va) != ARCH_MAP_FAILED)
        {
            rt_hw_mmu_map(aspace, va, RT_NULL, ARCH_PAGE_SIZE, 0);
            rt_hw_mmu_unmap(aspace, va, ARCH_PAGE_SIZE);
        }
    }
}

/* The kernel calls this in place of rt_hw_mmu_unmap when the area is unmapped. varea->data is how many bytes are mapped. */
static void unmap_pages(struct rt_varea *varea)
{
    uintptr_t size = (uintptr_t)varea->data;

    rt_hw_mmu_unmap(varea->aspace, varea->start, size);
    clear_left_entries(varea->aspace, varea->start, size);
    invalidate_tlbs();
}

#endif /* __riscv */

/*
 * Reserves addresses, and maps nothing. Returns null if there is no room. rt_aspace_map would be simpler, but asserts
 * that the scheduler runs, and pools are mapped before that.
 */
static struct rt_varea *reserve(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    /* The object has no other functions, so the kernel treats the area as it treats one of rt_aspace_map_phy. */
    static struct rt_mem_obj object =
    {
        .hint_free = limit_to_ioremap_window,
#ifdef __riscv
        .on_varea_close = unmap_pages,
#endif
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

/* Maps pages of one table. Returns whether that was possible. */
static int map_piece(char *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    if (!rt_hw_mmu_map(&rt_kernel_space, va, (void *)pa, size, attr))
    {
        return 0;
    }

#ifdef __riscv
    /* If there was no memory for the table, the first page is not mapped. */
    return (uintptr_t)rt_hw_mmu_v2p(&rt_kernel_space, va) == pa;
#else
    return 1;
#endif
}

/*
 * Maps whole pages at va, or in the ioremap window if va is null, without a block of 2 MiB. Returns null if that fails.
 * rt_aspace_unmap and rt_iounmap remove the mapping.
 */
static void *map_pages(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr)
{
    struct rt_varea *varea = reserve(va, pa, size, attr);
    char *start;
    uintptr_t done, piece;

    if (!varea)
    {
        return RT_NULL;
    }

    start = varea->start;

    for (done = 0; done < size; done += piece)
    {
        piece = PIECE - ((uintptr_t)start + done) % PIECE;
        piece = size - done < piece ? size - done : piece;
        varea->data = (void *)done;

        if (!map_piece(start + done, pa + done, piece, attr))
        {
            rt_aspace_unmap(&rt_kernel_space, start);

            return RT_NULL;
        }
    }

    varea->data = (void *)size;

    /* The page tables are written before the mapping is used. */
#ifdef __riscv
    invalidate_tlbs();
#else
    __asm__ volatile ("dsb ish\n\tisb" : : : "memory");
#endif

    return start;
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

static void *map_anywhere(uintptr_t pa, uintptr_t size, int memory)
{
    return map_pages(RT_NULL, pa, size, attributes_of(memory));
}

#else /* !MAPS_PIECES */

static void *map_anywhere(uintptr_t pa, uintptr_t size, int memory)
{
    void *va;

    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        va = rt_ioremap_cached((void *)pa, size);
        break;
    case RT_DMA_PORT_UNCACHED:
        va = rt_ioremap_nocache((void *)pa, size);
        break;
    case RT_DMA_PORT_WRITE_THROUGH:
    default:
        va = rt_ioremap_wt((void *)pa, size);
        break;
    }

    invalidate_tlbs();

    return va;
}

#endif /* MAPS_PIECES */

#if RT_DMA_PORT_REVISION < 2

/* In this revision only boot code maps linearly. Memory that it left out stays out. */
void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
    RT_UNUSED(va);
    RT_UNUSED(pa);
    RT_UNUSED(size);
}

#else

#ifdef MAPS_PIECES

static void map_fixed(void *va, uintptr_t pa, uintptr_t size)
{
    map_pages(va, pa, size, MMU_MAP_K_RWCB);
}

#else

static void map_fixed(void *va, uintptr_t pa, uintptr_t size)
{
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };

    rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_RWCB, pa >> MM_PAGE_SHIFT, &hint.prefer);
    invalidate_tlbs();
}

#endif /* MAPS_PIECES */

/* The mapping has the address that is asked for, or fails. The library finds out by rt_dma_port_v2p(). */
void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
    if (rt_dma_port_has_page_tables())
    {
        map_fixed(va, pa, size);
    }
}

#endif /* revision */

/* Removes a mapping, which is one area of the address space, as a whole. */
static void unmap(void *va)
{
    if (rt_dma_port_has_page_tables())
    {
        rt_iounmap(va);
#ifndef __riscv
        /* On riscv64, unmap_pages() has done so. */
        invalidate_tlbs();
#endif
    }
}

/* Only rt_dma_pool_uninstall calls this. */
RT_DMA_PORT_OWN_SECTION(unmap_linear) void rt_dma_port_unmap_linear(void *va, uintptr_t size)
{
    RT_UNUSED(size);
    unmap(va);
}

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
    if (!rt_dma_port_has_page_tables())
    {
        return memory == RT_DMA_PORT_CACHED ? (void *)(pa - PV_OFFSET) : RT_NULL;
    }

    return map_anywhere(pa, size, memory);
}

void rt_dma_port_unmap(void *va)
{
    unmap(va);
}
