/* SPDX-License-Identifier: Apache-2.0 */
/* Basic types. RT-Thread's headers come first, before any macro of the least of Linux is defined. */
#ifndef LEAST_TYPES_H
#define LEAST_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <ioremap.h>
#include <mm_aspace.h>
#include <stand_in.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16, __le16, __be16, __sum16;
typedef uint32_t u32, __u32, __le32, __be32, __wsum;
typedef unsigned long long u64, __u64, __le64, __be64;
typedef int8_t s8, __s8;
typedef int16_t s16, __s16;
typedef int32_t s32, __s32;
typedef long long s64, __s64;

typedef unsigned int uint;
typedef unsigned char unchar;
typedef unsigned short ushort;
typedef unsigned long ulong;
typedef long ssize_t;
typedef long long loff_t;
typedef u64 sector_t, blkcnt_t;
typedef unsigned short umode_t;
#define RT_DMA_LINUX_HAS_PHYS_ADDR_T
typedef u64 resource_size_t, phys_addr_t;
typedef s64 ktime_t;
typedef unsigned int fmode_t, __poll_t, pgoff_t;
typedef int pid_t;

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

struct list_head
{
    struct list_head *next, *prev;
};

struct hlist_node
{
    struct hlist_node *next, **pprev;
};

struct hlist_head
{
    struct hlist_node *first;
};

struct rcu_head
{
    void *unused;
};

#define DECLARE_BITMAP(name, bits) unsigned long name[((bits) + 63) / 64]

/* A device is one of RT-Thread's, for the library's sake, and what drivers expect of Linux's. Allocations have these flags. */
#define RT_DMA_LINUX_HAS_GFP_T
typedef unsigned int gfp_t;
#define GFP_KERNEL      0x00u
#define GFP_ATOMIC      0x01u
#define GFP_NOWAIT      0x02u
#define GFP_NOIO        0x04u
#define GFP_DMA         0x08u
#define GFP_DMA32       0x10u
#define __GFP_ZERO      0x20u
#define __GFP_NOWARN    0x40u

#endif
