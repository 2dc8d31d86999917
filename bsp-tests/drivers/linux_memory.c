/* SPDX-License-Identifier: Apache-2.0 */
/* Coherent memory of drivers in Linux's style. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"
#include "linux_devices.h"

static void *bsp_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    static rt_uint64_t word;

    RT_UNUSED(dev);
    RT_UNUSED(size);
    *dma_handle = flags;
    return &word;
}

const char *linux_check_coherent(struct rt_device *dev)
{
#ifdef __aarch64__
    const int expected = STAND_IN_NONCACHED;
#else
    const int expected = STAND_IN_DEVICE;
#endif
    dma_addr_t handle;
    rt_size_t zeros = 0;
    rt_uint8_t *bytes = rt_dma_alloc(dev, 8192, &handle, 0);
    int type;

    if (!bytes)
    {
        return "no buffer";
    }
    rt_memset(bytes, 0x5a, 8192);
    rt_dma_free(dev, 8192, bytes, handle, 0);
    bytes = dma_alloc_coherent(dev, 8192, &handle, GFP_KERNEL);
    if (!bytes)
    {
        return "no coherent buffer";
    }
    while (zeros < 8192 && !bytes[zeros])
    {
        ++zeros;
    }
    type = stand_in_memory_type(bytes);
    dma_free_coherent(dev, 8192, bytes, handle);
    if (zeros != 8192)
    {
        return why("byte %lu of a coherent buffer is not zero", (unsigned long)zeros);
    }
    return type == expected ? RT_NULL : why("coherent memory is of type %d, not %d", type, expected);
}

/* A mask keeps the lines that a handle has, so that a driver that compares it knows whether a handle may have more than 32. */
static const char *check_widest_mask(struct rt_device *dev)
{
    int result = dma_set_mask(dev, DMA_BIT_MASK(64));

    return !result && dma_get_mask(dev) == (dma_addr_t)~(dma_addr_t)0 ? RT_NULL
            : why("of 64 lines, a mask has 0x%lx above 32", (rt_ubase_t)(dma_get_mask(dev) >> 32));
}

const char *check_linux_memory(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = bsp_alloc };
    static struct rt_device plain = { .parent.name = "linux-plain" };
    struct rt_device own = { .parent.name = "own ops" };
    const char *error = linux_check_coherent(&plain);
    dma_addr_t handle = 0;

    /* A BSP's own operations may know no other flags than those of uncached memory. */
    rt_dma_device_set_ops(&own, &ops);
    if (!error && (!dma_alloc_wc(&own, 8, &handle, GFP_KERNEL) || handle != (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)))
    {
        error = why("a BSP's operations get the flags 0x%lx", (rt_ubase_t)handle);
    }
    return error ? error : check_widest_mask(&plain);
}
