/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board that compiles the memory management but leaves the MMU off, as qemu-virt64-riscv does without RT_USING_SMART:
 * nothing sets rt_kernel_space up, and a call that uses its page table stops the kernel.
 */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include "expect.h"
#include "kernel.h"

static struct rt_device device = { .parent.name = "disk" };
static struct rt_device coherent_device = { .parent.name = "net" };

static void cached_memory(void)
{
    rt_ubase_t handle, synced;
    char *buffer;

    host_enter_interrupt();
    buffer = rt_dma_alloc(&device, 2 * MIB, &handle, RT_DMA_F_LINEAR);
    host_leave_interrupt();
    EXPECT(buffer && (rt_ubase_t)buffer + PV_OFFSET == handle);
    memset(buffer, 0x5a, 2 * MIB);
    EXPECT(!memcmp(host_device_view(handle), buffer, 2 * MIB));
    EXPECT(rt_dma_sync_out_data(&device, buffer, MIB, &synced, 0) == RT_EOK && synced == handle);
    EXPECT(rt_dma_sync_in_data(&device, buffer, MIB, handle, 0) == RT_EOK);
    rt_dma_free(&device, 2 * MIB, buffer, handle, 0);
}

static void uncached_memory(void)
{
    rt_ubase_t handle;

    EXPECT(!rt_dma_alloc(&device, 4096, &handle, RT_DMA_F_NOCACHE));
    EXPECT(!rt_dma_alloc_coherent(&coherent_device, 4096, &handle));
#if STAND_IN_REVISION >= 2
    EXPECT(!rt_dma_alloc(&device, 4096, &handle, RT_DMA_F_WT));
#endif
}

int main(void)
{
    rt_region_t region = { HOST_RAM + 16 * MIB, HOST_RAM + 24 * MIB, "pool" };
    struct rt_dma_pool *pool;

    host_start();
    host_leave_mmu_off();
    pool = rt_dma_pool_install(&region);
    EXPECT(pool && (pool->flags & RT_DMA_F_LINEAR));
    cached_memory();
    uncached_memory();
    cached_memory();
    printf("mmu_off: all is well\n");
    return 0;
}
