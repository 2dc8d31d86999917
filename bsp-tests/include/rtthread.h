/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel services of RT-Thread's interface, as far as this repository's C code uses them. */
#ifndef RT_THREAD_H__
#define RT_THREAD_H__

#include <rtconfig.h>
#include <rtdef.h>
#include <rthw.h>
#ifdef RT_USING_FINSH
#include <finsh.h>
#else
#define MSH_CMD_EXPORT(...)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RT_ASSERT(EX)                                                   \
    do                                                                  \
    {                                                                   \
        if (!(EX))                                                      \
        {                                                               \
            rt_assert_handler(#EX, __func__, __LINE__);                 \
        }                                                               \
    } while (0)
void rt_assert_handler(const char *ex, const char *func, rt_size_t line);

/* Heap: thread context only. */
void *rt_malloc(rt_size_t size);
void *rt_calloc(rt_size_t count, rt_size_t size);
void rt_free(void *ptr);

/* Text: rt_kprintf may sleep. */
#ifdef RT_USING_CONSOLE
int rt_kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void rt_kputs(const char *str);
#else
#define rt_kprintf(...) ((void)0)
#define rt_kputs(str)   ((void)(str))
#endif
int rt_snprintf(char *buf, rt_size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int rt_vsnprintf(char *buf, rt_size_t size, const char *fmt, va_list args);
void *rt_memset(void *s, int c, rt_ubase_t n);
void *rt_memcpy(void *dst, const void *src, rt_ubase_t n);
rt_int32_t rt_memcmp(const void *a, const void *b, rt_size_t n);
rt_int32_t rt_strcmp(const char *a, const char *b);
rt_int32_t rt_strncmp(const char *a, const char *b, rt_size_t n);
rt_size_t rt_strlen(const char *s);
const char *rt_strerror(rt_err_t error);

/* What the examples use, which are compiled but not run here. */
#define RT_WAITING_FOREVER  -1
#define RT_IPC_FLAG_PRIO    1

struct rt_mutex
{
    rt_ubase_t owner;
};

rt_err_t rt_mutex_init(struct rt_mutex *mutex, const char *name, rt_uint8_t flag);
rt_err_t rt_mutex_take(struct rt_mutex *mutex, rt_int32_t time);
rt_err_t rt_mutex_release(struct rt_mutex *mutex);
rt_ssize_t rt_device_read(rt_device_t dev, rt_off_t pos, void *buffer, rt_size_t size);

/* Lists. */
#define RT_LIST_OBJECT_INIT(object) { &(object), &(object) }

rt_inline void rt_list_init(rt_list_t *l)
{
    l->next = l->prev = l;
}

rt_inline void rt_list_insert_before(rt_list_t *l, rt_list_t *n)
{
    l->prev->next = n;
    n->prev = l->prev;
    l->prev = n;
    n->next = l;
}

/* Context. */
rt_uint8_t rt_interrupt_get_nest(void);
rt_thread_t rt_thread_self(void);
rt_err_t rt_thread_mdelay(rt_int32_t ms);
rt_err_t rt_thread_yield(void);
rt_tick_t rt_tick_get(void);
rt_uint16_t rt_critical_level(void);
#ifdef RT_USING_SMP
struct rt_cpu *rt_cpu_index(int index);
#endif

/* Threads: the stand-in runs one at a time, on the second core. */
rt_thread_t rt_thread_create(const char *name, void (*entry)(void *parameter), void *parameter,
        rt_uint32_t stack_size, rt_uint8_t priority, rt_uint32_t tick);
rt_err_t rt_thread_control(rt_thread_t thread, int cmd, void *arg);
rt_err_t rt_thread_startup(rt_thread_t thread);

/* Timers. */
rt_timer_t rt_timer_create(const char *name, void (*timeout)(void *parameter), void *parameter,
        rt_tick_t time, rt_uint8_t flag);
rt_err_t rt_timer_start(rt_timer_t timer);
rt_err_t rt_timer_stop(rt_timer_t timer);
rt_err_t rt_timer_delete(rt_timer_t timer);

/* Locks. */
#ifdef RT_USING_SMP
#define RT_DEFINE_SPINLOCK(x) struct rt_spinlock x = { { 0 } }
void rt_spin_lock_init(struct rt_spinlock *lock);
void rt_spin_lock(struct rt_spinlock *lock);
void rt_spin_unlock(struct rt_spinlock *lock);
rt_base_t rt_spin_lock_irqsave(struct rt_spinlock *lock);
void rt_spin_unlock_irqrestore(struct rt_spinlock *lock, rt_base_t level);
#else
#define RT_DEFINE_SPINLOCK(x) struct rt_spinlock x
#define rt_spin_lock_init(lock)     ((void)(lock))
#define rt_spin_lock(lock)          ((void)(lock))
#define rt_spin_unlock(lock)        ((void)(lock))
rt_inline rt_base_t rt_spin_lock_irqsave(struct rt_spinlock *lock)
{
    RT_UNUSED(lock);
    return rt_hw_interrupt_disable();
}

rt_inline void rt_spin_unlock_irqrestore(struct rt_spinlock *lock, rt_base_t level)
{
    RT_UNUSED(lock);
    rt_hw_interrupt_enable(level);
}
#endif

#ifdef __cplusplus
}
#endif
#endif
