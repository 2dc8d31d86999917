/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, and the console of the stand-in kernel. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rtdevice.h>
#include "parts.h"

void rt_assert_handler(const char *ex, const char *func, rt_size_t line)
{
    fprintf(stderr, "assertion failed at function %s, line %lu: %s\n", func, line, ex);
    abort();
}

rt_int32_t rt_strcmp(const char *a, const char *b)
{
    return strcmp(a, b);
}

int rt_snprintf(char *buf, rt_size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}

static char last_text[512], all_text[8192];
static void (*console)(void);

void host_set_console(void (*driver)(void))
{
    console = driver;
}

static void through_console(void)
{
    if (console && !host_in_console)
    {
        host_in_console = 1;
        console();
        host_in_console = 0;
    }
}

void host_forget_text(void)
{
    all_text[0] = 0;
}

const char *host_text(void)
{
    return all_text;
}

const char *host_last_text(void)
{
    return last_text;
}

/* Copies a text, without the host's library: ThreadSanitizer observes its accesses, and does not know host_lock(). */
static void copy(char *to, const char *from)
{
    while ((*to++ = *from++))
    {
    }
}

int rt_kprintf(const char *fmt, ...)
{
    char text[sizeof(last_text)], *end = all_text;
    va_list args;
    int length;

    host_need_thread(__func__);
    va_start(args, fmt);
    length = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fputs(text, stdout);
    host_lock();
    copy(last_text, text);
    while (*end)
    {
        end++;
    }
    if (strlen(text) < (size_t)(all_text + sizeof(all_text) - end))
    {
        copy(end, text);
    }
    host_unlock();
    through_console();
    return length;
}

void rt_kputs(const char *str)
{
    host_need_thread(__func__);
    fputs(str, stdout);
    through_console();
}
