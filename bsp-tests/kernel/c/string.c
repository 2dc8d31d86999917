/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and memory under RT-Thread's names, and the names of its errors. */
#include <rtthread.h>

rt_size_t rt_strlen(const char *s)
{
    rt_size_t length = 0;

    while (s[length])
    {
        ++length;
    }
    return length;
}

rt_int32_t rt_strncmp(const char *a, const char *b, rt_size_t n)
{
    for (; n; ++a, ++b, --n)
    {
        if (*a != *b || !*a)
        {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

rt_int32_t rt_strcmp(const char *a, const char *b)
{
    return rt_strncmp(a, b, (rt_size_t)-1);
}

rt_int32_t rt_memcmp(const void *a, const void *b, rt_size_t n)
{
    return __builtin_memcmp(a, b, n);
}

void *rt_memset(void *s, int c, rt_ubase_t n)
{
    return __builtin_memset(s, c, n);
}

void *rt_memcpy(void *dst, const void *src, rt_ubase_t n)
{
    return __builtin_memcpy(dst, src, n);
}

const char *rt_strerror(rt_err_t error)
{
    switch (error < 0 ? -error : error)
    {
    case RT_EOK: return "OK";
    case RT_EEMPTY: return "EEMPTY";
    case RT_ENOMEM: return "ENOMEM";
    case RT_ENOSYS: return "ENOSYS";
    case RT_EBUSY: return "EBUSY";
    case RT_EIO: return "EIO";
    case RT_EINVAL: return "EINVAL";
    default: return "ERROR";
    }
}
