/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver with a ring of descriptors that the device reads and writes while the processor does: coherent memory, for as
 * long as the device is bound.
 */
#include <rtthread.h>
#include <rtdevice.h>

#define RING_LENGTH 64

struct descriptor
{
    rt_uint64_t buffer;     /* the packet's handle */
    rt_uint32_t length;
    rt_uint32_t owner;      /* 1: the device's */
};

struct ring
{
    struct rt_device *dev;
    volatile struct descriptor *descriptors;
    rt_ubase_t handle;      /* where the device finds the descriptors */
    rt_size_t next;
};

rt_err_t ring_probe(struct ring *ring, struct rt_device *dev)
{
    ring->dev = dev;
    ring->next = 0;
    ring->descriptors = rt_dma_alloc_coherent(dev, RING_LENGTH * sizeof(struct descriptor), &ring->handle);
    if (!ring->descriptors)
    {
        return -RT_ENOMEM;
    }
    /* Uncached memory takes aligned accesses only: no memset. */
    for (rt_size_t i = 0; i < RING_LENGTH; ++i)
    {
        ring->descriptors[i].buffer = 0;
        ring->descriptors[i].length = 0;
        ring->descriptors[i].owner = 0;
    }

    return RT_EOK;
}

/* Gives a packet to the device. It lies in ordinary, cached memory, so the cache is written back first. */
rt_err_t ring_send(struct ring *ring, void *packet, rt_uint32_t length)
{
    volatile struct descriptor *descriptor = &ring->descriptors[ring->next];
    rt_ubase_t handle;
    rt_err_t err;

    if (descriptor->owner)
    {
        return -RT_EBUSY;
    }
    err = rt_dma_sync_out_data(ring->dev, packet, length, &handle, 0);
    if (err)
    {
        return err;
    }
    descriptor->buffer = handle;
    descriptor->length = length;
    rt_hw_dsb();
    descriptor->owner = 1;
    ring->next = (ring->next + 1) % RING_LENGTH;

    return RT_EOK;
}

void ring_remove(struct ring *ring)
{
    rt_dma_free_coherent(ring->dev, RING_LENGTH * sizeof(struct descriptor), (void *)ring->descriptors, ring->handle);
    ring->descriptors = RT_NULL;
}
