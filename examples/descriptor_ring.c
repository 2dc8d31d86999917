/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coherent memory: a driver has a ring of descriptors that the processor and the device access at the same time. The
 * driver allocates the ring once, and keeps it until the device is removed. A packet is a buffer of another part of the
 * system: a streaming map hands it to the device until the device has read it.
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>

#define RING_LENGTH 64

struct descriptor
{
    rt_uint64_t buffer;     /* the handle of the packet */
    rt_uint32_t length;
    rt_uint32_t owner;      /* 1: the device owns the descriptor; 0: the driver */
};

/* Only one call at a time may use a ring: a driver with an interrupt handler takes a lock around the calls. */
struct ring
{
    struct rt_device *dev;
    volatile struct descriptor *descriptors;
    rt_ubase_t handle;                  /* the address of the descriptors for the device */
    volatile rt_uint32_t *doorbell;     /* a register: a write makes the device read the ring */
    rt_size_t oldest;                   /* the first descriptor whose packet is mapped */
    rt_size_t in_use;                   /* the number of these descriptors */
};

rt_err_t ring_probe(struct ring *ring, struct rt_device *dev, volatile rt_uint32_t *doorbell)
{
    ring->dev = dev;
    ring->doorbell = doorbell;
    ring->oldest = 0;
    ring->in_use = 0;
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

/* Gives a packet to the device. It belongs to the device until ring_reclaim() has unmapped it. */
rt_err_t ring_send(struct ring *ring, void *packet, rt_uint32_t length)
{
    volatile struct descriptor *descriptor = &ring->descriptors[(ring->oldest + ring->in_use) % RING_LENGTH];
    rt_ubase_t handle;

    if (ring->in_use == RING_LENGTH)
    {
        return -RT_EBUSY;
    }
    handle = rt_dma_map_single(ring->dev, packet, length, RT_DMA_TO_DEVICE);
    if (rt_dma_mapping_error(ring->dev, handle))
    {
        return -RT_ENOMEM;
    }
    descriptor->buffer = handle;
    descriptor->length = length;
    rt_hw_dsb();    /* the device must see the fields before it owns the descriptor */
    descriptor->owner = 1;
    rt_hw_dsb();    /* the device must see the descriptor before it reads the ring */
    *ring->doorbell = 1;
    ++ring->in_use;

    return RT_EOK;
}

static void unmap_oldest(struct ring *ring)
{
    volatile struct descriptor *descriptor = &ring->descriptors[ring->oldest];

    rt_dma_unmap_single(ring->dev, (rt_ubase_t)descriptor->buffer, descriptor->length, RT_DMA_TO_DEVICE);
    ring->oldest = (ring->oldest + 1) % RING_LENGTH;
    --ring->in_use;
}

/* Unmaps the packets that the device has read. */
void ring_reclaim(struct ring *ring)
{
    while (ring->in_use && !ring->descriptors[ring->oldest].owner)
    {
        unmap_oldest(ring);
    }
}

/* The device must be stopped. */
void ring_remove(struct ring *ring)
{
    while (ring->in_use)
    {
        unmap_oldest(ring);
    }
    rt_dma_free_coherent(ring->dev, RING_LENGTH * sizeof(struct descriptor), (void *)ring->descriptors, ring->handle);
    ring->descriptors = RT_NULL;
}
