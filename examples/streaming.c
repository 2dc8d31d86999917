/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming maps: a network driver hands its own receive buffer over to the device. The buffer may lie anywhere in
 * mapped memory. If the device cannot reach it, the library uses a bounce buffer.
 *
 * The driver maps the buffer once. For each packet, it takes the buffer back for the processor and then gives it to the
 * device again.
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>

struct receiver
{
    struct rt_device *dev;
    rt_uint8_t *buffer;
    rt_size_t size;         /* of the buffer, in bytes */
    rt_ubase_t handle;      /* the address that the driver writes to the device's register */
};

rt_err_t receiver_start(struct receiver *receiver, struct rt_device *dev, rt_uint8_t *buffer, rt_size_t size)
{
    receiver->dev = dev;
    receiver->buffer = buffer;
    receiver->size = size;
    receiver->handle = rt_dma_map_single(dev, buffer, size, RT_DMA_FROM_DEVICE);

    return rt_dma_mapping_error(dev, receiver->handle) ? -RT_ENOMEM : RT_EOK;
}

/* Copies a packet of `length` bytes out of the buffer, after the device has written it. */
void receiver_take(struct receiver *receiver, void *packet, rt_size_t length)
{
    rt_dma_sync_single_for_cpu(receiver->dev, receiver->handle, receiver->size, RT_DMA_FROM_DEVICE);
    rt_memcpy(packet, receiver->buffer, length);
    rt_dma_sync_single_for_device(receiver->dev, receiver->handle, receiver->size, RT_DMA_FROM_DEVICE);
}

/* Takes the buffer back for good. The device must not write to it any more. */
void receiver_stop(struct receiver *receiver)
{
    rt_dma_unmap_single(receiver->dev, receiver->handle, receiver->size, RT_DMA_FROM_DEVICE);
}
