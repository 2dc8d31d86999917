/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Prints every allocation and every free in the form that bsp-tests/sizing reads (docs/sizing.md). Compile this file into
 * the image and link with -Wl,--wrap=rt_dma_alloc,--wrap=rt_dma_free, so that the calls of all drivers go through it.
 *
 * rt_kprintf() may sleep, so use this file only if all drivers allocate and free in threads.
 */

#include <rtthread.h>
#include <drivers/dma.h>

void *__real_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void __real_rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle,
        rt_ubase_t flags);
void *__wrap_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void __wrap_rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle,
        rt_ubase_t flags);

void *__wrap_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    void *cpu_addr = __real_rt_dma_alloc(dev, size, dma_handle, flags);

    if (cpu_addr)
    {
        rt_kprintf("alloc 0x%lx %lu\n", (unsigned long)cpu_addr, (unsigned long)size);
    }

    return cpu_addr;
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
