/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for QEMU's educational PCI device (QEMU, docs/specs/edu), which copies between memory and a 4 KiB buffer of
 * its own. The check sends the data of one buffer to the device and reads it back into another buffer.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>

#include "checks.h"

#define EDU_VENDOR          0x1234
#define EDU_DEVICE          0x11e8

#define EDU_ID              0x00
#define EDU_LIVENESS        0x04
#define EDU_DMA_SOURCE      0x80
#define EDU_DMA_TARGET      0x88
#define EDU_DMA_COUNT       0x90
#define EDU_DMA_COMMAND     0x98

#define EDU_DMA_RUN         0x1
#define EDU_DMA_TO_MEMORY   0x2

#define EDU_BUFFER          0x40000 /* in the device's own address space */
#define EDU_CHUNK           2048    /* QEMU up to 9.0 stops at a transfer that fills all 4 KiB of it */

/* Several chunks, more than a page, and a multiple of neither. */
#define DATA_SIZE           (EDU_CHUNK * 2 + 1024)

static struct rt_pci_device edu = { .vendor = EDU_VENDOR, .device = EDU_DEVICE };
static char *regs;

/* A transfer has not ended in time: the device may still read and write its buffers, so they are not freed. */
static rt_bool_t is_busy;

static const char *edu_attach(void)
{
    if (regs)
    {
        return RT_NULL;
    }
    regs = stand_in_pci_attach(&edu, "edu");
    if (!regs)
    {
        return "QEMU was not given -device edu,dma_mask=0xffffffff";
    }
    HWREG32(regs + EDU_LIVENESS) = 0x12345678;
    if ((HWREG32(regs + EDU_ID) & 0xff) != 0xed || HWREG32(regs + EDU_LIVENESS) != ~0x12345678U)
    {
        return why("BAR 0 is not that of an edu device: id 0x%08x", (unsigned)HWREG32(regs + EDU_ID));
    }
    return RT_NULL;
}

static const char *edu_transfer(rt_ubase_t source, rt_ubase_t target, rt_size_t count, rt_uint32_t direction)
{
    HWREG64(regs + EDU_DMA_SOURCE) = source;
    HWREG64(regs + EDU_DMA_TARGET) = target;
    HWREG64(regs + EDU_DMA_COUNT) = count;
    HWREG64(regs + EDU_DMA_COMMAND) = EDU_DMA_RUN | direction;
    for (int ms = 0; ms < 10000; ++ms)
    {
        if (!(HWREG64(regs + EDU_DMA_COMMAND) & EDU_DMA_RUN))
        {
            return RT_NULL;
        }
        rt_thread_mdelay(1);
    }
    is_busy = RT_TRUE;
    return "a transfer never ends";
}

static const char *edu_copy(rt_ubase_t out, rt_ubase_t in, rt_size_t size)
{
    const char *error = RT_NULL;

    for (rt_size_t done = 0; done < size && !error; done += EDU_CHUNK)
    {
        rt_size_t count = size - done < EDU_CHUNK ? size - done : EDU_CHUNK;

        error = edu_transfer(out + done, EDU_BUFFER, count, 0);
        if (!error)
        {
            error = edu_transfer(EDU_BUFFER, in + done, count, EDU_DMA_TO_MEMORY);
        }
    }
    return error;
}

/* Writes aligned words, since Device memory allows only aligned accesses. */
static void fill(void *buffer, rt_size_t size, rt_uint32_t seed)
{
    for (volatile rt_uint32_t *word = buffer; (char *)word < (char *)buffer + size; ++word)
    {
        seed = seed * 1664525U + 1013904223U;
        *word = seed;
    }
}

struct edu_buffers
{
    void *out, *in;
    rt_ubase_t out_handle, in_handle;
};

/* Sends `out` to the device and reads it back into `in`. Returns RT_NULL if the data is right, or the reason. */
static const char *edu_send_and_read_back(const struct edu_buffers *buffers, rt_ubase_t flags, const char *kind)
{
    int cached = !(flags & RT_DMA_F_NOCACHE);
    rt_ubase_t handle = 0;
    const char *error;
    rt_uint32_t sent, received;

    fill(buffers->out, DATA_SIZE, (rt_uint32_t)flags + 1);
    fill(buffers->in, DATA_SIZE, 0);
    sent = checksum(buffers->out, DATA_SIZE);
    if (rt_dma_sync_out_data(&edu.parent, buffers->out, DATA_SIZE, &handle, flags) || handle != buffers->out_handle)
    {
        return why("rt_dma_sync_out_data gives 0x%lx, not 0x%lx", handle, buffers->out_handle);
    }
    /* No dirty line of the target may be written back over the data that the device wrote. */
    if (cached && rt_dma_sync_out_data(&edu.parent, buffers->in, DATA_SIZE, &handle, flags))
    {
        return "rt_dma_sync_out_data of the target fails";
    }
    rt_hw_dsb();
    error = edu_copy(buffers->out_handle, buffers->in_handle, DATA_SIZE);
    if (error)
    {
        return error;
    }
    if (rt_dma_sync_in_data(&edu.parent, buffers->in, DATA_SIZE, buffers->in_handle, flags))
    {
        return "rt_dma_sync_in_data fails";
    }
    received = checksum(buffers->in, DATA_SIZE);
    rt_kprintf("edu: %s, %u bytes, out 0x%08x, back 0x%08x\n", kind, (unsigned)DATA_SIZE, (unsigned)sent,
            (unsigned)received);
    return sent == received ? RT_NULL : "checksums differ";
}

static const char *edu_check(rt_ubase_t flags, const char *kind)
{
    struct edu_buffers buffers = { 0 };
    const char *error = edu_attach();

    if (error)
    {
        return error;
    }
    if (is_busy && HWREG64(regs + EDU_DMA_COMMAND) & EDU_DMA_RUN)
    {
        return "an earlier transfer has not ended";
    }
    is_busy = RT_FALSE;
    buffers.out = rt_dma_alloc(&edu.parent, DATA_SIZE, &buffers.out_handle, flags);
    buffers.in = rt_dma_alloc(&edu.parent, DATA_SIZE, &buffers.in_handle, flags);
    error = buffers.out && buffers.in ? edu_send_and_read_back(&buffers, flags, kind) : "no buffers";
    if (buffers.out && !is_busy)
    {
        rt_dma_free(&edu.parent, DATA_SIZE, buffers.out, buffers.out_handle, flags);
    }
    if (buffers.in && !is_busy)
    {
        rt_dma_free(&edu.parent, DATA_SIZE, buffers.in, buffers.in_handle, flags);
    }
    return error;
}

const char *check_edu_coherent(void)
{
    return edu_check(RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR, "coherent buffers");
}

const char *check_edu_cached(void)
{
    return edu_check(0, "cached buffers");
}

#ifdef RT_DMA_F_WT
const char *check_edu_write_through(void)
{
    return edu_check(RT_DMA_F_WT, "write-through buffers");
}
#endif
