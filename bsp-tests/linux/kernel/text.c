/* SPDX-License-Identifier: Apache-2.0 */
/* Text: Linux's formats become RT-Thread's, and lines from interrupts wait for a thread. */
#include <linux/least.h>

#define LINE    256
#define LINES   32

unsigned int least_warnings;

static char waiting[LINES][LINE];
static unsigned int first, count;
static spinlock_t lines_lock;

/* RT-Thread's printf knows l, and neither h nor L. */
static void translate(char *out, size_t size, const char *fmt)
{
    bool directive = false;
    size_t i = 0;

    for (; *fmt && i + 3 < size; fmt++)
    {
        if (directive && *fmt == 'h')
        {
            continue;
        }
        if (directive && *fmt == 'L')
        {
            out[i++] = 'l';
            out[i++] = 'l';
            continue;
        }
        if (*fmt == '%')
        {
            directive = !directive;
        }
        else if (directive && !((*fmt >= '0' && *fmt <= '9') || *fmt == '-' || *fmt == '#' || *fmt == '.'
                || *fmt == '*' || *fmt == 'l' || *fmt == 'z' || *fmt == '+' || *fmt == ' '))
        {
            directive = false;
        }
        if (*fmt != '+' || !directive)
        {
            out[i++] = *fmt;
        }
    }
    out[i] = '\0';
}

static int format(char *buf, size_t size, const char *fmt, va_list args)
{
    char translated[LINE];

    translate(translated, sizeof(translated), fmt);
    return rt_vsnprintf(buf, size, translated, args);
}

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
    length = format(line, sizeof(line), fmt, args);
    va_end(args);
    keep(line);
    return length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = format(buf, size, fmt, args);
    va_end(args);
    return length;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = format(buf, size, fmt, args);
    va_end(args);
    return size && length >= (int)size ? (int)size - 1 : length;
}

int sprintf(char *buf, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = format(buf, LINE, fmt, args);
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
