/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Services of the kernel: the heap, what the caller may do, interrupts, a critical section, and a pause. */

#include "rt_dma_port_rtthread.h"

void *rt_dma_port_heap_alloc(uintptr_t size)
{
    return rt_calloc(size, 1);
}

void rt_dma_port_heap_free(void *memory)
{
    rt_free(memory);
}

/*
 * The functions below read the processor's own state. In most kernels rt_hw_interrupt_is_disabled() is the weak one,
 * which always returns 0.
 */
#if defined(__aarch64__)

static int are_interrupts_masked(void)
{
    rt_ubase_t daif;

    __asm__ volatile ("mrs %0, daif" : "=r" (daif) : : "memory");

    return (daif & 0x80) != 0; /* PSTATE.I */
}

#elif defined(RT_DMA_PORT_HAS_CP15)

static int are_interrupts_masked(void)
{
    rt_ubase_t cpsr;

    __asm__ volatile ("mrs %0, cpsr" : "=r" (cpsr) : : "memory");

    return (cpsr & 0x80) != 0; /* CPSR.I */
}

#elif defined(__riscv) && defined(ARCH_RISCV_M_MODE)

static int are_interrupts_masked(void)
{
    rt_ubase_t mstatus;

    __asm__ volatile ("csrr %0, mstatus" : "=r" (mstatus) : : "memory");

    return (mstatus & 0x8) == 0; /* mstatus.MIE */
}

#elif defined(__riscv)

static int are_interrupts_masked(void)
{
    rt_ubase_t sstatus;

    __asm__ volatile ("csrr %0, sstatus" : "=r" (sstatus) : : "memory");

    return (sstatus & 0x2) == 0; /* sstatus.SIE */
}

#else

/* The tests on a computer: their kernel has an rt_hw_interrupt_is_disabled() of its own. */
static int are_interrupts_masked(void)
{
    return rt_hw_interrupt_is_disabled() != 0;
}

#endif

/*
 * Returns whether any core has a thread. The boot code of the first core runs alone, before the first thread. Another
 * core boots while threads already run, and has no thread until its own scheduler starts. Without SMP there is no other
 * core.
 */
static int any_core_has_a_thread(void)
{
#ifdef RT_USING_SMP
    int cpu;

    for (cpu = 0; cpu < RT_CPUS_NR; cpu++)
    {
        if (rt_cpu_index(cpu)->current_thread)
        {
            return 1;
        }
    }
#endif

    return 0;
}

int rt_dma_port_is_atomic(void)
{
    if (rt_interrupt_get_nest())
    {
        return 1;
    }

    /*
     * Boot code that runs alone may use the heap and the page tables, which take no mutex without a thread. While
     * threads run, such code would change them while a thread holds their mutex.
     */
    if (!rt_thread_self())
    {
        return any_core_has_a_thread();
    }

    return rt_critical_level() || are_interrupts_masked();
}

/* On aarch64 the library masks interrupts by itself, and calls neither of these two. */
RT_DMA_PORT_OWN_SECTION(irq_save) uintptr_t rt_dma_port_irq_save(void)
{
    return (uintptr_t)rt_hw_local_irq_disable();
}

RT_DMA_PORT_OWN_SECTION(irq_restore) void rt_dma_port_irq_restore(uintptr_t saved)
{
    rt_hw_local_irq_enable((rt_base_t)saved);
}

uintptr_t rt_dma_port_critical_enter(void)
{
    return (uintptr_t)rt_hw_interrupt_disable();
}

void rt_dma_port_critical_exit(uintptr_t saved)
{
    rt_hw_interrupt_enable((rt_base_t)saved);
}

void rt_dma_port_pause(void)
{
    /* Boot code has no thread that could sleep. */
    if (rt_thread_self())
    {
        /* One tick: a tick takes 1 ms or more (RT_TICK_PER_SECOND is 1,000 at most). */
        rt_thread_mdelay(1);
    }
}
