/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Blocks of 2 MiB that other code mapped by rt_ioremap, and that rt_iounmap left in the page tables. A page that is mapped there
 * later stops the kernel on aarch64; on riscv64 the kernel takes the block's memory for a table.
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

/* Valid, and not readable, writable or executable. */
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
    return (entry >> 10 & 0xfffffffffff) << 12;
}

/* The caller does so without the lock: RT-Thread's call for other cores may write to the log. */
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

/* With the lock: no core may put a table in the block's place before all have dropped the block (Arm ARM, break-before-make). */
static void drop_block_from_tlbs(void)
{
    __asm__ volatile ("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

#endif /* __riscv */

/* Returns the entry for the 2 MiB that contain va; null if there is no table for them. The caller holds the tables' lock. */
static uint64_t *find_entry_2m(void *va)
{
    uint64_t *entry = rt_kernel_space.page_table;
    int shift;

    for (shift = shift_of_first_table();; shift -= TABLE_INDEX_BITS)
    {
        entry += (uintptr_t)va >> shift & ((1 << TABLE_INDEX_BITS) - 1);

        if (shift == ENTRY_2M_SHIFT)
        {
            return entry;
        }

        if (!is_table(*entry))
        {
            return RT_NULL;
        }

        entry = (uint64_t *)(address_in(*entry) - PV_OFFSET);
    }
}

int rt_dma_port_clear_left_block(void *va)
{
    int is_in_window = (uintptr_t)va - (uintptr_t)rt_ioremap_start < rt_ioremap_size;
    int has_block;
    uint64_t *entry;

    /* Other cores free tables. */
    MM_PGTBL_LOCK(&rt_kernel_space);
    entry = find_entry_2m(va);
    has_block = entry && is_block(*entry);

    if (has_block && is_in_window)
    {
        *(volatile uint64_t *)entry = 0;
        rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, entry, sizeof(*entry));
        drop_block_from_tlbs();
    }

    MM_PGTBL_UNLOCK(&rt_kernel_space);

    return !has_block || is_in_window;
}

#endif /* RT_DMA_PORT_KERNEL_MAPS_BLOCKS */
