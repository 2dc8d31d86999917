/* SPDX-License-Identifier: Apache-2.0 */
/* Text: lines wait for a thread that holds no lock. */
#include <linux/least.h>

#define LINE    256
#define LINES   32

unsigned int least_warnings;

static char waiting[LINES][LINE];
static unsigned int first, count;
static spinlock_t lines_lock;

void least_flush_lines(void)
{
    char line[LINE];

    while (count)
    {
        unsigned long flags;

        spin_lock_irqsave(&lines_lock, flags);
        memcpy(line, waiting[first], LINE);
        first = (first + 1) % LINES;
        count--;
        spin_unlock_irqrestore(&lines_lock, flags);
        rt_kprintf("%s", line);
    }
}

/* Every line waits: also a thread may hold a lock. */
static void keep(const char *line)
{
    unsigned long flags;

    spin_lock_irqsave(&lines_lock, flags);
    if (count < LINES)
    {
        memcpy(waiting[(first + count++) % LINES], line, strlen(line) + 1);
    }
    spin_unlock_irqrestore(&lines_lock, flags);
}

int printk(const char *fmt, ...)
{
    char line[LINE];
    va_list args;
    int length;

    va_start(args, fmt);
    length = rt_vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    keep(line);
    return length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = rt_vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = rt_vsnprintf(buf, size, fmt, args);
    va_end(args);
    return size && length >= (int)size ? (int)size - 1 : length;
}

int sprintf(char *buf, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = rt_vsnprintf(buf, LINE, fmt, args);
    va_end(args);
    return length;
}

void least_warn(const char *what, const char *file, int line)
{
    least_warnings++;
    printk("WARNING: %s at %s:%d\n", what, file, line);
}

void least_bug(const char *what, const char *file, int line)
{
    rt_assert_handler(what, file, (rt_size_t)line);
    for (;;)
    {
    }
}
