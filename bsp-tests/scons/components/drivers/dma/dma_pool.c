/* SPDX-License-Identifier: Apache-2.0 */
/* What must not get into the image: it stops at boot. */
#include <rtdevice.h>

void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(dma_handle);
    RT_UNUSED(flags);
    RT_ASSERT(!"RT-Thread's own dma_pool.c is in the image");

    return RT_NULL;
}

rt_err_t rt_dma_pool_extract(rt_size_t cma_size, rt_size_t coherent_pool_size)
{
    return rt_dma_alloc(RT_NULL, cma_size, RT_NULL, coherent_pool_size) ? RT_EOK : -RT_ERROR;
}
