/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming mappings of devices with map operations of the BSP's own. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "streaming.h"

/* An IOMMU's operations: what they show the device, the device gets. */
static int shown, taken_back;

static rt_err_t iommu_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    shown++;
    *dma_handle = (rt_ubase_t)rt_kmem_v2p(data) - HOST_RAM;
    return RT_EOK;
}

static rt_err_t iommu_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    taken_back++;
    return (rt_ubase_t)rt_kmem_v2p(data) - HOST_RAM == dma_handle ? RT_EOK : -RT_EINVAL;
}

void driver_behind_an_iommu(void)
{
    static const struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_in };
    static struct rt_device gpu = { .parent.name = "gpu", .dma_ops = &ops };
    char *memory = kernel_memory();

    for (int at = 0; at < 2; at++)
    {
        rt_ubase_t handle;

        shown = taken_back = 0;
        handle = rt_dma_map_single(&gpu, memory + at, 1024, RT_DMA_BIDIRECTIONAL);
        EXPECT(!rt_dma_mapping_error(&gpu, handle) && handle < HOST_RAM_SIZE);
        EXPECT(shown == 1 && taken_back == 0);
        memset(host_device_view(handle + HOST_RAM), 0x61 + at, 1024);
        rt_dma_sync_single_for_cpu(&gpu, handle + 64, 64, RT_DMA_BIDIRECTIONAL);
        rt_dma_sync_single_for_device(&gpu, handle + 64, 64, RT_DMA_BIDIRECTIONAL);
        EXPECT(shown == 2 && taken_back == 1);
        rt_dma_unmap_single(&gpu, handle, 1024, RT_DMA_BIDIRECTIONAL);
        EXPECT(shown == 2 && taken_back == 2 && memory[at] == 0x61 + at && memory[at + 1023] == 0x61 + at);
    }
}

static int freed;

static void iommu_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dma_handle);
    EXPECT(!rt_strcmp(dev->parent.name, "vpu"));
    freed++;
    rt_dma_free(&nic, size, cpu_addr, 0, flags);
}

/* An interrupt may not call the BSP's operation that frees a bounce buffer. It is called while the device is still there. */
void interrupt_before_a_removal(void)
{
    static const struct rt_dma_map_ops ops =
    {
        .free = iommu_free,
        .sync_out_data = iommu_out,
        .sync_in_data = iommu_in,
    };
    struct rt_device vpu = { .parent.name = "vpu", .dma_ops = &ops };
    char *memory = kernel_memory();
    rt_ubase_t handle = rt_dma_map_single(&vpu, memory + 1, 100, RT_DMA_FROM_DEVICE);

    EXPECT(!rt_dma_mapping_error(&vpu, handle));
    freed = 0;
    host_interrupt(1);
    rt_dma_unmap_single(&vpu, handle, 100, RT_DMA_FROM_DEVICE);
    host_interrupt(0);
    EXPECT_EQ(freed, 0);
    rt_dmam_release(&vpu);
    EXPECT_EQ(freed, 1);
    memset((void *)&vpu, 0xdd, sizeof(vpu));
    handle = rt_dma_map_single(&nic, memory + 1, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
    EXPECT_EQ(freed, 1);
}

static void *pool_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    return rt_dma_alloc(&nic, size, dma_handle, flags);
}

static void pool_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    rt_dma_free(&nic, size, cpu_addr, dma_handle, flags);
}

/* What the library clears has no mapping: no sync that shows it to the device needs to be taken back. */
void cleared_memory_of_own_operations(void)
{
    static const struct rt_dma_map_ops ops =
    {
        .alloc = pool_alloc,
        .free = pool_free,
        .sync_out_data = iommu_out,
        .sync_in_data = iommu_in,
    };
    static struct rt_device isp = { .parent.name = "isp", .dma_ops = &ops };
    rt_ubase_t handle = 0;
    void *buffer;

    shown = taken_back = 0;
    buffer = rt_dma_zalloc(&isp, 4096, &handle, 0);
    EXPECT(buffer);
    rt_dma_free(&isp, 4096, buffer, handle, 0);
    EXPECT_EQ(shown - taken_back, 0);
}
