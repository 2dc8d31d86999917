/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Constants, heap, memory, data cache, context. */

/* Where the BSP defines no cache line size, rthw.h defines 32. So its definition is looked for before rthw.h is included. */
#include <rtconfig.h>

/* A value that is too large costs a little maintenance. One that is too small can destroy bytes of another variable in the line. */
#ifdef RT_CPU_CACHE_LINE_SZ
#define STATED_LINE RT_CPU_CACHE_LINE_SZ
#define DEFAULT_LINE RT_CPU_CACHE_LINE_SZ
#else
#define STATED_LINE 0
#define DEFAULT_LINE (RT_CPU_CACHE_LINE_SZ > 64 ? RT_CPU_CACHE_LINE_SZ : 64)
#endif

#include <stddef.h>

#include "rt_dma_port_rtthread.h"

/* A 32-bit Arm processor that has the system registers of coprocessor 15: every one but the Cortex-M. */
#if defined(__arm__) && !(defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M')
#define HAS_CP15
#endif

/* MiB; menuconfig asks for it. A view of each kind takes as much of the ioremap window. */
#ifndef RT_DMA_POOL_VIEW_LIMIT
#define RT_DMA_POOL_VIEW_LIMIT 64
#endif

_Static_assert(RT_DMA_POOL_VIEW_LIMIT >= 0 && RT_DMA_POOL_VIEW_LIMIT <= INT16_MAX,
        "RT_DMA_POOL_VIEW_LIMIT is a number of MiB, and less than 32768");

#ifdef PKG_RT_DMA_POOL_MAP_AT_INSTALL
#define MAPS_AT_INSTALL 1
#else
#define MAPS_AT_INSTALL 0
#endif

const struct rt_dma_port_configuration rt_dma_port_configuration =
{
    .errors =
    {
        .ok = RT_EOK,
        .inval = -RT_EINVAL,
        .nosys = -RT_ENOSYS,
        .empty = -RT_EEMPTY,
        .nomem = -RT_ENOMEM,
        .error = -RT_ERROR,
        .busy = -RT_EBUSY,
        .io = -RT_EIO,
    },
    .view_limit = RT_DMA_POOL_VIEW_LIMIT,
    .revision = RT_DMA_PORT_REVISION,
    .ops_offset = offsetof(struct rt_device, dma_ops),
    .maps_at_install = MAPS_AT_INSTALL,
    .stated_cache_line = STATED_LINE,
};

_Static_assert(offsetof(struct rt_device, dma_ops) <= UINT16_MAX && sizeof(((struct rt_device *)0)->dma_ops) == sizeof(void *),
        "rtdef.h: struct rt_device: dma_ops is too far from the start, or no pointer");

void *rt_dma_port_heap_alloc(uintptr_t size)
{
    return rt_calloc(size, 1);
}

void rt_dma_port_heap_free(void *memory)
{
    rt_free(memory);
}

/*
 * A BSP may leave the MMU off, although it compiles the memory management (qemu-virt64-riscv without RT_USING_SMART). Then
 * nothing has set rt_kernel_space up, and RT-Thread's rt_kmem_v2p and rt_ioremap follow a null page table.
 */
int rt_dma_port_has_page_tables(void)
{
    return rt_kernel_space.page_table != RT_NULL;
}

/*
 * On aarch64 rt_kmem_v2p translates by an instruction that leaves its result in PAR_EL1, and then reads PAR_EL1. An
 * interrupt or a thread switch between the two that translates another address changes the result. Therefore interrupts
 * are masked here, and PAR_EL1 is restored for a translation that this call itself may have interrupted.
 */
static uintptr_t translate(void *va)
{
#ifdef __aarch64__
    uintptr_t pa;
    rt_ubase_t daif, par;

    __asm__ volatile ("mrs %0, daif\n\tmsr daifset, #3\n\tmrs %1, par_el1" : "=&r" (daif), "=r" (par) : : "memory");
    /*
     * rt_kmem_v2p has no barrier between the two instructions, so its read may return an earlier result (Arm ARM DDI 0487,
     * "Synchronization requirements for AArch64 System registers"). So the same address is translated once before: an earlier
     * result is then right, too.
     */
    __asm__ volatile ("at s1e1w, %0\n\tisb" : : "r" (va) : "memory");
    pa = (uintptr_t)rt_kmem_v2p(va);
    __asm__ volatile ("msr par_el1, %0\n\tmsr daif, %1" : : "r" (par), "r" (daif) : "memory");

    return pa;
#else
    /* On other processors rt_kmem_v2p follows the page table in memory. */
    if (!rt_dma_port_has_page_tables())
    {
        return (uintptr_t)va + PV_OFFSET;
    }

    return (uintptr_t)rt_kmem_v2p(va);
#endif
}

uintptr_t rt_dma_port_v2p(void *va)
{
    uintptr_t pa = translate(va);

    if (pa == (uintptr_t)ARCH_MAP_FAILED)
    {
        return RT_DMA_PORT_UNMAPPED;
    }

    return pa;
}

uintptr_t rt_dma_port_pv_offset(void)
{
    return PV_OFFSET;
}

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
    if (!rt_dma_port_has_page_tables())
    {
        return memory == RT_DMA_PORT_CACHED ? (void *)(pa - PV_OFFSET) : RT_NULL;
    }

    switch (memory)
    {
    case RT_DMA_PORT_CACHED:
        return rt_ioremap_cached((void *)pa, size);
    case RT_DMA_PORT_UNCACHED:
        return rt_ioremap_nocache((void *)pa, size);
    default:
        return rt_ioremap_wt((void *)pa, size);
    }
}

void rt_dma_port_unmap(void *va)
{
    if (rt_dma_port_has_page_tables())
    {
        rt_iounmap(va);
    }
}

#if defined(__aarch64__) || defined(HAS_CP15)
/* The Cache Type Register: CTR_EL0, or CTR (Arm ARM DDI 0487, CTR_EL0; DDI 0406C, CTR). */
static rt_ubase_t cache_type(void)
{
    rt_ubase_t ctr;

#ifdef __aarch64__
    __asm__ volatile ("mrs %0, ctr_el0" : "=r" (ctr));
#else
    __asm__ volatile ("mrc p15, 0, %0, c0, c0, 1" : "=r" (ctr));
#endif

    return ctr;
}

/* Whether the register has the fields used here: since Armv7. */
static int has_line_sizes(rt_ubase_t ctr)
{
#ifdef __aarch64__
    RT_UNUSED(ctr);

    return 1;
#else
    return ctr >> 29 == 4;
#endif
}
#endif /* __aarch64__ || HAS_CP15 */

#ifndef __aarch64__
/* Cleans and invalidates, without a moment in between in which a write of this core or another would be lost. */
static void flush_and_drop(void *va, int size)
{
#if defined(HAS_CP15) && defined(RT_USING_CACHE)
    /* RT_HW_CACHE_FLUSH is a clean alone (libcpu/arm/cortex-a/cache.c); the processor has an operation for both. */
    rt_ubase_t ctr = cache_type();
    /* DminLine: base-two logarithm of the words in the smallest line. */
    rt_ubase_t line = has_line_sizes(ctr) ? 4UL << ((ctr >> 16) & 0xf) : 32;
    rt_ubase_t at = (rt_ubase_t)va & ~(line - 1);
    rt_ubase_t lines = ((rt_ubase_t)va + size - 1 - at) / line + 1;

    for (; lines != 0; --lines, at += line)
    {
        __asm__ volatile ("mcr p15, 0, %0, c7, c14, 1" : : "r" (at) : "memory"); /* DCCIMVAC */
    }
#else
    /* A clean alone here too (libcpu/risc-v/t-head): what others on this core write is kept. */
    rt_base_t level = rt_hw_local_irq_disable();

    RT_UNUSED(va);
    RT_UNUSED(size);
    rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, va, size);
    rt_hw_cpu_dcache_ops(RT_HW_CACHE_INVALIDATE, va, size);
    rt_hw_local_irq_enable(level);
#endif
}
#endif /* !__aarch64__ */

void rt_dma_port_cache(int operation, void *va, int size)
{
    /* Without RT_USING_CACHE the operation is a macro that drops its arguments. */
    RT_UNUSED(va);
    RT_UNUSED(size);

#ifndef __aarch64__
    if (operation == RT_DMA_PORT_FLUSH_AND_DROP)
    {
        flush_and_drop(va, size);
    }
    else
#endif
    {
        rt_hw_cpu_dcache_ops(operation, va, size);
    }

    /* On aarch64 each of them ends with a barrier; here they only begin the maintenance, and nothing waits for its end. */
#if defined(HAS_CP15)
#if __ARM_ARCH >= 7
    __asm__ volatile ("dsb" : : : "memory");
#else
    __asm__ volatile ("mcr p15, 0, %0, c7, c10, 4" : : "r" (0) : "memory"); /* data synchronization barrier */
#endif
#elif defined(__riscv)
    __asm__ volatile ("fence iorw, iorw" : : : "memory");
#endif
}

uintptr_t rt_dma_port_cache_line_max(void)
{
#if defined(__aarch64__) || defined(HAS_CP15)
    rt_ubase_t ctr = cache_type();

    if (has_line_sizes(ctr))
    {
        /*
         * CWG: base-two logarithm of the words in the largest line, at most 9; 0 where the processor does not state it, which is
         * taken for 128 bytes, as Linux does (ARCH_DMA_MINALIGN in arch/arm64/include/asm/cache.h).
         */
        rt_ubase_t cwg = (ctr >> 24) & 0xf;
        uintptr_t line = cwg >= 1 && cwg <= 9 ? (uintptr_t)4 << cwg : 128;

        /* A BSP may name a longer one: that of a cache outside of the processor. */
        return line > STATED_LINE ? line : STATED_LINE;
    }
#endif

    return DEFAULT_LINE;
}

uintptr_t rt_dma_port_critical_enter(void)
{
    return (uintptr_t)rt_hw_interrupt_disable();
}

void rt_dma_port_critical_exit(uintptr_t saved)
{
    rt_hw_interrupt_enable((rt_base_t)saved);
}

/*
 * The processor itself is asked: rt_hw_interrupt_is_disabled() is in most kernels the weak one, which always answers no.
 */
static int interrupts_masked(void)
{
    rt_ubase_t state;

#if defined(__aarch64__)
    __asm__ volatile ("mrs %0, daif" : "=r" (state) : : "memory");

    return (state & 0x80) != 0; /* PSTATE.I */
#elif defined(HAS_CP15)
    __asm__ volatile ("mrs %0, cpsr" : "=r" (state) : : "memory");

    return (state & 0x80) != 0; /* CPSR.I */
#elif defined(__riscv) && defined(ARCH_RISCV_M_MODE)
    __asm__ volatile ("csrr %0, mstatus" : "=r" (state) : : "memory");

    return (state & 0x8) == 0; /* mstatus.MIE */
#elif defined(__riscv)
    __asm__ volatile ("csrr %0, sstatus" : "=r" (state) : : "memory");

    return (state & 0x2) == 0; /* sstatus.SIE */
#else
    state = rt_hw_interrupt_is_disabled();

    return state != 0;
#endif
}

int rt_dma_port_is_atomic(void)
{
    int atomic = rt_interrupt_get_nest();

    /* Boot code runs with interrupts off, alone: heap and page tables work, and their locks are skipped. */
    if (!atomic && rt_thread_self())
    {
        atomic = rt_critical_level() | interrupts_masked();
    }

    return atomic;
}

void rt_dma_port_pause(void)
{
    rt_thread_mdelay(1);
}
