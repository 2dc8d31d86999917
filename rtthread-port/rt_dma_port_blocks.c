/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Clears blocks of 2 MiB that rt_iounmap left in the page tables after other code had mapped them by rt_ioremap. If a
 * page were mapped there later, the kernel would stop (aarch64), or would take the block's memory for a page table
 * (riscv64).
 */

#include "rt_dma_port_map_pages.h"

#ifdef RT_DMA_PORT_KERNEL_MAPS_BLOCKS

/* The tables as the processor reads them, down to the entries for 2 MiB. */
#define TABLE_INDEX_BITS 9
#define ENTRY_2M_SHIFT 21

#ifdef __riscv

static int shift_of_first_table(void)
{
    uintptr_t satp;

    __asm__ volatile ("csrr %0, satp" : "=r" (satp));

    /* Modes 8, 9 and 10: Sv39, Sv48 and Sv57. */
    return 30 + ((int)(satp >> 60) - 8) * TABLE_INDEX_BITS;
}

/* A table's entry is valid, and not readable, writable or executable. */
static int is_table(uint64_t entry)
{
    return (entry & 0xf) == 1;
}

static int is_block(uint64_t entry)
{
    return (entry & 1) && !is_table(entry);
}

static uintptr_t address_in(uint64_t entry)
{
    return ((entry >> 10) & 0xfffffffffff) << 12;
}

/*
 * Not here, because the lock is held, and RT-Thread's call that reaches other cores may write to the log. The caller
 * drops the block later, by rt_dma_port_publish_mappings().
 */
static void drop_block_from_tlbs(void)
{
}

#else

/* RT-Thread has tables of four levels (libcpu/aarch64/common/mmu.c). */
static int shift_of_first_table(void)
{
    return 39;
}

static int is_table(uint64_t entry)
{
    return (entry & 3) == 3;
}

static int is_block(uint64_t entry)
{
    return (entry & 3) == 1;
}

static uintptr_t address_in(uint64_t entry)
{
    return entry & 0xfffffffff000;
}

/*
 * Here, with the lock held: no core may put a table in the block's place before all cores have dropped the block (Arm
 * ARM, break-before-make).
 */
static void drop_block_from_tlbs(void)
{
    __asm__ volatile ("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

#endif /* __riscv */

/*
 * Returns the entry for the 2 MiB that contain va. If there is no table for them, returns the entry in place of that
 * table. The size that the entry stands for is 1 << *shift. The caller holds the tables' lock.
 */
static uint64_t *find_entry(void *va, int *shift)
{
    uint64_t *entry = rt_kernel_space.page_table;

    for (*shift = shift_of_first_table();; *shift -= TABLE_INDEX_BITS)
    {
        entry += ((uintptr_t)va >> *shift) & ((1 << TABLE_INDEX_BITS) - 1);

        if (*shift == ENTRY_2M_SHIFT || !is_table(*entry))
        {
            return entry;
        }

        entry = (uint64_t *)(address_in(*entry) - PV_OFFSET);
    }
}

int rt_dma_port_clear_left_block(void *va)
{
    int is_in_window = (uintptr_t)va - (uintptr_t)rt_ioremap_start < rt_ioremap_size;
    int has_block, is_left, shift;
    uint64_t *entry;

    /* Without the lock, another core could free a table meanwhile. */
    MM_PGTBL_LOCK(&rt_kernel_space);
    entry = find_entry(va, &shift);
    has_block = is_block(*entry);
    /* Boot code maps larger blocks (rt_hw_mmu_kernel_map_init on riscv64), rt_ioremap does not. */
    is_left = has_block && is_in_window && shift == ENTRY_2M_SHIFT;

    if (is_left)
    {
        *(volatile uint64_t *)entry = 0;
        rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, entry, sizeof(*entry));
        drop_block_from_tlbs();
    }

    MM_PGTBL_UNLOCK(&rt_kernel_space);

    return !has_block || is_left;
}

#endif /* RT_DMA_PORT_KERNEL_MAPS_BLOCKS */
