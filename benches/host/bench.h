/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of this folder share: the two baselines, their lock, and how instructions are counted. */
#ifndef BENCH_H__
#define BENCH_H__

#include <stdio.h>
#include <stdlib.h>

#include <rtdevice.h>
#include <valgrind/callgrind.h>

/* Stops with a message unless `condition` holds. */
#define MUST(condition)                                                                 \
    do                                                                                  \
    {                                                                                   \
        if (!(condition))                                                               \
        {                                                                               \
            fprintf(stderr, "%s, line %d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Counts the instructions of `work`; callgrind writes them down under `name`. */
#define COUNT(name, work)                       \
    do                                          \
    {                                           \
        CALLGRIND_START_INSTRUMENTATION;        \
        CALLGRIND_ZERO_STATS;                   \
        work;                                   \
        CALLGRIND_DUMP_STATS_AT(name);          \
        CALLGRIND_STOP_INSTRUMENTATION;         \
    } while (0)

/* Masks interrupts by the service that the library calls too, and spins; none of it is a function call of its own. */
struct bench_lock
{
    volatile int taken;
};

static inline rt_base_t bench_lock(struct bench_lock *lock)
{
    rt_base_t level = rt_hw_local_irq_disable();

    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
    {
    }
    return level;
}

static inline void bench_unlock(struct bench_lock *lock, rt_base_t level)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
    rt_hw_local_irq_enable(level);
}

/* xorshift32: the same numbers in every run. */
static inline rt_uint32_t bench_random(void)
{
    static rt_uint32_t state = 2463534242U;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* bit_by_bit.c */
struct rt_dma_pool *bit_by_bit_install(rt_region_t *region);
void *bit_by_bit_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void bit_by_bit_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);

/* in_band.c */
struct in_band_pool;
struct in_band_pool *in_band_create(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_size_t boundary);
void *in_band_alloc(struct in_band_pool *pool, rt_ubase_t *dma_handle);
void in_band_free(struct in_band_pool *pool, void *block, rt_ubase_t dma_handle);
void in_band_destroy(struct in_band_pool *pool);

#endif
