/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * A driver whose calls bsp-tests/record_trace.c prints. Its fourth allocation fails, and is no part of the trace.
 */

#include <rtthread.h>
#include <drivers/dma.h>
#ifdef WITH_RT_DMA_H
void *rt_dma_zalloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *handle, rt_ubase_t flags);
void *rt_dma_alloc_wc(struct rt_device *dev, rt_size_t size, rt_ubase_t *handle);
#else
#define rt_dma_zalloc rt_dma_alloc
#define rt_dma_alloc_wc(dev, size, handle) rt_dma_alloc(dev, size, handle, 0)
#endif
int main(void)
{
    void *first = rt_dma_zalloc(0, 4096, 0, 0), *second = rt_dma_alloc_wc(0, 5000, 0);
    rt_dma_free(0, 4096, first, 0, 0);
    rt_dma_alloc(0, 100, 0, 0);
    rt_dma_alloc(0, 4096, 0, 0);
    rt_dma_free(0, 5000, second, 0, 0);
    return 0;
}
