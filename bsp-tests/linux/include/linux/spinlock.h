/* SPDX-License-Identifier: Apache-2.0 */
/* Locks: RT-Thread's spin locks, and locks of threads, which only one thread of the tests takes. */
#ifndef LEAST_SPINLOCK_H
#define LEAST_SPINLOCK_H

#include <linux/kernel.h>

typedef struct
{
    struct rt_spinlock lock;
    /* The interrupt mask before spin_lock_irq(). */
    rt_base_t level;
} spinlock_t;
typedef spinlock_t raw_spinlock_t;

#define DEFINE_SPINLOCK(name)   spinlock_t name
#define spin_lock_init(l)       rt_spin_lock_init(&(l)->lock)
#define spin_lock(l)            rt_spin_lock(&(l)->lock)
#define spin_unlock(l)          rt_spin_unlock(&(l)->lock)
#define spin_lock_irqsave(l, flags) do { (flags) = (unsigned long)rt_spin_lock_irqsave(&(l)->lock); } while (0)
#define spin_unlock_irqrestore(l, flags) rt_spin_unlock_irqrestore(&(l)->lock, (rt_base_t)(flags))
#define spin_lock_irq(l)        do { rt_base_t irq_level = rt_spin_lock_irqsave(&(l)->lock); (l)->level = irq_level; } while (0)
#define spin_unlock_irq(l)      rt_spin_unlock_irqrestore(&(l)->lock, (l)->level)
#define spin_lock_bh(l)         do { local_bh_disable(); spin_lock(l); } while (0)
#define spin_unlock_bh(l)       do { spin_unlock(l); local_bh_enable(); } while (0)
#define spin_trylock_irqsave(l, flags) ({ spin_lock_irqsave(l, flags); 1; })
#define assert_spin_locked(l)   ((void)(l))
#define lockdep_assert_held(l)  ((void)(l))
#define raw_spin_lock_init      spin_lock_init

#define local_irq_save(flags)   do { (flags) = (unsigned long)rt_hw_local_irq_disable(); } while (0)
#define local_irq_restore(flags) rt_hw_local_irq_enable((rt_base_t)(flags))
void local_bh_disable(void);
void local_bh_enable(void);
#define preempt_disable()       ((void)0)
#define preempt_enable()        ((void)0)
#define in_interrupt()          (rt_interrupt_get_nest() != 0)
#define in_irq()                in_interrupt()
#define irqs_disabled()         0
#define rcu_read_lock()         ((void)0)
#define rcu_read_unlock()       ((void)0)
#define synchronize_rcu()       ((void)0)
#define rcu_dereference(p)      (p)

/* One thread takes mutexes: one that is held already would never be free. */
struct mutex
{
    int held;
};

#define DEFINE_MUTEX(name)      struct mutex name
#define mutex_init(m)           ((m)->held = 0)
#define mutex_lock_interruptible(m) ({ mutex_lock(m); 0; })
#define mutex_destroy(m)        ((void)(m))
#define mutex_lock(m)           do { BUG_ON((m)->held); (m)->held = 1; } while (0)
#define mutex_unlock(m)         do { BUG_ON(!(m)->held); (m)->held = 0; } while (0)
#define mutex_trylock(m)        ((m)->held ? 0 : ((m)->held = 1))
#define mutex_is_locked(m)      ((m)->held)

struct rw_semaphore
{
    int readers;
};
#define init_rwsem(s)           ((s)->readers = 0)
#define down_read(s)            ((s)->readers++)
#define up_read(s)              ((s)->readers--)
#define down_write(s)           BUG_ON((s)->readers)
#define up_write(s)             ((void)(s))

#endif
