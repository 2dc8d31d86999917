/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Prints every allocation and every free in the form that bsp-tests/sizing reads (docs/sizing.md). Compile this file into
 * the image and link with -Wl,--wrap=rt_dma_alloc,--wrap=rt_dma_free, so that the calls of all drivers go through it. For
 * drivers that call the functions of rt_dma.h below, pass a --wrap for each of them, too. Managed memory (rt_dmam_alloc,
 * rt_dmam_zalloc_coherent) is not recorded, because no driver frees it one by one.
 *
 * rt_kprintf() may sleep, so use this file only if all drivers allocate and free in threads.
 */

#include <rtthread.h>
#include <drivers/dma.h>

/* A kernel with RT-Thread's dma_pool.c has only the first of these functions. */
#define IN_RT_DMA_H __attribute__((weak))

typedef void *alloc_with_flags(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
typedef void *alloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle);
typedef void *alloc_aligned(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_ubase_t *dma_handle,
        rt_ubase_t flags);
typedef void free_buffer(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);

alloc_with_flags __real_rt_dma_alloc, __wrap_rt_dma_alloc, __wrap_rt_dma_zalloc;
alloc_coherent __wrap_rt_dma_alloc_wc, __wrap_rt_dma_zalloc_coherent;
alloc_aligned __wrap_rt_dma_alloc_aligned;
free_buffer __real_rt_dma_free, __wrap_rt_dma_free;

IN_RT_DMA_H alloc_with_flags __real_rt_dma_zalloc;
IN_RT_DMA_H alloc_coherent __real_rt_dma_alloc_wc, __real_rt_dma_zalloc_coherent;
IN_RT_DMA_H alloc_aligned __real_rt_dma_alloc_aligned;

/* Prints the allocation, unless it failed. */
static void *allocated(void *cpu_addr, rt_size_t size)
{
    /* Without RT_USING_CONSOLE, rt_kprintf() is a macro that drops its arguments. */
    RT_UNUSED(size);

    if (cpu_addr)
    {
        rt_kprintf("alloc 0x%lx %lu\n", (unsigned long)cpu_addr, (unsigned long)size);
    }

    return cpu_addr;
}

void *__wrap_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return allocated(__real_rt_dma_alloc(dev, size, dma_handle, flags), size);
}

void *__wrap_rt_dma_zalloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return allocated(__real_rt_dma_zalloc(dev, size, dma_handle, flags), size);
}

void *__wrap_rt_dma_alloc_wc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return allocated(__real_rt_dma_alloc_wc(dev, size, dma_handle), size);
}

void *__wrap_rt_dma_zalloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return allocated(__real_rt_dma_zalloc_coherent(dev, size, dma_handle), size);
}

void *__wrap_rt_dma_alloc_aligned(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_ubase_t *dma_handle,
        rt_ubase_t flags)
{
    return allocated(__real_rt_dma_alloc_aligned(dev, size, align, dma_handle, flags), size);
}

void __wrap_rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle,
        rt_ubase_t flags)
{
    if (cpu_addr)
    {
        rt_kprintf("free 0x%lx\n", (unsigned long)cpu_addr);
    }

    __real_rt_dma_free(dev, size, cpu_addr, dma_handle, flags);
}
