/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The data cache. */

#include "rt_dma_port_rtthread.h"

#if defined(__aarch64__) || defined(RT_DMA_PORT_HAS_CP15)

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

/* Returns whether the register has the fields that are used here. It has them since Armv7. */
static int has_line_sizes(rt_ubase_t ctr)
{
#ifdef __aarch64__
    RT_UNUSED(ctr);

    return 1;
#else
    return ctr >> 29 == 4;
#endif
}

#endif /* __aarch64__ || RT_DMA_PORT_HAS_CP15 */

/* Calls RT-Thread's operation. Without RT_USING_CACHE it is a macro that drops its arguments. */
rt_inline void maintain(int operation, void *va, int size)
{
    RT_UNUSED(operation);
    RT_UNUSED(va);
    RT_UNUSED(size);
    rt_hw_cpu_dcache_ops(operation, va, size);
}

/*
 * Flushes lines and invalidates them. On Arm this is one step for each line, so that no write to the line can come
 * between the two and be lost. On RISC-V this is true only for writes of this core.
 */
#if defined(RT_DMA_PORT_HAS_CP15) && defined(RT_USING_CACHE)

/* RT_HW_CACHE_FLUSH does not invalidate (libcpu/arm/cortex-a/cache.c); the processor has an operation for both. */
static void flush_and_invalidate(void *va, int size)
{
    rt_ubase_t ctr = cache_type();
    /* DminLine: base-two logarithm of the words in the smallest line. */
    rt_ubase_t line = has_line_sizes(ctr) ? 4UL << ((ctr >> 16) & 0xf) : 32;
    rt_ubase_t at = (rt_ubase_t)va & ~(line - 1);
    rt_ubase_t lines = ((rt_ubase_t)va + size - 1 - at) / line + 1;

    /* The lines are counted, because the address after the last line may be 0. */
    for (; lines != 0; lines--, at += line)
    {
        __asm__ volatile ("mcr p15, 0, %0, c7, c14, 1" : : "r" (at) : "memory"); /* DCCIMVAC */
    }
}

#elif defined(__aarch64__)

/* RT_HW_CACHE_FLUSH does both (libcpu/aarch64/common/cache.S). */
static void flush_and_invalidate(void *va, int size)
{
    maintain(RT_HW_CACHE_FLUSH, va, size);
}

#else

/*
 * RT_HW_CACHE_FLUSH does not invalidate (libcpu/risc-v/t-head), so two operations are needed. The interrupts of this
 * core are masked, so that no code on it writes to a line in between. What another core writes to such a line in
 * between is lost: rthw.h has no operation that does both. The cache.h of some processors has one, under two names:
 * rt_hw_cpu_dcache_clean_invalidate (virt64, t-head/c906) and rt_hw_cpu_dcache_clean_and_invalidate (t-head/c908). But
 * in libcpu/risc-v/common/cache.c the second one does not invalidate.
 */
static void flush_and_invalidate(void *va, int size)
{
    rt_base_t level = rt_hw_local_irq_disable();

    maintain(RT_HW_CACHE_FLUSH, va, size);
    maintain(RT_HW_CACHE_INVALIDATE, va, size);
    rt_hw_local_irq_enable(level);
}

#endif

/*
 * Waits for the end of the maintenance. On aarch64 each of RT-Thread's operations ends with a barrier; elsewhere none
 * does.
 */
static void wait_for_maintenance(void)
{
#if defined(RT_DMA_PORT_HAS_CP15)
#if __ARM_ARCH >= 7
    __asm__ volatile ("dsb" : : : "memory");
#else
    __asm__ volatile ("mcr p15, 0, %0, c7, c10, 4" : : "r" (0) : "memory"); /* data synchronization barrier */
#endif
#elif defined(__riscv)
    __asm__ volatile ("fence iorw, iorw" : : : "memory");
#endif
}

void rt_dma_port_cache(int operation, void *va, int size)
{
    maintain(operation, va, size);
    wait_for_maintenance();
}

void rt_dma_port_cache_flush_and_invalidate(void *va, int size)
{
    flush_and_invalidate(va, size);
    wait_for_maintenance();
}

/* Returns the largest line that the BSP states. If it states none: 64 bytes, or more if rthw.h defines more. */
static uintptr_t default_line(void)
{
    if (RT_DMA_PORT_STATED_CACHE_LINE)
    {
        return RT_DMA_PORT_STATED_CACHE_LINE;
    }

    return RT_CPU_CACHE_LINE_SZ > 64 ? RT_CPU_CACHE_LINE_SZ : 64;
}

/*
 * A value that is too large costs a little maintenance. One that is too small can destroy bytes of another variable in
 * the line.
 */
uintptr_t rt_dma_port_cache_line_max(void)
{
#if defined(__aarch64__) || defined(RT_DMA_PORT_HAS_CP15)
    rt_ubase_t ctr = cache_type();

    if (has_line_sizes(ctr))
    {
        /*
         * CWG: base-two logarithm of the words in the largest line, at most 9; 0 where the processor does not state it,
         * which is taken for 128 bytes, as Linux does (ARCH_DMA_MINALIGN in arch/arm64/include/asm/cache.h).
         */
        rt_ubase_t cwg = (ctr >> 24) & 0xf;
        uintptr_t line = cwg >= 1 && cwg <= 9 ? (uintptr_t)4 << cwg : 128;

        /* A BSP may state a longer one: that of a cache outside of the processor. */
        return line > RT_DMA_PORT_STATED_CACHE_LINE ? line : RT_DMA_PORT_STATED_CACHE_LINE;
    }
#endif

    return default_line();
}
