/* SPDX-License-Identifier: Apache-2.0 */
/* The calling contexts of the stand-in kernel: each thread of the host stands for a core, and for the interrupts of this core. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rtdevice.h>
#include "parts.h"

static __thread int in_interrupt, masked, in_boot; /* each thread stands for a core */
/* Whether the other cores run threads. */
static int others_run = 1;
int host_in_console;

void host_need_thread(const char *service)
{
    if (in_interrupt || masked || (in_boot && others_run))
    {
        fprintf(stderr, "%s is called where sleeping is not allowed\n", service);
        abort();
    }
}

void host_enter_interrupt(void)
{
    in_interrupt = 1;
}

void host_leave_interrupt(void)
{
    in_interrupt = 0;
}

void host_enter_boot_of_first_core(void)
{
    in_boot = 1;
    others_run = 0;
}

void host_enter_boot_of_further_core(void)
{
    in_boot = 1;
    others_run = 1;
}

void host_leave_boot(void)
{
    in_boot = 0;
    others_run = 1;
}

rt_base_t rt_hw_local_irq_disable(void)
{
    return masked++;
}

void rt_hw_local_irq_enable(rt_base_t level)
{
    masked = (int)level;
}

/* The lock of all cores. A core that holds it may take it again. */
static pthread_mutex_t cpus = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

rt_base_t rt_cpus_lock(void)
{
    pthread_mutex_lock(&cpus);
    return masked++;
}

void rt_cpus_unlock(rt_base_t level)
{
    masked = (int)level;
    pthread_mutex_unlock(&cpus);
}

/*
 * The stand-in's own lock. It is no pthread mutex, because ThreadSanitizer knows these: it would take the mutex for an order between the
 * cores, and would not report an order that the library lacks.
 */
static char own;

void host_lock(void)
{
    while (__atomic_test_and_set(&own, __ATOMIC_ACQUIRE))
    {
        sched_yield();
    }
}

void host_unlock(void)
{
    __atomic_clear(&own, __ATOMIC_RELEASE);
}

rt_bool_t rt_hw_interrupt_is_disabled(void)
{
    return masked != 0;
}

rt_uint8_t rt_interrupt_get_nest(void)
{
    return (rt_uint8_t)in_interrupt;
}

rt_thread_t rt_thread_self(void)
{
    static __thread struct rt_thread thread;

    if (in_boot)
    {
        return RT_NULL;
    }

    /* The part of the stack that a test uses. It is not the stand-in's memory, so for rt_kmem_v2p() it is not mapped. */
    thread.stack_size = 64 << 10;
    thread.stack_addr = (char *)__builtin_frame_address(0) - thread.stack_size / 2;
    return &thread;
}

/* The caller is on the first core. The thread of the other one is never looked into. */
struct rt_cpu *rt_cpu_index(int index)
{
    static __thread struct rt_cpu cpu;
    static struct rt_thread other;

    cpu.current_thread = index == 0 ? rt_thread_self() : others_run ? &other : RT_NULL;

    return &cpu;
}

rt_tick_t rt_tick_get(void)
{
    static rt_tick_t ticks;

    return __atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
}

rt_uint16_t rt_critical_level(void)
{
    return 0;
}

rt_err_t rt_thread_mdelay(rt_int32_t ms)
{
    static int waits;

    RT_UNUSED(ms);
    sched_yield();
    waits = host_in_console ? waits + 1 : 0;
    if (waits > 1000)
    {
        printf("FAIL the console's driver waits for what the thread that writes the line holds\n");
        exit(1);
    }
    return RT_EOK;
}
