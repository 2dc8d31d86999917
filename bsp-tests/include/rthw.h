/* SPDX-License-Identifier: Apache-2.0 */
/* The processor's side of RT-Thread's interface: registers, caches, interrupt masks, raw spinlocks. */
#ifndef RT_HW_H__
#define RT_HW_H__

#include <rtdef.h>
#ifdef RT_USING_CACHE
#include <cpuport.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HWREG8(x)   (*((volatile rt_uint8_t *)(x)))
#define HWREG16(x)  (*((volatile rt_uint16_t *)(x)))
#define HWREG32(x)  (*((volatile rt_uint32_t *)(x)))
#define HWREG64(x)  (*((volatile rt_uint64_t *)(x)))

#ifndef RT_CPU_CACHE_LINE_SZ
#define RT_CPU_CACHE_LINE_SZ 32
#endif

enum RT_HW_CACHE_OPS
{
    RT_HW_CACHE_FLUSH       = 0x01, /* clean and invalidate */
    RT_HW_CACHE_INVALIDATE  = 0x02,
};

#ifdef RT_USING_CACHE
void rt_hw_cpu_dcache_ops(int ops, void *addr, int size);
#else
#define rt_hw_cpu_dcache_ops(...)
#define rt_hw_dmb()
#define rt_hw_dsb()
#define rt_hw_isb()
#endif

#ifdef RT_USING_SMP
/* This core's interrupt mask. */
rt_base_t rt_hw_local_irq_disable(void);
void rt_hw_local_irq_enable(rt_base_t level);

/* The lock of all cores: masks interrupts too, nests, must not be held while sleeping. */
rt_base_t rt_cpus_lock(void);
void rt_cpus_unlock(rt_base_t level);
#define rt_hw_interrupt_disable rt_cpus_lock
#define rt_hw_interrupt_enable  rt_cpus_unlock

void rt_hw_spin_lock_init(rt_hw_spinlock_t *lock);
void rt_hw_spin_lock(rt_hw_spinlock_t *lock);
void rt_hw_spin_unlock(rt_hw_spinlock_t *lock);
#else
rt_base_t rt_hw_interrupt_disable(void);
void rt_hw_interrupt_enable(rt_base_t level);
#define rt_hw_local_irq_disable rt_hw_interrupt_disable
#define rt_hw_local_irq_enable  rt_hw_interrupt_enable
#define rt_hw_spin_lock(lock)   (*(lock) = rt_hw_interrupt_disable())
#define rt_hw_spin_unlock(lock) rt_hw_interrupt_enable(*(lock))
#endif
/* Interrupts of devices, by the number that the interrupt controller gives them. The stand-in has them on Arm only. */
typedef void (*rt_isr_handler_t)(int vector, void *param);
rt_isr_handler_t rt_hw_interrupt_install(int vector, rt_isr_handler_t handler, void *param, const char *name);
void rt_hw_interrupt_mask(int vector);
void rt_hw_interrupt_umask(int vector);
rt_bool_t rt_hw_interrupt_is_disabled(void);
int rt_hw_cpu_id(void);
void rt_hw_us_delay(rt_uint32_t us);

#ifdef __cplusplus
}
#endif
#endif
