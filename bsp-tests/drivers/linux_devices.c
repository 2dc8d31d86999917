/* SPDX-License-Identifier: Apache-2.0 */
/* Binds the Linux-style drivers to QEMU's devices, as the bus code of a port does: linux_devices.h describes the functions. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"
#include "linux_devices.h"
#include "linux_edu.h"

#define FOUR_GIB        (1ULL << 32)

struct pci_dev linux_edu = { .rt = { .vendor = 0x1234, .device = 0x11e8 } };
static int edu_bound;

const char *linux_bind_edu(void)
{
    int error;

    if (edu_bound)
    {
        return RT_NULL;
    }
    linux_edu.bar0 = stand_in_pci_attach(&linux_edu.rt, "linux-edu");
    if (!linux_edu.bar0)
    {
        return "QEMU was not given -device edu,dma_mask=0xffffffff";
    }
    error = edu_probe(&linux_edu);
    if (error)
    {
        rt_dmam_release(&linux_edu.rt.parent);
        rt_iounmap(linux_edu.bar0);
        return why("probe gives %d", error);
    }
    edu_bound = 1;
    return RT_NULL;
}

void linux_unbind_edu(void)
{
    edu_remove(&linux_edu);
    rt_dmam_release(&linux_edu.rt.parent);
    rt_iounmap(linux_edu.bar0);
    edu_bound = 0;
}

void linux_fill(rt_uint8_t *bytes, rt_size_t size, rt_uint32_t seed)
{
    while (size--)
    {
        seed = seed * 1664525U + 1013904223U;
        *bytes++ = (rt_uint8_t)(seed >> 24);
    }
}

const char *linux_map_high(rt_uint8_t **high)
{
    rt_uint64_t start, size;

    if (stand_in_high_memory(&start, &size) || size < HIGH_SIZE)
    {
        return "QEMU was not given RAM above 4 GiB (-m 3200M)";
    }
    *high = rt_ioremap_cached((void *)(rt_ubase_t)start, HIGH_SIZE);
    return *high ? RT_NULL : "cannot map RAM above 4 GiB";
}

static int is_high(const void *va)
{
    rt_uint64_t pa = (rt_ubase_t)stand_in_v2p((void *)va);

    return pa >= FOUR_GIB;
}

const char *linux_check_handle(const char *name, dma_addr_t handle, const void *va, rt_size_t size)
{
    dma_addr_t pa = (dma_addr_t)stand_in_v2p((void *)va);

    if (handle > DMA_BIT_MASK(32) - (size - 1))
    {
        return why("%s: handle 0x%lx is beyond the mask", name, (rt_ubase_t)handle);
    }
    /* If the device is not coherent, a target that shares a cache line with its neighbours is bounced, too. */
    if (!is_high(va) && handle != pa && rt_dma_device_is_coherent(&linux_edu.rt.parent))
    {
        return why("%s: handle 0x%lx for 0x%lx, which the device can reach", name, (rt_ubase_t)handle, (rt_ubase_t)pa);
    }
    return RT_NULL;
}
