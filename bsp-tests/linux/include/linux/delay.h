/* SPDX-License-Identifier: Apache-2.0 */
/* Time, timers, work for threads, and waiting. A millisecond is a jiffy and a tick. */
#ifndef LEAST_DELAY_H
#define LEAST_DELAY_H

#include <linux/kernel.h>
#include <linux/spinlock.h>

/*
 * One thread does all that Linux's threads do: while it waits it runs the work that was queued. Timers run as soft
 * interrupts: after an interrupt, with interrupts on.
 */
void least_run(void);

#define jiffies                 ((unsigned long)rt_tick_get())
#define time_after(a, b)        ((long)((b) - (a)) < 0)
#define time_before(a, b)       time_after(b, a)
#define time_after_eq(a, b)     ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b)    time_after_eq(b, a)
#define time_is_before_jiffies(a) time_after(jiffies, a)
#define msecs_to_jiffies(ms)    ((unsigned long)(ms))
#define usecs_to_jiffies(us)    ((unsigned long)(us) / 1000 + 1)
#define jiffies_to_msecs(j)     ((unsigned int)(j))
#define round_jiffies(j)        (j)
#define round_jiffies_relative(j) (j)
#define MAX_JIFFY_OFFSET        (LONG_MAX / 2)
#define MAX_SCHEDULE_TIMEOUT    LONG_MAX

#define udelay(us)              rt_hw_us_delay((rt_uint32_t)(us))
#define ndelay(ns)              rt_hw_us_delay((rt_uint32_t)(ns) / 1000 + 1)
#define mdelay(ms)              rt_hw_us_delay((rt_uint32_t)(ms) * 1000)
void msleep(unsigned int ms);
#define usleep_range(low, high) msleep((low) / 1000 + 1)
#define fsleep(us)              msleep((us) / 1000 + 1)
#define ssleep(s)               msleep((s) * 1000)
#define msleep_interruptible(ms) ({ msleep(ms); 0UL; })
#define schedule_timeout_uninterruptible(ticks) ({ msleep((unsigned int)(ticks)); 0L; })
#define schedule_timeout_interruptible schedule_timeout_uninterruptible
#define schedule()              least_run()
#define cond_resched()          least_run()

/* ---- timers ---- */

struct timer_list
{
    struct list_head entry;     /* points to itself if the timer does not run */
    unsigned long expires;
    void (*function)(struct timer_list *timer);
};

void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *timer), unsigned int flags);
int mod_timer(struct timer_list *timer, unsigned long expires);
int timer_delete(struct timer_list *timer);
#define add_timer(timer)        ((void)mod_timer(timer, (timer)->expires))
#define timer_pending(timer)    (!list_empty(&(timer)->entry))
#define timer_delete_sync       timer_delete
#define timer_shutdown_sync     timer_delete
#define del_timer               timer_delete
#define del_timer_sync          timer_delete
#define from_timer(var, timer, member) container_of(timer, __typeof__(*(var)), member)

/* ---- high-resolution timers, with the resolution of a tick ---- */

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS, HRTIMER_MODE_REL };

struct hrtimer
{
    struct timer_list timer;
    enum hrtimer_restart (*function)(struct hrtimer *timer);
};

#define CLOCK_MONOTONIC         1
#define NSEC_PER_USEC           1000L
#define NSEC_PER_MSEC           1000000L
#define USEC_PER_MSEC           1000L
#define NSEC_PER_SEC            1000000000L
#define ktime_get()             ((ktime_t)jiffies * NSEC_PER_MSEC)
#define ktime_get_ns()          ktime_get()
#define ktime_get_real()        ktime_get()
#define ktime_set(s, ns)        ((ktime_t)(s) * NSEC_PER_SEC + (ktime_t)(ns))
#define ktime_add(a, b)         ((a) + (b))
#define ktime_add_ns(a, ns)     ((a) + (ktime_t)(ns))
#define ktime_add_us(a, us)     ((a) + (ktime_t)(us) * 1000)
#define ktime_sub(a, b)         ((a) - (b))
#define ktime_to_ns(t)          ((s64)(t))
#define ktime_to_us(t)          ((t) / 1000)
#define ktime_us_delta(a, b)    (((a) - (b)) / 1000)
#define ktime_compare(a, b)     ((a) < (b) ? -1 : (a) > (b))
#define ktime_before(a, b)      ((a) < (b))
#define ns_to_ktime(ns)         ((ktime_t)(ns))

void hrtimer_init(struct hrtimer *timer, int clock, enum hrtimer_mode mode);
void hrtimer_start(struct hrtimer *timer, ktime_t expires, enum hrtimer_mode mode);
#define hrtimer_start_range_ns(timer, expires, range, mode) hrtimer_start(timer, expires, mode)
int hrtimer_cancel(struct hrtimer *timer);

/* ---- work for threads ---- */

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct
{
    struct list_head entry;     /* points to itself if the work is not queued */
    work_func_t func;
};

struct delayed_work
{
    struct work_struct work;
    struct timer_list timer;
};

struct workqueue_struct;
#define system_wq               ((struct workqueue_struct *)NULL)
#define system_unbound_wq       system_wq
#define system_power_efficient_wq system_wq
#define INIT_WORK(w, f)         do { INIT_LIST_HEAD(&(w)->entry); (w)->func = (f); } while (0)
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool flush_work(struct work_struct *work);
#define schedule_work(work)     queue_work(system_wq, work)
#define work_pending(work)      (!list_empty(&(work)->entry))

/* ---- waiting ---- */

typedef struct
{
    int unused;
} wait_queue_head_t;

#define init_waitqueue_head(queue) ((void)(queue))
#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name
#define wake_up(queue)          ((void)(queue))
#define wake_up_all(queue)      ((void)(queue))
#define wake_up_interruptible(queue) ((void)(queue))
#define wait_event(queue, condition) do { while (!(condition)) { least_run(); } } while (0)
#define wait_event_timeout(queue, condition, ticks)                         \
    ({ unsigned long event_end = jiffies + (ticks);                         \
       while (!(condition) && time_before(jiffies, event_end)) { least_run(); } \
       (condition) ? 1L : 0L; })

struct completion
{
    volatile unsigned int done;
};

#define DECLARE_COMPLETION_ONSTACK(name) struct completion name = { 0 }
#define init_completion(c)      ((c)->done = 0)
#define reinit_completion(c)    ((c)->done = 0)
static inline void complete(struct completion *completion)
{
    __atomic_add_fetch(&completion->done, 1, __ATOMIC_SEQ_CST);
}

/* The ticks that are left, but at least 1, or 0 after the timeout. */
unsigned long wait_for_completion_timeout(struct completion *completion, unsigned long ticks);
#define wait_for_completion_io_timeout wait_for_completion_timeout
#define wait_for_completion(c)  ((void)wait_for_completion_timeout(c, MAX_JIFFY_OFFSET))

#endif
