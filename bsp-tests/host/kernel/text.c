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

int rt_kprintf(const char *fmt, ...)
{
    va_list args;
    int length;

    host_need_thread(__func__);
    va_start(args, fmt);
    length = vsnprintf(last_text, sizeof(last_text), fmt, args);
    va_end(args);
    fputs(last_text, stdout);
    through_console();
    if (strlen(all_text) + strlen(last_text) < sizeof(all_text))
    {
        strcat(all_text, last_text);
    }
    return length;
}

void rt_kputs(const char *str)
{
    host_need_thread(__func__);
    fputs(str, stdout);
    through_console();
}
