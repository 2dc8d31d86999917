/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's spin lock, which the baselines take as dma_pool.c and drivers do. It has exactly the steps of
 * RT-Thread's SMP kernel (5.2.2, src/cpu_mp.c, src/scheduler_mp.c): mask interrupts; lock the scheduler, which masks
 * interrupts again, finds this core's thread and counts; and draw a ticket. Each step is a separate function, as in
 * that kernel.
 */
#include <rtthread.h>

#define STEP __attribute__((noipa))

struct thread
{
    long critical;
};

struct core
{
    struct thread *current;
};

static struct thread self;
static struct core cores[2] = { { &self }, { &self } };

STEP static int core_number(void)
{
    return 0;
}

STEP static struct core *this_core(void)
{
    return &cores[core_number()];
}

STEP static void lock_scheduler(void)
{
    rt_base_t level = rt_hw_local_irq_disable();
    struct thread *current = this_core()->current;

    if (current)
    {
        ++current->critical;
    }
    rt_hw_local_irq_enable(level);
}

STEP static void unlock_scheduler(void)
{
    rt_base_t level = rt_hw_local_irq_disable();
    struct thread *current = this_core()->current;

    if (current)
    {
        --current->critical;
    }
    rt_hw_local_irq_enable(level);
}

STEP static void draw_ticket(struct rt_spinlock *lock)
{
    unsigned short ticket = __atomic_fetch_add(&lock->lock.tickets.next, 1, __ATOMIC_ACQUIRE);

    while (__atomic_load_n(&lock->lock.tickets.owner, __ATOMIC_ACQUIRE) != ticket)
    {
    }
}

STEP static void call_next(struct rt_spinlock *lock)
{
    __atomic_store_n(&lock->lock.tickets.owner, lock->lock.tickets.owner + 1, __ATOMIC_RELEASE);
}

rt_base_t rt_spin_lock_irqsave(struct rt_spinlock *lock)
{
    rt_base_t level = rt_hw_local_irq_disable();

    lock_scheduler();
    draw_ticket(lock);
    return level;
}

void rt_spin_unlock_irqrestore(struct rt_spinlock *lock, rt_base_t level)
{
    call_next(lock);
    unlock_scheduler();
    rt_hw_local_irq_enable(level);
}
