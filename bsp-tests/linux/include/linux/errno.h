/* SPDX-License-Identifier: Apache-2.0 */
/* Error numbers of POSIX, with Linux's values. */
#ifndef LEAST_ERRNO_H
#define LEAST_ERRNO_H

#define EPERM           1
#define ENOENT          2
#define EINTR           4
#define EIO             5
#define ENXIO           6
#define E2BIG           7
#define EAGAIN          11
#define EWOULDBLOCK     EAGAIN
#define ENOMEM          12
#define EACCES          13
#define EFAULT          14
#define EBUSY           16
#define EEXIST          17
#define EXDEV           18
#define ENODEV          19
#define EINVAL          22
#define ENOTTY          25
#define EFBIG           27
#define ENOSPC          28
#define EPIPE           32
#define EDOM            33
#define ERANGE          34
#define EDEADLK         35
#define ENOSYS          38
#define ENODATA         61
#define ETIME           62
#define ENOSR           63
#define ENOLINK         67
#define ECOMM           70
#define EPROTO          71
#define EBADMSG         74
#define EOVERFLOW       75
#define EILSEQ          84
#define EMSGSIZE        90
#define EPROTONOSUPPORT 93
#define EOPNOTSUPP      95
#define EAFNOSUPPORT    97
#define EADDRNOTAVAIL   99
#define ENETDOWN        100
#define ECONNRESET      104
#define ENOBUFS         105
#define ESHUTDOWN       108
#define ETIMEDOUT       110
#define EHOSTUNREACH    113
#define EALREADY        114
#define EINPROGRESS     115
#define EREMOTEIO       121
#define ECANCELED       125
#define ENOTSUPP        524
#define EPROBE_DEFER    517
#define ENOIOCTLCMD     515

#define MAX_ERRNO       4095
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long error)
{
    return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
    return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
    return IS_ERR_VALUE(ptr);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
    return !ptr || IS_ERR_VALUE(ptr);
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
    return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

#endif
