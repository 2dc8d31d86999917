/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what drivers ask of the library, and lets requests fail. The linker's option --wrap=NAME leads calls of NAME to
 * __wrap_NAME, and calls of __real_NAME to NAME. The image is otherwise unchanged.
 */
#include <linux/least.h>
#include <rt_dma.h>

struct least_counts least_counts;
long least_fail_at;
bool least_interrupts_fail;

bool least_fails(void)
{
    if (least_fail_at > 0 && --least_fail_at == 0)
    {
        least_counts.failed++;
        return true;
    }
    return false;
}

uintptr_t __real_rt_dma_map_single_attrs(struct rt_device *dev, void *buf, uintptr_t size, int dir, uintptr_t attrs);
uintptr_t __wrap_rt_dma_map_single_attrs(struct rt_device *dev, void *buf, uintptr_t size, int dir, uintptr_t attrs)
{
    uintptr_t handle;

    if (least_fails())
    {
        return RT_DMA_MAPPING_ERROR;
    }
    handle = __real_rt_dma_map_single_attrs(dev, buf, size, dir, attrs);
    if (handle != RT_DMA_MAPPING_ERROR)
    {
        least_counts.maps++;
        /* The bus shows memory at its physical addresses. */
        least_counts.bounced += handle != (uintptr_t)stand_in_v2p(buf);
        least_counts.maps_in_interrupts += in_interrupt();
    }
    return handle;
}

void __real_rt_dma_unmap_single_attrs(struct rt_device *dev, uintptr_t handle, uintptr_t size, int dir, uintptr_t attrs);
void __wrap_rt_dma_unmap_single_attrs(struct rt_device *dev, uintptr_t handle, uintptr_t size, int dir, uintptr_t attrs)
{
    least_counts.unmaps++;
    __real_rt_dma_unmap_single_attrs(dev, handle, size, dir, attrs);
}

void *__real_rt_dma_zalloc_coherent(struct rt_device *dev, uintptr_t size, uintptr_t *handle);
void *__wrap_rt_dma_zalloc_coherent(struct rt_device *dev, uintptr_t size, uintptr_t *handle)
{
    void *memory = least_fails() ? NULL : __real_rt_dma_zalloc_coherent(dev, size, handle);

    least_counts.allocations += memory != NULL;
    return memory;
}

struct rt_dma_block_pool * __real_rt_dma_block_pool_create_linux(const char *name, struct rt_device *dev, uintptr_t size, uintptr_t align,
        uintptr_t boundary);
struct rt_dma_block_pool * __wrap_rt_dma_block_pool_create_linux(const char *name, struct rt_device *dev, uintptr_t size, uintptr_t align,
        uintptr_t boundary)
{
    return least_fails() ? NULL : __real_rt_dma_block_pool_create_linux(name, dev, size, align, boundary);
}

void *__real_rt_dma_block_pool_alloc(struct rt_dma_block_pool * pool, uintptr_t *handle);
void *__wrap_rt_dma_block_pool_alloc(struct rt_dma_block_pool * pool, uintptr_t *handle)
{
    void *memory = least_fails() ? NULL : __real_rt_dma_block_pool_alloc(pool, handle);

    least_counts.blocks += memory != NULL;
    return memory;
}

void *__real_rt_dma_block_pool_zalloc(struct rt_dma_block_pool * pool, uintptr_t *handle);
void *__wrap_rt_dma_block_pool_zalloc(struct rt_dma_block_pool * pool, uintptr_t *handle)
{
    void *memory = least_fails() ? NULL : __real_rt_dma_block_pool_zalloc(pool, handle);

    least_counts.blocks += memory != NULL;
    return memory;
}

void __real_rt_hw_cpu_dcache_ops(int ops, void *addr, int size);
void __wrap_rt_hw_cpu_dcache_ops(int ops, void *addr, int size)
{
    least_counts.cache_calls++;
    __real_rt_hw_cpu_dcache_ops(ops, addr, size);
}
