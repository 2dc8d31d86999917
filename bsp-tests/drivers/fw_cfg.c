/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg). The check reads a file by DMA into a
 * coherent buffer. The request is a block of a block pool.
 *
 * Its registers are big-endian: data at 0, selector at 8, the address of a DMA request at 16.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include <stand_in.h>

#include "checks.h"

#define FW_CFG_DATA         0x00
#define FW_CFG_SELECTOR     0x08
#define FW_CFG_DMA          0x10
#define FW_CFG_DIRECTORY    0x19

#define FW_CFG_DMA_ERROR    0x01
#define FW_CFG_DMA_READ     0x02
#define FW_CFG_DMA_SELECT   0x08

#define FILE_NAME           "opt/rt-dma-pool/test"
#define FILE_NAME_SIZE      56

struct fw_cfg_request
{
    rt_uint32_t control;
    rt_uint32_t length;
    rt_uint64_t address;
};

static struct rt_device fw_cfg = { .parent.name = "fw_cfg", .user_data = "qemu,fw-cfg-mmio" };

/* The pool of the requests that the device reads and writes. It is never destroyed, as in most drivers. */
static struct rt_dma_block_pool *requests;

static rt_uint16_t be16(rt_uint16_t v) { return (rt_uint16_t)(v << 8 | v >> 8); }
static rt_uint32_t be32(rt_uint32_t v) { return (rt_uint32_t)be16((rt_uint16_t)v) << 16 | be16((rt_uint16_t)(v >> 16)); }
static rt_uint64_t be64(rt_uint64_t v) { return (rt_uint64_t)be32((rt_uint32_t)v) << 32 | be32((rt_uint32_t)(v >> 32)); }

static void fw_cfg_select(char *base, rt_uint16_t key)
{
    HWREG16(base + FW_CFG_SELECTOR) = be16(key);
}

static rt_uint32_t fw_cfg_number(char *base, int bytes)
{
    rt_uint32_t value = 0;

    while (bytes--)
    {
        value = value << 8 | HWREG8(base + FW_CFG_DATA);
    }
    return value;
}

/*
 * Finds a file by its name, or else the largest file, because some versions of QEMU refuse -fw_cfg for a machine.
 * Returns 0 if there is no file.
 */
static rt_uint16_t fw_cfg_find(char *base, const char *name, char *found, rt_uint32_t *size)
{
    rt_uint16_t best = 0;
    rt_uint32_t count;

    *size = 0;
    fw_cfg_select(base, FW_CFG_DIRECTORY);
    for (count = fw_cfg_number(base, 4); count; --count)
    {
        char entry[FILE_NAME_SIZE];
        rt_uint32_t entry_size = fw_cfg_number(base, 4);
        rt_uint16_t key = (rt_uint16_t)fw_cfg_number(base, 2);

        fw_cfg_number(base, 2);
        for (int i = 0; i < FILE_NAME_SIZE; ++i)
        {
            entry[i] = (char)HWREG8(base + FW_CFG_DATA);
        }
        entry[FILE_NAME_SIZE - 1] = 0;
        if (!rt_strcmp(entry, name) || entry_size > *size)
        {
            best = key;
            *size = entry_size;
            rt_memcpy(found, entry, FILE_NAME_SIZE);
        }
        if (!rt_strcmp(entry, name))
        {
            break;
        }
    }
    return best;
}

/*
 * Waits until the device has ended the request. Returns the control word: 0, or FW_CFG_DMA_ERROR as the device stores it.
 * Other bits are set if the device has not ended after five seconds.
 */
static rt_uint32_t fw_cfg_wait(const volatile struct fw_cfg_request *request)
{
    rt_uint32_t control = 0;

    for (int ms = 0; ms < 5000; ++ms)
    {
        rt_hw_dsb();
        control = request->control;
        if (!(control & ~be32(FW_CFG_DMA_ERROR)))
        {
            break;
        }
        rt_thread_mdelay(1);
    }
    return control;
}

/*
 * Reads a file into the buffer at `handle`. Sets `*is_busy` if the device does not end: it may still write to the request
 * and to the buffer, so neither may be freed.
 */
static const char *fw_cfg_read_dma(char *base, rt_uint16_t key, rt_ubase_t handle, rt_uint32_t size, rt_bool_t *is_busy)
{
    rt_ubase_t request_handle;
    volatile struct fw_cfg_request *request;
    rt_uint32_t control;

    if (!requests)
    {
        requests = rt_dma_block_pool_create("fw_cfg", &fw_cfg, sizeof(*request), 16, 0);
    }
    request = rt_dma_block_pool_alloc(requests, &request_handle);
    if (!request)
    {
        return "no block for the request";
    }
    if (request_handle % 16)
    {
        rt_dma_block_pool_free(requests, (void *)request, request_handle);
        return "the request is not aligned";
    }
    request->control = be32((rt_uint32_t)key << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ);
    request->length = be32(size);
    request->address = be64(handle);
    rt_hw_dsb();

    HWREG64(base + FW_CFG_DMA) = be64(request_handle);
    control = fw_cfg_wait(request);
    if (control & ~be32(FW_CFG_DMA_ERROR))
    {
        *is_busy = RT_TRUE;
        requests = RT_NULL; /* its block is lost; the next run makes a pool of its own */
        return "the device never ends";
    }
    rt_dma_block_pool_free(requests, (void *)request, request_handle);
    if (control)
    {
        return "the device reports an error";
    }
    return rt_dma_block_pool_trim(requests) == 1 ? RT_NULL : "the request's page is not given back";
}

const char *check_fw_cfg(void)
{
    rt_uint64_t start, length;
    rt_uint32_t size = 0, by_port = CHECKSUM_START, by_dma;
    rt_uint16_t key;
    rt_ubase_t handle = 0;
    rt_bool_t is_busy = RT_FALSE;
    const char *error = RT_NULL;
    void *buffer = RT_NULL;
    char *base, found[FILE_NAME_SIZE];

    if (stand_in_fdt_reg("qemu,fw-cfg-mmio", 0, &start, &length))
    {
        return "the device tree has no qemu,fw-cfg-mmio";
    }
    base = rt_ioremap((void *)(rt_ubase_t)start, (rt_size_t)length);
    if (!base)
    {
        return "cannot map the registers";
    }

    key = fw_cfg_find(base, FILE_NAME, found, &size);
    if (!key || !size)
    {
        error = "there is no file: give QEMU -fw_cfg name=" FILE_NAME ",file=...";
        goto done;
    }
    buffer = rt_dma_alloc_coherent(&fw_cfg, size, &handle);
    if (!buffer)
    {
        error = why("no coherent buffer of %u bytes", (unsigned)size);
        goto done;
    }
    error = fw_cfg_read_dma(base, key, handle, size, &is_busy);
    if (error)
    {
        goto done;
    }
    by_dma = checksum(buffer, size);
    fw_cfg_select(base, key);
    for (rt_uint32_t i = 0; i < size; ++i)
    {
        by_port = checksum_add(by_port, HWREG8(base + FW_CFG_DATA));
    }
    rt_kprintf("fw_cfg: %s, %u bytes, by DMA 0x%08x, by port 0x%08x\n", found, (unsigned)size,
            (unsigned)by_dma, (unsigned)by_port);
    if (by_dma != by_port)
    {
        error = why("checksums differ over %u bytes", (unsigned)size);
    }

done:
    if (buffer && !is_busy)
    {
        rt_dma_free_coherent(&fw_cfg, size, buffer, handle);
    }
    rt_iounmap(base);
    return error;
}
