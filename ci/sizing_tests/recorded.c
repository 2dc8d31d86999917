/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * A driver whose calls bsp-tests/record_trace.c prints. Its fourth allocation fails, and is no part of the trace.
 */

#include <rtthread.h>
#include <drivers/dma.h>
int main(void)
{
    void *first = rt_dma_alloc(0, 4096, 0, 0), *second = rt_dma_alloc(0, 5000, 0, 0);
    rt_dma_free(0, 4096, first, 0, 0);
    rt_dma_alloc(0, 100, 0, 0);
    rt_dma_alloc(0, 4096, 0, 0);
    rt_dma_free(0, 5000, second, 0, 0);
    return 0;
}
