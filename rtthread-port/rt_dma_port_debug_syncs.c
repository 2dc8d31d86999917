/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: calls that sync. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

void __wrap_rt_dma_sync_single_for_cpu(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_cpu(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_single_for_device(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_device(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_cpu(dev, sg, nents, direction);
}

void __wrap_rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_device(dev, sg, nents, direction);
}

rt_err_t __wrap_rt_dma_sync_out_data(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_syncing_data(&call, data, size, flags);

    return __real_rt_dma_sync_out_data(dev, data, size, dma_handle, flags);
}

rt_err_t __wrap_rt_dma_sync_in_data(struct rt_device *dev, void *out_data, rt_size_t size, rt_ubase_t dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_call(dev, CALLER);

    rt_dma_watch_syncing_data(&call, out_data, size, flags);

    return __real_rt_dma_sync_in_data(dev, out_data, size, dma_handle, flags);
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
