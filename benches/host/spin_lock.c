/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's spin lock, which the baselines take: less than RT-Thread's own does, which also gives out tickets and locks
 * the scheduler. In a file of its own, as there: a call of it is a call.
 */
#include <rtthread.h>

rt_base_t rt_spin_lock_irqsave(struct rt_spinlock *lock)
{
    rt_base_t level = rt_hw_local_irq_disable();

    while (__atomic_exchange_n(&lock->lock.slock, 1, __ATOMIC_ACQUIRE))
    {
    }
    return level;
}

void rt_spin_unlock_irqrestore(struct rt_spinlock *lock, rt_base_t level)
{
    __atomic_store_n(&lock->lock.slock, 0, __ATOMIC_RELEASE);
    rt_hw_local_irq_enable(level);
}
