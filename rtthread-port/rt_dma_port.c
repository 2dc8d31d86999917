/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Constants, heap, memory, data cache, context. */

/* rthw.h puts a guess of 32 where the BSP names no cache line size: whether it does shows only before rthw.h. */
#include <rtconfig.h>

#ifdef RT_CPU_CACHE_LINE_SZ
#define CACHE_LINE RT_CPU_CACHE_LINE_SZ
#else
/* Too long a line costs a little maintenance; too short a one costs a neighbour its bytes. */
#define CACHE_LINE (RT_CPU_CACHE_LINE_SZ > 64 ? RT_CPU_CACHE_LINE_SZ : 64)
#endif

#include "rt_dma_port_rtthread.h"

/* MiB; menuconfig asks for it. A view of each kind takes as much of the ioremap window. */
#ifndef RT_DMA_POOL_VIEW_LIMIT
#define RT_DMA_POOL_VIEW_LIMIT 64
#endif

_Static_assert(RT_DMA_POOL_VIEW_LIMIT >= 0 && RT_DMA_POOL_VIEW_LIMIT <= INT16_MAX,
        "RT_DMA_POOL_VIEW_LIMIT is a number of MiB, and less than 32768");

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
};

void *rt_dma_port_heap_alloc(uintptr_t size)
{
    return rt_calloc(size, 1);
}

void rt_dma_port_heap_free(void *memory)
{
    rt_free(memory);
}

uintptr_t rt_dma_port_v2p(void *va)
{
    uintptr_t pa = (uintptr_t)rt_kmem_v2p(va);

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

void rt_dma_port_map_linear(void *va, uintptr_t pa, uintptr_t size)
{
#if RT_DMA_PORT_REVISION >= 2
    struct rt_mm_va_hint hint =
    {
        .flags = MMF_MAP_FIXED,
        .limit_start = rt_kernel_space.start,
        .limit_range_size = rt_kernel_space.size,
        .map_size = size,
        .prefer = va,
    };

    /* Where it lands is where it was wanted, or nowhere: nobody asks. */
    rt_aspace_map_phy(&rt_kernel_space, &hint, MMU_MAP_K_RWCB, pa >> MM_PAGE_SHIFT, &hint.prefer);
#else
    /* Here the linear map is the boot code's alone: what it left out, it left out on purpose. */
    RT_UNUSED(va);
    RT_UNUSED(pa);
    RT_UNUSED(size);
#endif
}

void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory)
{
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
    rt_iounmap(va);
}

void rt_dma_port_cache(int operation, void *va, int size)
{
    /* Without RT_USING_CACHE the operation is a macro that drops its arguments. */
    RT_UNUSED(operation);
    RT_UNUSED(va);
    RT_UNUSED(size);

    rt_hw_cpu_dcache_ops(operation, va, size);
}

uintptr_t rt_dma_port_cache_line(void)
{
#ifdef __aarch64__
    rt_ubase_t ctr;

    /* DminLine: base-two logarithm of the words in the smallest data cache line (Arm ARM, CTR_EL0). */
    __asm__ volatile ("mrs %0, ctr_el0" : "=r" (ctr));

    return (uintptr_t)4 << ((ctr >> 16) & 0xf);
#else
    return CACHE_LINE;
#endif
}

uintptr_t rt_dma_port_critical_enter(void)
{
    return (uintptr_t)rt_hw_interrupt_disable();
}

void rt_dma_port_critical_exit(uintptr_t saved)
{
    rt_hw_interrupt_enable((rt_base_t)saved);
}

/* The weak rt_hw_interrupt_is_disabled() of a processor that has none of its own always answers no. */
static int interrupts_masked(void)
{
#ifdef __aarch64__
    rt_ubase_t daif;

    __asm__ volatile ("mrs %0, daif" : "=r" (daif));

    return daif & 0x80; /* PSTATE.I */
#else
    return rt_hw_interrupt_is_disabled();
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
