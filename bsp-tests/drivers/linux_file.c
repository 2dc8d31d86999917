/* SPDX-License-Identifier: Apache-2.0 */
/* The driver for fw_cfg reads a file into the heap, and into RAM above 4 GiB. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"
#include "linux_devices.h"
#include "linux_fw_cfg.h"

#define FILE_NAME       "opt/rt-dma-pool/test"

static struct platform_device fw_cfg = { .dev.rt = { .parent.name = "linux-fw_cfg", .user_data = "qemu,fw-cfg-mmio" } };

static const char *read_file(const struct fw_cfg_found *file, rt_uint32_t expected, void *buffer)
{
    dma_addr_t handle;
    int result;

    rt_memset(buffer, 0, file->size);
    result = fw_cfg_read(&fw_cfg, file->key, buffer, file->size, 4096, &handle);
    if (result)
    {
        return why("the read gives %d", result);
    }
    /* The driver sets a mask of 64 bits, so that the device gets the buffer itself, wherever it lies (see linux_check_handle). */
    if (handle != (dma_addr_t)stand_in_v2p(buffer) && rt_dma_device_is_coherent(&fw_cfg.dev.rt))
    {
        return why("handle 0x%lx for 0x%lx", (rt_ubase_t)handle, (rt_ubase_t)stand_in_v2p(buffer));
    }
    return checksum(buffer, file->size) == expected ? RT_NULL : "checksums differ";
}

const char *check_linux_fw_cfg(void)
{
    rt_uint64_t start, length;
    struct fw_cfg_found file;
    const char *error = RT_NULL;
    rt_uint8_t *high = RT_NULL;
    void *buffer = RT_NULL;
    rt_uint32_t expected;
    int result;

    if (stand_in_fdt_reg("qemu,fw-cfg-mmio", 0, &start, &length))
    {
        return "the device tree has no qemu,fw-cfg-mmio";
    }
    fw_cfg.regs = rt_ioremap((void *)(rt_ubase_t)start, (rt_size_t)length);
    if (!fw_cfg.regs)
    {
        return "cannot map the registers";
    }
    result = fw_cfg_probe(&fw_cfg);
    if (result)
    {
        rt_iounmap(fw_cfg.regs);
        return why("probe gives %d", result);
    }

    result = fw_cfg_lookup(&fw_cfg, FILE_NAME, &file);
    if (result)
    {
        error = why("there is no file (%d): give QEMU -fw_cfg name=" FILE_NAME ",file=...", result);
        goto done;
    }
    expected = fw_cfg_sum_by_port(&fw_cfg, file.key, file.size, checksum_add, CHECKSUM_START);
    rt_kprintf("linux-fw_cfg: %s, %u bytes, by port 0x%08x\n", file.name, (unsigned)file.size, (unsigned)expected);
    buffer = rt_malloc(file.size);
    error = buffer ? read_file(&file, expected, buffer) : "no heap";
    if (!error && file.size <= HIGH_SIZE && HAS_HIGH_MEMORY)
    {
        error = linux_map_high(&high);
    }
    if (high)
    {
        if (!error)
        {
            error = read_file(&file, expected, high);
        }
        rt_iounmap(high);
    }

done:
    rt_free(buffer);
    fw_cfg_remove(&fw_cfg);
    rt_dmam_release(&fw_cfg.dev.rt);
    rt_iounmap(fw_cfg.regs);
    return error;
}
