/* SPDX-License-Identifier: Apache-2.0 */
/* The part of dma_bench that is in stretches.c. */
#ifndef STRETCHES_H__
#define STRETCHES_H__

#include <rtthread.h>

/* The longest time with interrupts masked, in instructions: see context.rs. Zero if the kernel does not measure it. */
extern volatile rt_uint64_t stand_in_longest_stretch;

/* Measures the longest stretches, and prints them. The cycle counter is on. */
void bench_stretches(void);

#endif
