/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks and managed buffers: a device with 32 address lines, or with 24 in its older version. The driver states what
 * the device reaches, and no handle exceeds it. rt_dmam_release() frees all of the device's managed memory, so that
 * neither the error path of probe nor remove lists the buffers.
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>

#define TABLE_SIZE  1024    /* bytes */

struct codec
{
    struct rt_device *dev;
    void *input, *output;
    rt_ubase_t input_handle, output_handle;
};

rt_err_t codec_probe(struct codec *codec, struct rt_device *dev, rt_bool_t is_old)
{
    rt_err_t err = rt_dma_set_mask_and_coherent(dev, is_old ? 0xffffff : 0xffffffff);

    if (err)
    {
        /* -RT_EIO: no pool has memory that the device reaches. */
        return err;
    }
    codec->dev = dev;
    codec->input = rt_dmam_alloc(dev, TABLE_SIZE, &codec->input_handle, 0);
    codec->output = rt_dmam_alloc(dev, TABLE_SIZE, &codec->output_handle, 0);
    if (!codec->input || !codec->output)
    {
        rt_dmam_release(dev);
        return -RT_ENOMEM;
    }

    return RT_EOK;
}

/* Frees both buffers and ends the device's masks. */
void codec_remove(struct codec *codec)
{
    rt_dmam_release(codec->dev);
}
