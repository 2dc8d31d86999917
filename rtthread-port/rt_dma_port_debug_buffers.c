/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: calls that allocate, free and sync buffers. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

/* Ends an allocation: gives the driver the handle, and notes the buffer. Returns the buffer; null if there is none. */
static void *end_alloc(const struct rt_dma_watch_call *call, void *cpu_addr, rt_size_t size, rt_ubase_t handle,
        rt_ubase_t *dma_handle, rt_ubase_t flags, int is_managed)
{
    if (!cpu_addr)
    {
        return RT_NULL;
    }

    if (dma_handle)
    {
        *dma_handle = handle;
    }

    rt_dma_watch_allocated(call, cpu_addr, size, handle, flags, is_managed);

    return cpu_addr;
}

static void *alloc_with_flags(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags,
        int is_managed, uintptr_t caller, void *(*alloc)(struct rt_device *, rt_size_t, rt_ubase_t *, rt_ubase_t))
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, caller);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = alloc(dev, size, &handle, flags);

    return end_alloc(&call, cpu_addr, size, handle, dma_handle, flags, is_managed);
}

/* For the calls without an argument `flags`. rt_dma_wc_flags() returns the flags of their buffers. */
static void *alloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, int is_managed,
        uintptr_t caller, void *(*alloc)(struct rt_device *, rt_size_t, rt_ubase_t *))
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, caller);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = alloc(dev, size, &handle);

    return end_alloc(&call, cpu_addr, size, handle, dma_handle, rt_dma_wc_flags(dev), is_managed);
}

void *__wrap_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return alloc_with_flags(dev, size, dma_handle, flags, NOT_MANAGED, CALLER, __real_rt_dma_alloc);
}

void *__wrap_rt_dma_zalloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return alloc_with_flags(dev, size, dma_handle, flags, NOT_MANAGED, CALLER, __real_rt_dma_zalloc);
}

void *__wrap_rt_dmam_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    return alloc_with_flags(dev, size, dma_handle, flags, MANAGED, CALLER, __real_rt_dmam_alloc);
}

void *__wrap_rt_dma_alloc_wc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return alloc_coherent(dev, size, dma_handle, NOT_MANAGED, CALLER, __real_rt_dma_alloc_wc);
}

void *__wrap_rt_dma_zalloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return alloc_coherent(dev, size, dma_handle, NOT_MANAGED, CALLER, __real_rt_dma_zalloc_coherent);
}

void *__wrap_rt_dmam_zalloc_coherent(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle)
{
    return alloc_coherent(dev, size, dma_handle, MANAGED, CALLER, __real_rt_dmam_zalloc_coherent);
}

void *__wrap_rt_dma_alloc_aligned(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_ubase_t *dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = __real_rt_dma_alloc_aligned(dev, size, align, &handle, flags);

    return end_alloc(&call, cpu_addr, size, handle, dma_handle, flags, NOT_MANAGED);
}

void __wrap_rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);
    rt_size_t check = rt_dma_watch_freeing(&call, cpu_addr, size, dma_handle, NOT_MANAGED);

    __real_rt_dma_free(dev, size, cpu_addr, dma_handle, flags);
    rt_dma_watch_freed(&call, cpu_addr, size, check);
}

void __wrap_rt_dmam_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);
    rt_size_t check = rt_dma_watch_freeing(&call, cpu_addr, size, dma_handle, MANAGED);

    __real_rt_dmam_free(dev, size, cpu_addr, dma_handle);
    rt_dma_watch_freed(&call, cpu_addr, size, check);
}

void __wrap_rt_dmam_release(struct rt_device *dev)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_calling(&call);
    __real_rt_dmam_release(dev);

    /* Where the caller may not sleep, the call released nothing. */
    if (!rt_dma_port_is_atomic())
    {
        rt_dma_watch_released(&call);
    }
}

rt_err_t __wrap_rt_dma_sync_out_data(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_syncing_data(&call, data, size, flags);

    return __real_rt_dma_sync_out_data(dev, data, size, dma_handle, flags);
}

rt_err_t __wrap_rt_dma_sync_in_data(struct rt_device *dev, void *out_data, rt_size_t size, rt_ubase_t dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_syncing_data(&call, out_data, size, flags);

    return __real_rt_dma_sync_in_data(dev, out_data, size, dma_handle, flags);
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
