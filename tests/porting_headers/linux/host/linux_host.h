/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of Linux as mm/dmapool.c and mm/dmapool_test.c of Linux need on this host. ci/linux puts a file of each name that
 * they include into a folder, and each of them includes this one.
 *
 * With LINUX_OWN_DMAPOOL, dma_pool_create() and its like are Linux's; without it they are the porting headers'.
 */
#ifndef LINUX_HOST_H
#define LINUX_HOST_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <rtdevice.h>
#include <rt_dma.h>

typedef uint64_t u64;
typedef int64_t ktime_t;

#define PAGE_SIZE           4096UL
#define ARRAY_SIZE(array)   (sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, a)         (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define min(a, b)           ((a) < (b) ? (a) : (b))
#define max(a, b)           ((a) > (b) ? (a) : (b))
#define max_t(type, a, b)  max((type)(a), (type)(b))
#define min_t(type, a, b)  min((type)(a), (type)(b))
#define clamp_t(type, x, lo, hi) min(max((type)(x), (type)(lo)), (type)(hi))
#define unlikely(x)         __builtin_expect(!!(x), 0)
#define likely(x)           __builtin_expect(!!(x), 1)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define printk              printf
#define pr_err              printf
#define dev_err(dev, ...)   printf(__VA_ARGS__)
#define WARN_ON(x)          ((x) ? abort() : (void)0)
#define EXPORT_SYMBOL(name) extern int exported_##name
#define MODULE_DESCRIPTION(text) extern int described
#define MODULE_LICENSE(text) extern int licensed
/* A module's init is called by main() under this name. */
#define module_init(function) int linux_module_init(void) { return function(); }
#define module_exit(function) void linux_module_exit(void) { function(); }
#define need_resched()      0
#define cond_resched()      ((void)0)
#define might_alloc(flags)  ((void)(flags))
#define NUMA_NO_NODE        (-1)

/* ---- devices ---- */

struct list_head
{
    struct list_head *next, *prev;
};

struct device
{
    struct rt_device rt;
    void (*release)(struct device *dev);
    u64 *dma_mask;
    struct list_head dma_pools;
};

#define LIST_HEAD(name)     struct list_head name = { &name, &name }
#define INIT_LIST_HEAD(head) ((head)->next = (head)->prev = (head))

static inline int dev_set_name(struct device *dev, const char *name)
{
    snprintf(dev->rt.parent.name, sizeof(dev->rt.parent.name), "%s", name);
    return 0;
}

static inline int device_register(struct device *dev)
{
    INIT_LIST_HEAD(&dev->dma_pools);
    return 0;
}

#define set_dma_ops(dev, ops)   ((void)(dev))
#define device_del(dev)         rt_dmam_release(&(dev)->rt)
#define put_device(dev)         ((void)(dev))

/* ---- memory and time ---- */

#define kcalloc(count, size, gfp)   calloc(count, size)
#define kfree(memory)               free(memory)

static inline ktime_t ktime_get(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

#define ktime_us_delta(later, earlier)  ((unsigned long long)((later) - (earlier)) / 1000)

/* ---- the DMA API ---- */

#ifdef LINUX_OWN_DMAPOOL
#include "linux_own_dmapool.h"
#else
#define RT_DMA_LINUX_HAS_MALLOC
#define dma_linux_malloc(size, gfp) malloc(size)
#define dma_linux_free(memory)      free(memory)
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#endif

#endif /* LINUX_HOST_H */
