/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board with a range of memory that one device reaches best, such as on-chip SRAM: installed at boot, kept for that
 * device. Only its requests with RT_DMA_F_DEVICE are served from there.
 */
#include <rtthread.h>
#include <rtdevice.h>

rt_err_t board_install_sram(struct rt_device *audio, rt_size_t start, rt_size_t size)
{
    /* The name stays with the pool; list_dma_pool shows it. */
    rt_region_t region = { start, start + size, "sram" };
    struct rt_dma_pool *pool = rt_dma_pool_install(&region);

    if (!pool)
    {
        return -RT_ERROR;
    }
    pool->dev = audio;
    pool->flags |= RT_DMA_F_DEVICE;

    return RT_EOK;
}

void *audio_alloc_period(struct rt_device *audio, rt_size_t size, rt_ubase_t *handle)
{
    return rt_dma_alloc(audio, size, handle, RT_DMA_F_DEVICE | RT_DMA_F_NOCACHE);
}
