/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Virtual and physical addresses: the page tables, and the linear map. */

#include "rt_dma_port_rtthread.h"

/*
 * A BSP may leave the MMU off, although it compiles the memory management (qemu-virt64-riscv without RT_USING_SMART).
 * Then nothing has set rt_kernel_space up, and RT-Thread's rt_kmem_v2p and rt_ioremap follow a null page table.
 */
int rt_dma_port_has_page_tables(void)
{
    return rt_kernel_space.page_table != RT_NULL;
}

uintptr_t rt_dma_port_pv_offset(void)
{
    return PV_OFFSET;
}

#ifdef __aarch64__

/*
 * On aarch64 rt_kmem_v2p translates by an instruction that leaves its result in PAR_EL1, and then reads PAR_EL1. An
 * interrupt or a thread switch between the two that translates another address changes the result. Therefore interrupts
 * are masked here, and PAR_EL1 is restored for a translation that this call itself may have interrupted.
 */
static uintptr_t translate(void *va)
{
    uintptr_t pa;
    rt_ubase_t daif, par;

    __asm__ volatile ("mrs %0, daif\n\tmsr daifset, #3\n\tmrs %1, par_el1" : "=&r" (daif), "=r" (par) : : "memory");
    /*
     * rt_kmem_v2p has no barrier between the two instructions, so its read may return an earlier result (Arm ARM DDI
     * 0487, "Synchronization requirements for AArch64 System registers"). So the same address is translated once
     * before. If the read returns that earlier result, it is the right one, too.
     */
    __asm__ volatile ("at s1e1w, %0\n\tisb" : : "r" (va) : "memory");
    pa = (uintptr_t)rt_kmem_v2p(va);
    __asm__ volatile ("msr par_el1, %0\n\tmsr daif, %1" : : "r" (par), "r" (daif) : "memory");

    return pa;
}

#else

#ifdef __riscv
/*
 * RT-Thread's newer libcpu/risc-v/common/mmu.c takes the address from all upper bits of the page-table entry, also from
 * those of the memory type: bit 61, which Svpbmt sets for RT_DMA_F_WT, becomes bit 63 of the address. A physical
 * address has 56 bits.
 */
#define PHYSICAL_BITS ((uintptr_t)0xffffffffffffff)
#else
#define PHYSICAL_BITS UINTPTR_MAX
#endif

/* On other processors rt_kmem_v2p follows the page table in memory. */
static uintptr_t translate(void *va)
{
    void *pa;

    if (!rt_dma_port_has_page_tables())
    {
        return (uintptr_t)va + PV_OFFSET;
    }

    pa = rt_kmem_v2p(va);

    return pa == ARCH_MAP_FAILED ? (uintptr_t)pa : (uintptr_t)pa & PHYSICAL_BITS;
}

#endif /* __aarch64__ */

uintptr_t rt_dma_port_v2p(void *va)
{
    uintptr_t pa = translate(va);

    if (pa == (uintptr_t)ARCH_MAP_FAILED)
    {
        return RT_DMA_PORT_UNMAPPED;
    }

    return pa;
}
