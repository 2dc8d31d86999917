/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The functions of a kernel that recorded.c and bsp-tests/record_trace.c call: three allocations succeed. With
 * WITH_RT_DMA_H it has functions of the library, too, whose calls within this file are not recorded.
 */

#include <stdio.h>
#include <stdarg.h>
#include <rtthread.h>
#include <drivers/dma.h>
static char memory[8][4096];
static int next;
int rt_kprintf(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    return 0;
}
void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *handle, rt_ubase_t flags)
{
    (void)dev; (void)size; (void)handle; (void)flags;
    return next < 3 ? memory[next++] : 0;
}
#ifdef WITH_RT_DMA_H
void *rt_dma_zalloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *handle, rt_ubase_t flags)
{
    return rt_dma_alloc(dev, size, handle, flags);
}
void *rt_dma_alloc_wc(struct rt_device *dev, rt_size_t size, rt_ubase_t *handle)
{
    return rt_dma_alloc(dev, size, handle, 0);
}
#endif
void rt_dma_free(struct rt_device *dev, rt_size_t size, void *address, rt_ubase_t handle, rt_ubase_t flags)
{
    (void)dev; (void)size; (void)address; (void)handle; (void)flags;
}
