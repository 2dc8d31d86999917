/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The debug mode: calls of streaming maps. */

#include "rt_dma_port_debug.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

static rt_ubase_t map_single(struct rt_device *dev, void *cpu_addr, rt_size_t size, int direction, rt_ubase_t attrs,
        int is_managed, uintptr_t caller)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, caller);
    rt_ubase_t handle;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_DMA_MAPPING_ERROR;
    }

    handle = is_managed ? __real_rt_dmam_map_single(dev, cpu_addr, size, direction)
            : __real_rt_dma_map_single_attrs(dev, cpu_addr, size, direction, attrs);
    rt_dma_watch_mapped(&call, cpu_addr, size, direction, attrs, handle, is_managed);

    return handle;
}

rt_ubase_t __wrap_rt_dma_map_single(struct rt_device *dev, void *cpu_addr, rt_size_t size, int direction)
{
    return map_single(dev, cpu_addr, size, direction, 0, NOT_MANAGED, CALLER);
}

rt_ubase_t __wrap_rt_dma_map_single_attrs(struct rt_device *dev, void *cpu_addr, rt_size_t size, int direction,
        rt_ubase_t attrs)
{
    return map_single(dev, cpu_addr, size, direction, attrs, NOT_MANAGED, CALLER);
}

rt_ubase_t __wrap_rt_dmam_map_single(struct rt_device *dev, void *cpu_addr, rt_size_t size, int direction)
{
    return map_single(dev, cpu_addr, size, direction, 0, MANAGED, CALLER);
}

rt_ubase_t __wrap_rt_dma_map_page(struct rt_device *dev, rt_ubase_t page_pa, rt_size_t offset, rt_size_t size,
        int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);
    rt_ubase_t handle;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_DMA_MAPPING_ERROR;
    }

    handle = __real_rt_dma_map_page(dev, page_pa, offset, size, direction);
    rt_dma_watch_page_mapped(&call, page_pa + offset, size, direction, handle);

    return handle;
}

int __wrap_rt_dma_map_sg(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);
    int i, mapped;

    if (sg && nents > 0 && rt_dma_watch_must_fail(&call, sg->length))
    {
        for (i = 0; i < nents; i++)
        {
            sg[i].dma_handle = RT_DMA_MAPPING_ERROR;
        }

        return 0;
    }

    mapped = __real_rt_dma_map_sg(dev, sg, nents, direction);
    rt_dma_watch_list_mapped(&call, sg, nents, direction, mapped > 0);

    return mapped;
}

int __wrap_rt_dma_mapping_error(struct rt_device *dev, rt_ubase_t dma_handle)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_checking(&call, dma_handle);

    return __real_rt_dma_mapping_error(dev, dma_handle);
}

void __wrap_rt_dma_unmap_single(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_SINGLE);
    __real_rt_dma_unmap_single(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_unmap_single_attrs(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction,
        rt_ubase_t attrs)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    /* A driver that wants attributes has to end the mapping of a page by this call, too. */
    rt_dma_watch_unmapping(&call, dma_handle, size, direction,
            attrs & RT_DMA_ATTR_LIST_ENTRY ? RT_DMA_WATCH_LIST_ENTRY : RT_DMA_WATCH_SINGLE_OR_PAGE);
    __real_rt_dma_unmap_single_attrs(dev, dma_handle, size, direction, attrs);
}

void __wrap_rt_dma_unmap_page(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_PAGE);
    __real_rt_dma_unmap_page(dev, dma_handle, size, direction);
}

void __wrap_rt_dmam_unmap_single(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_MANAGED);
    __real_rt_dmam_unmap_single(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_unmap_sg(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_list_unmapping(&call, sg, nents, direction);
    __real_rt_dma_unmap_sg(dev, sg, nents, direction);
}

void __wrap_rt_dma_unmap_sg_attrs(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction,
        rt_ubase_t attrs)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_list_unmapping(&call, sg, nents, direction);
    __real_rt_dma_unmap_sg_attrs(dev, sg, nents, direction, attrs);
}

void __wrap_rt_dma_sync_single_for_cpu(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_cpu(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_single_for_device(struct rt_device *dev, rt_ubase_t dma_handle, rt_size_t size, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_device(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_cpu(dev, sg, nents, direction);
}

void __wrap_rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = rt_dma_port_debug_begin(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_device(dev, sg, nents, direction);
}

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
