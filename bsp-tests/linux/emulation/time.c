/* SPDX-License-Identifier: Apache-2.0 */
/* Soft interrupts: timers and polls for packets. Work for threads, and waiting. */
#include <linux/least.h>
#include "soft.h"

static LIST_HEAD(timers);
static LIST_HEAD(works);
static spinlock_t lock;
/* More than 0: a thread has soft interrupts off, or runs them. */
static int bottom_halves_off;

/* ---- soft interrupts ---- */

static void run_timers(void)
{
    struct timer_list *timer;
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
again:
    list_for_each_entry(timer, &timers, entry)
    {
        if (time_after_eq(jiffies, timer->expires))
        {
            list_del_init(&timer->entry);
            spin_unlock_irqrestore(&lock, flags);
            timer->function(timer);
            spin_lock_irqsave(&lock, flags);
            goto again;
        }
    }
    spin_unlock_irqrestore(&lock, flags);
}

static void soft_interrupts(void)
{
    run_timers();
    least_run_polls();
}

/* Runs after each interrupt. */
static void after_interrupt(void)
{
    if (!READ_ONCE(bottom_halves_off))
    {
        soft_interrupts();
    }
}

void local_bh_disable(void)
{
    bottom_halves_off++;
    barrier();
}

void local_bh_enable(void)
{
    barrier();
    if (bottom_halves_off == 1)
    {
        soft_interrupts();
    }
    bottom_halves_off--;
}

void least_soft_begin(void)
{
    spin_lock_init(&lock);
    stand_in_after_interrupt(after_interrupt);
}

void least_soft_end(void)
{
    stand_in_after_interrupt(NULL);
    BUG_ON(!list_empty(&timers) || !list_empty(&works));
}

/* Takes an entry off its list. Returns false if it is on none: it points to itself, or was never initialized. */
static bool take_off(struct list_head *entry)
{
    unsigned long flags;
    bool is_on_list;

    spin_lock_irqsave(&lock, flags);
    is_on_list = entry->next && !list_empty(entry);
    if (is_on_list)
    {
        list_del_init(entry);
    }
    spin_unlock_irqrestore(&lock, flags);
    return is_on_list;
}

/* ---- timers ---- */

void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *timer), unsigned int flags)
{
    (void)flags;
    INIT_LIST_HEAD(&timer->entry);
    timer->function = function;
}

int timer_delete(struct timer_list *timer)
{
    return take_off(&timer->entry);
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
    unsigned long flags;
    int was_pending = timer_delete(timer);

    spin_lock_irqsave(&lock, flags);
    timer->expires = expires;
    list_add_tail(&timer->entry, &timers);
    spin_unlock_irqrestore(&lock, flags);
    return was_pending;
}

static void hrtimer_expired(struct timer_list *timer)
{
    struct hrtimer *hrtimer = container_of(timer, struct hrtimer, timer);

    WARN_ON(hrtimer->function(hrtimer) != HRTIMER_NORESTART);
}

void hrtimer_init(struct hrtimer *timer, int clock, enum hrtimer_mode mode)
{
    (void)clock;
    (void)mode;
    timer_setup(&timer->timer, hrtimer_expired, 0);
}

void hrtimer_start(struct hrtimer *timer, ktime_t expires, enum hrtimer_mode mode)
{
    unsigned long ticks = (unsigned long)DIV_ROUND_UP(expires, NSEC_PER_MSEC);

    mod_timer(&timer->timer, mode == HRTIMER_MODE_ABS ? ticks : jiffies + ticks);
}

int hrtimer_cancel(struct hrtimer *timer)
{
    return timer_delete(&timer->timer);
}

/* ---- work ---- */

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
    unsigned long flags;
    bool queued;

    (void)queue;
    spin_lock_irqsave(&lock, flags);
    queued = !work_pending(work);
    if (queued)
    {
        list_add_tail(&work->entry, &works);
    }
    spin_unlock_irqrestore(&lock, flags);
    return queued;
}

bool cancel_work_sync(struct work_struct *work)
{
    return take_off(&work->entry);
}

bool flush_work(struct work_struct *work)
{
    bool queued = cancel_work_sync(work);

    if (queued)
    {
        work->func(work);
    }
    return queued;
}

void least_run(void)
{
    BUG_ON(in_interrupt());
    local_bh_disable();
    local_bh_enable();
    for (;;)
    {
        struct work_struct *work;
        unsigned long flags;

        spin_lock_irqsave(&lock, flags);
        work = list_first_entry_or_null(&works, struct work_struct, entry);
        if (work)
        {
            list_del_init(&work->entry);
        }
        spin_unlock_irqrestore(&lock, flags);
        if (!work)
        {
            break;
        }
        work->func(work);
    }
    least_flush_lines();
}

void msleep(unsigned int ms)
{
    unsigned long end = jiffies + ms + 1;

    while (time_before(jiffies, end))
    {
        least_run();
    }
}

unsigned long wait_for_completion_timeout(struct completion *completion, unsigned long ticks)
{
    unsigned long end = jiffies + ticks;

    while (!completion->done)
    {
        if (time_after_eq(jiffies, end))
        {
            return 0;
        }
        least_run();
    }
    __atomic_sub_fetch(&completion->done, 1, __ATOMIC_SEQ_CST);
    return max(end - jiffies, 1UL);
}
