/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic counters and memory barriers. */
#ifndef LEAST_ATOMIC_H
#define LEAST_ATOMIC_H

#include <linux/types.h>

#define ATOMIC_INIT(value)      { (value) }
#define atomic_read(a)          __atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic_set(a, value)    __atomic_store_n(&(a)->counter, (value), __ATOMIC_RELAXED)
#define atomic_add_return(n, a) __atomic_add_fetch(&(a)->counter, (n), __ATOMIC_SEQ_CST)
#define atomic_sub_return(n, a) __atomic_sub_fetch(&(a)->counter, (n), __ATOMIC_SEQ_CST)
#define atomic_inc_return(a)    atomic_add_return(1, a)
#define atomic_dec_return(a)    atomic_sub_return(1, a)
#define atomic_add(n, a)        ((void)atomic_add_return(n, a))
#define atomic_sub(n, a)        ((void)atomic_sub_return(n, a))
#define atomic_inc(a)           ((void)atomic_inc_return(a))
#define atomic_dec(a)           ((void)atomic_dec_return(a))
#define atomic_dec_and_test(a)  (atomic_dec_return(a) == 0)
#define cmpxchg(p, old, new)    __sync_val_compare_and_swap(p, old, new)
#define xchg(p, value)          __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)

/* Devices are observers, too: the barriers are those of the whole system. */
#define mb()                    rt_hw_dsb()
#define rmb()                   rt_hw_dsb()
#define wmb()                   rt_hw_dsb()
#define dma_rmb()               rt_hw_dmb()
#define dma_wmb()               rt_hw_dmb()
#define smp_mb()                rt_hw_dmb()
#define smp_rmb()               rt_hw_dmb()
#define smp_wmb()               rt_hw_dmb()
#define smp_mb__before_atomic() rt_hw_dmb()
#define smp_mb__after_atomic()  rt_hw_dmb()
#define smp_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define cpu_relax()             barrier()

#endif
