/* SPDX-License-Identifier: Apache-2.0 */
#ifndef THREADS_H__
#define THREADS_H__

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define CORES 4

/* Runs work(core) on every core, each a thread of the host. All begin at the same time. */
void on_every_core(void (*work)(int core));

/* A buffer or a block, and the handle at which a device reaches it. */
struct memory
{
    char *at;
    rt_ubase_t handle;
};

/* Gives memory to another core, and returns memory that another core gave, or a null address. */
struct memory exchange(int core, struct memory memory);

/* Returns the address of kernel memory that is mapped linearly and lies in no pool, 256 KiB for each core. */
char *kernel_memory(int core);

void buffers(void);
void blocks(void);
void mappings(void);
void first_calls(void);
void pools(void);
void borrowers(void);
void managed(void);
void wrong_calls(void);

#endif
