/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_dma_pool_install(): a board has memory that one device reaches faster than other memory, such as on-chip SRAM. It
 * installs the memory as a pool at boot and assigns the pool to that device. Only requests of that device with
 * RT_DMA_F_DEVICE are served from the pool.
 */
#include <rtthread.h>
#include <rtdevice.h>

rt_err_t board_install_sram(struct rt_device *audio, rt_size_t start, rt_size_t size)
{
    /* list_dma_pool shows the name. The pool keeps the pointer to it, so the text must stay valid. */
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
