/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the programs of this folder: the counting of instructions, and pseudo-random numbers. */
#ifndef BENCH_H__
#define BENCH_H__

#include <stdio.h>
#include <stdlib.h>

#include <rtdevice.h>
#include <valgrind/callgrind.h>

#include "baselines.h"

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

/* xorshift32: the same numbers in every run. */
static inline rt_uint32_t bench_random(void)
{
    static rt_uint32_t state = 2463534242U;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

#endif
