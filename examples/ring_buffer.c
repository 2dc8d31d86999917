/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coherent memory and the sync calls: a driver has a ring of descriptors that the processor and the device access at
 * the same time. The descriptors are in coherent memory, which the driver keeps until the device is removed.
 */
#include <rtthread.h>
#include <rtdevice.h>

#define RING_LENGTH 64

struct descriptor
{
    rt_uint64_t buffer;     /* the handle of the packet */
    rt_uint32_t length;
    rt_uint32_t owner;      /* 1: the device owns the descriptor; 0: the driver */
};

struct ring
{
    struct rt_device *dev;
    volatile struct descriptor *descriptors;
    rt_ubase_t handle;      /* the address of the descriptors for the device */
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
    /* Uncached memory allows only aligned accesses, so rt_memset() must not be used. */
    for (rt_size_t i = 0; i < RING_LENGTH; ++i)
    {
        ring->descriptors[i].buffer = 0;
        ring->descriptors[i].length = 0;
        ring->descriptors[i].owner = 0;
    }

    return RT_EOK;
}

/* Gives a packet to the device. The packet is in cached memory, so the sync call first writes the cache back. */
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
    rt_hw_dsb();    /* the device must see the fields above before it owns the descriptor */
    descriptor->owner = 1;
    ring->next = (ring->next + 1) % RING_LENGTH;

    return RT_EOK;
}

void ring_remove(struct ring *ring)
{
    rt_dma_free_coherent(ring->dev, RING_LENGTH * sizeof(struct descriptor), (void *)ring->descriptors, ring->handle);
    ring->descriptors = RT_NULL;
}
