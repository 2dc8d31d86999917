/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a FAIL line, and checksums: checks.h describes the functions. */
#include <rtthread.h>

#include "checks.h"

const char *why(const char *fmt, ...)
{
    static char text[160];
    va_list args;

    va_start(args, fmt);
    rt_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return text;
}

rt_uint32_t checksum_add(rt_uint32_t sum, rt_uint8_t byte)
{
    return (sum ^ byte) * 16777619U;
}

rt_uint32_t checksum(const void *data, rt_size_t size)
{
    rt_uint32_t sum = CHECKSUM_START;

    for (rt_size_t i = 0; i < size; ++i)
    {
        sum = checksum_add(sum, ((const volatile rt_uint8_t *)data)[i]);
    }
    return sum;
}
