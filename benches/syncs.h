/* SPDX-License-Identifier: Apache-2.0 */
/* The part of dma_bench that is in syncs.c. */
#ifndef SYNCS_H__
#define SYNCS_H__

#include <rtdef.h>

/* Prints the lines "sync NAME OURS REFERENCE". What counting costs is left out of every count. */
void bench_syncs(rt_uint64_t cost_of_counting);

#endif
