/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The heap. */

#include "rt_dma_port_rtthread.h"

void *rt_dma_port_heap_alloc(uintptr_t size)
{
    return rt_calloc(size, 1);
}

void rt_dma_port_heap_free(void *memory)
{
    rt_free(memory);
}
