/* SPDX-License-Identifier: Apache-2.0 */
/* The driver for edu moves data from and to the heap, and from and to RAM that the device cannot reach. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"
#include "linux_devices.h"
#include "linux_edu.h"

/* More than twice the size of the device's buffer, and not a multiple of a cache line. */
#define COPY_SIZE       5001
#define GUARD           64

const char *check_linux_masks(void)
{
    const char *error = linux_bind_edu();
    struct device *dev = &linux_edu.dev;

    if (error)
    {
        return error;
    }
    /* No RAM of these machines lies below 256 MiB, so the driver fell back to 32 bits. */
    if (dma_get_mask(dev) != DMA_BIT_MASK(32))
    {
        return "the mask is not the one that was set last";
    }
    if (dma_set_mask(dev, DMA_BIT_MASK(28)) != -EIO || dma_set_coherent_mask(dev, DMA_BIT_MASK(28)) != -EIO)
    {
        return "a mask that no pool is within is not refused with -EIO";
    }
    return dma_get_mask(dev) == DMA_BIT_MASK(32) ? linux_check_coherent(&linux_edu.rt.parent) : "a refused mask was set";
}

/* Copies from src to dst through the device, and checks that the bytes next to dst did not change. */
static const char *copy(rt_uint8_t *dst, rt_uint8_t *src, rt_size_t size)
{
    const char *error;
    int result;

    linux_fill(src, size, (rt_uint32_t)size);
    rt_memset(dst - GUARD, 0xa5, size + 2 * GUARD);
    result = edu_copy(&linux_edu, dst, src, size);
    if (result)
    {
        return why("the copy gives %d", result);
    }
    error = linux_check_handle("source", edu_last(&linux_edu)->src, src, size);
    if (!error)
    {
        error = linux_check_handle("target", edu_last(&linux_edu)->dst, dst, size);
    }
    if (!error && rt_memcmp(dst, src, size))
    {
        error = "other bytes arrive than were sent";
    }
    for (rt_size_t i = 0; i < GUARD && !error; ++i)
    {
        if (dst[-1 - (int)i] != 0xa5 || dst[size + i] != 0xa5)
        {
            error = "bytes next to the target are lost";
        }
    }
    return error;
}

const char *check_linux_copy(void)
{
    const char *error = linux_bind_edu();
    rt_uint8_t *src = rt_malloc(COPY_SIZE), *dst = rt_malloc(COPY_SIZE + 2 * GUARD);
    unsigned int before;

    if (!error && (!src || !dst))
    {
        error = "no heap";
    }
    if (!error)
    {
        before = edu_last(&linux_edu)->descriptors;
        error = copy(dst + GUARD, src, COPY_SIZE);
        if (!error && edu_last(&linux_edu)->descriptors != before + 6)
        {
            error = "the device did not fetch the descriptors of three pieces";
        }
    }
    rt_free(src);
    rt_free(dst);
    return error;
}

static const char *copy_sg(rt_uint8_t *bytes)
{
    static const rt_size_t offsets[] = { 0, 5000, 9000 }, sizes[] = { 300, 2049, 64 };
    struct scatterlist list[3];
    rt_uint8_t *dst = bytes + 16384;
    int result;

    linux_fill(bytes, 16384, 3);
    rt_memset(dst, 0, 4096);
    sg_init_table(list, 3);
    for (int i = 0; i < 3; ++i)
    {
        sg_set_buf(&list[i], bytes + offsets[i], (unsigned int)sizes[i]);
    }
    result = edu_copy_sg(&linux_edu, dst, list, 3);
    if (result)
    {
        return why("the copy of a list gives %d", result);
    }
    for (int i = 0; i < 3; dst += sizes[i++])
    {
        if (rt_memcmp(dst, bytes + offsets[i], sizes[i]))
        {
            return why("entry %d of the list does not arrive", i);
        }
    }
    return linux_check_handle("entry 0", edu_last(&linux_edu)->src, bytes, sizes[0]);
}

const char *check_linux_sg(void)
{
    const char *error = linux_bind_edu();
    rt_uint8_t *bytes = rt_malloc(20480);

    if (!error)
    {
        error = bytes ? copy_sg(bytes) : "no heap";
    }
    rt_free(bytes);
    return error;
}

const char *check_linux_loopback(void)
{
    const char *error = linux_bind_edu();
    int result = error ? 0 : edu_loopback(&linux_edu, 7);

    return result ? why("the circular buffer gives %d", result) : error;
}

const char *check_linux_bounce(void)
{
    const char *error = linux_bind_edu();
    rt_uint8_t *high = RT_NULL, *low = rt_malloc(COPY_SIZE + 2 * GUARD);
    int result;

    if (!error && !low)
    {
        error = "no heap";
    }
    if (!error)
    {
        error = linux_map_high(&high);
    }
    /* From memory out of reach, to it, both in a scatter list, and several transfers in one mapping. */
    if (!error)
    {
        error = copy(low + GUARD, high + 4001, COPY_SIZE);
    }
    if (!error)
    {
        error = copy(high + 8001, low + GUARD, COPY_SIZE);
    }
    if (!error)
    {
        error = copy_sg(high + 65536 + 7);
    }
    if (!error && (result = edu_echo(&linux_edu, high + 131072 - 100, 1024, 2)))
    {
        error = why("a mapping that lives on gives %d", result);
    }
    if (!error)
    {
        error = linux_check_handle("echo", edu_last(&linux_edu)->src, high + 131072 - 100, 1024);
    }
    if (high)
    {
        rt_iounmap(high);
    }
    rt_free(low);
    return error;
}

/* The check runs twice, because the first run leaves what the library keeps for later calls. */
const char *check_linux_remove(void)
{
    const char *error = linux_bind_edu();
    rt_size_t before;

    if (error)
    {
        return error;
    }
    linux_unbind_edu();
    before = stand_in_heap_used();
    error = linux_bind_edu();
    if (error)
    {
        return error;
    }
    linux_unbind_edu();
    if (stand_in_heap_used() != before)
    {
        return why("the heap grew from %lu to %lu bytes", (unsigned long)before, (unsigned long)stand_in_heap_used());
    }
    return RT_NULL;
}
