/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory-region: a camera has memory of its own. The device tree describes it, and the driver needs no special code:
 *
 *     reserved-memory {
 *         #address-cells = <2>;
 *         #size-cells = <2>;
 *         ranges;
 *         frames: frames@50000000 {
 *             compatible = "shared-dma-pool";
 *             reg = <0x0 0x50000000 0x0 0x1000000>;
 *             no-map;
 *         };
 *     };
 *     camera@a000000 {
 *         memory-region = <&frames>;
 *     };
 *
 * The camera's buffers come from that memory first, and no other device gets memory from there. The memory is uncached,
 * unless the camera snoops the cache.
 */
#include <rtthread.h>
#include <rtdevice.h>

#define FRAME_SIZE  (640 * 480 * 2)
#define FRAMES      4

struct camera
{
    struct rt_device *dev;
    void *frames[FRAMES];
    rt_ubase_t handles[FRAMES];
};

void camera_remove(struct camera *camera)
{
    for (int i = 0; i < FRAMES; ++i)
    {
        if (camera->frames[i])
        {
            rt_dma_free(camera->dev, FRAME_SIZE, camera->frames[i], camera->handles[i], 0);
            camera->frames[i] = RT_NULL;
        }
    }
}

rt_err_t camera_probe(struct camera *camera, struct rt_device *dev)
{
    rt_memset(camera, 0, sizeof(*camera));
    camera->dev = dev;
    for (int i = 0; i < FRAMES; ++i)
    {
        camera->frames[i] = rt_dma_alloc(dev, FRAME_SIZE, &camera->handles[i], 0);
        if (!camera->frames[i])
        {
            camera_remove(camera);
            return -RT_ENOMEM;
        }
    }

    return RT_EOK;
}
