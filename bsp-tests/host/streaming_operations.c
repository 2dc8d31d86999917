/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming mappings of devices with map operations of the BSP's own. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "streaming.h"

/* A mask that reaches all of the memory. */
#define WIDE_MASK    0xffffffffffUL

/* An IOMMU's operations: what they show the device, the device gets. */
static int shown, taken_back;
/* What the device has at address 0. */
static rt_ubase_t at_zero = HOST_RAM;

static rt_err_t iommu_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    shown++;
    *dma_handle = (rt_ubase_t)rt_kmem_v2p(data) - at_zero;
    return RT_EOK;
}

static rt_err_t iommu_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    taken_back++;
    return (rt_ubase_t)rt_kmem_v2p(data) - at_zero == dma_handle ? RT_EOK : -RT_EINVAL;
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
    host_enter_interrupt();
    rt_dma_unmap_single(&vpu, handle, 100, RT_DMA_FROM_DEVICE);
    host_leave_interrupt();
    EXPECT_EQ(freed, 0);
    rt_dmam_release(&vpu);
    EXPECT_EQ(freed, 1);
    memset((void *)&vpu, 0xdd, sizeof(vpu));
    handle = rt_dma_map_single(&nic, memory + 1, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
    EXPECT_EQ(freed, 1);
}

/*
 * A mask refuses the handle of a sync that the BSP's operation has done: that one is taken back. A map then bounces, which is no
 * error.
 */
void mask_over_own_syncs(void)
{
    static const struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_in };
    static struct rt_device npu = { .parent.name = "npu", .dma_ops = &ops };
    char *memory = kernel_memory();
    rt_ubase_t handle = 0;

    at_zero = 0;
    EXPECT(rt_dma_set_mask(&npu, KERNEL_RAM - 1) == RT_EOK);
    shown = taken_back = 0;
    host_forget_text();
    handle = rt_dma_map_single(&npu, memory, 1024, RT_DMA_TO_DEVICE);
    EXPECT(!rt_dma_mapping_error(&npu, handle) && handle < KERNEL_RAM);
    EXPECT_EQ(shown - taken_back, 1);
    rt_dma_unmap_single(&npu, handle, 1024, RT_DMA_TO_DEVICE);
    EXPECT_EQ(shown - taken_back, 0);
    EXPECT(!*host_text());
    EXPECT(rt_dma_sync_out_data(&npu, memory, 1024, &handle, 0) == -RT_ERROR);
    EXPECT_EQ(shown - taken_back, 0);
    rt_dmam_release(&npu);
    at_zero = HOST_RAM;
}

/* A bounce buffer is not used if the BSP's translation moves the bits of the address that are to be kept: its sync is taken back. */
void own_syncs_that_move_kept_bits(void)
{
    static const struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_in };
    static struct rt_device dsp = { .parent.name = "dsp", .dma_ops = &ops };
    rt_ubase_t handle;

    at_zero = 0x800;
    EXPECT(rt_dma_set_mask(&dsp, KERNEL_RAM - 1) == RT_EOK && rt_dma_set_min_align_mask(&dsp, 0xfff) == RT_EOK);
    shown = taken_back = 0;
    handle = rt_dma_map_single(&dsp, kernel_memory() + 4096, 1024, RT_DMA_TO_DEVICE);
    EXPECT(rt_dma_mapping_error(&dsp, handle));
    EXPECT_EQ(shown, 2);
    EXPECT_EQ(taken_back, 2);
    rt_dmam_release(&dsp);
    at_zero = HOST_RAM;
}

/* Bytes that were flushed when iommu_invalidate() was called last. */
static rt_size_t flushed_before;

/* As the original's coherent operation, it does not look at the flags. */
static rt_err_t iommu_invalidate(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    flushed_before = host_flushed();
    rt_hw_cpu_dcache_ops(RT_HW_CACHE_INVALIDATE, data, (int)size);
    return iommu_in(dev, data, size, dma_handle, flags);
}

/* Taking back a sync loses no byte that the processor has written: the sync need not have flushed it. */
void mask_over_syncs_that_invalidate(void)
{
    static fdt32_t none[1];
    static struct rt_ofw_prop coherent = { "dma-coherent", 0, none, RT_NULL };
    static struct rt_ofw_node node = { .full_name = "snooping", .props = &coherent };
    static struct rt_device plain = { .parent.name = "plain", .ofw_node = &node };
    static struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_invalidate };
    static struct rt_device npu = { .parent.name = "npu", .dma_ops = &ops };
    char *memory = kernel_memory();
    rt_size_t flushed = host_flushed(), invalidated;
    rt_ubase_t handle = 0;

    ops.sync_in_data = iommu_invalidate;
    at_zero = 0;
    EXPECT(rt_dma_set_mask(&npu, KERNEL_RAM - 1) == RT_EOK);
    shown = taken_back = 0;
    EXPECT(rt_dma_sync_out_data(&npu, memory, 1024, &handle, RT_DMA_F_NOCACHE) == -RT_ERROR);
    EXPECT(shown == 1 && taken_back == 1);
    EXPECT(flushed_before - flushed >= 1024);

    /* The library's operations hold nothing, also in a table of the BSP's. */
    EXPECT(rt_dma_sync_out_data(&plain, memory, 1024, &handle, 0) == RT_EOK);
    ops.sync_in_data = ((const struct rt_dma_map_ops *)plain.dma_ops)->sync_in_data;
    invalidated = host_invalidated();
    EXPECT(rt_dma_sync_in_data(&npu, memory, 1024, 0, 0) == RT_EOK && host_invalidated() - invalidated >= 1024);
    invalidated = host_invalidated();
    EXPECT(rt_dma_sync_out_data(&npu, memory, 1024, &handle, 0) == -RT_ERROR);
    EXPECT_EQ(host_invalidated(), invalidated);
    rt_dmam_release(&npu);
    at_zero = HOST_RAM;
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

/* Maps a buffer of the device, syncs and unmaps it: the cache is maintained each time. */
static void cache_is_maintained_for(struct rt_device *dev)
{
    char *memory = kernel_memory();

    for (int at = 0; at < 2; at++) /* the second one is bounced */
    {
        rt_size_t flushed = host_flushed(), invalidated;
        rt_ubase_t handle = rt_dma_map_single(dev, memory + at, 1024, RT_DMA_BIDIRECTIONAL);

        EXPECT(!rt_dma_mapping_error(dev, handle));
        EXPECT(host_flushed() - flushed >= 1024);
        invalidated = host_invalidated();
        rt_dma_sync_single_for_cpu(dev, handle, 1024, RT_DMA_BIDIRECTIONAL);
        EXPECT(host_invalidated() - invalidated >= 1024);
        flushed = host_flushed();
        rt_dma_sync_single_for_device(dev, handle, 1024, RT_DMA_BIDIRECTIONAL);
        EXPECT(host_flushed() - flushed >= 1024);
        invalidated = host_invalidated();
        rt_dma_unmap_single(dev, handle, 1024, RT_DMA_BIDIRECTIONAL);
        EXPECT(host_invalidated() - invalidated >= 1024);
    }
}

/* Syncs of the library need not maintain the cache. Where a table of the BSP leads to them, maps and syncs of a mapping do. */
void own_allocations_and_default_syncs(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = pool_alloc, .free = pool_free };
    static struct rt_dma_map_ops copies[2];
    static struct rt_device dsp = { .parent.name = "dsp", .dma_ops = &ops };
    static struct rt_device copied = { .parent.name = "copied", .dma_ops = &copies[0] };
    static struct rt_device masked = { .parent.name = "masked" };
    rt_ubase_t handle = 0;
    rt_size_t flushed = host_flushed();
    void *buffer = rt_dma_zalloc(&dsp, 4096, &handle, 0);

    /* The device sees the zeros of cached memory, too. */
    EXPECT(buffer && host_flushed() - flushed >= 4096);
    rt_dma_free(&dsp, 4096, buffer, handle, 0);

    /* A table without syncs, and the masked table in its place. */
    cache_is_maintained_for(&dsp);
    EXPECT(rt_dma_set_mask(&dsp, WIDE_MASK) == RT_EOK);
    cache_is_maintained_for(&dsp);
    rt_dmam_release(&dsp);

    /* A copy of the library's table, in which the BSP has replaced operations. */
    copies[0] = *(const struct rt_dma_map_ops *)nic.dma_ops;
    copies[0].alloc = pool_alloc;
    copies[0].free = pool_free;
    cache_is_maintained_for(&copied);

    /* A copy of the masked table. */
    EXPECT(rt_dma_set_mask(&masked, WIDE_MASK) == RT_EOK);
    copies[1] = *(const struct rt_dma_map_ops *)masked.dma_ops;
    rt_dma_device_set_ops(&masked, &copies[1]);
    cache_is_maintained_for(&masked);
    rt_dmam_release(&masked);
}

/* For a device that snoops the cache no sync maintains it, also where a table of the BSP leads to the library's syncs. */
void default_syncs_of_a_snooping_device(void)
{
    static fdt32_t none[1];
    static struct rt_ofw_prop coherent = { "dma-coherent", 0, none, RT_NULL };
    static struct rt_ofw_node node = { .full_name = "snooping", .props = &coherent };
    static const struct rt_dma_map_ops ops = { .alloc = pool_alloc, .free = pool_free };
    static struct rt_device isp = { .parent.name = "isp", .ofw_node = &node, .dma_ops = &ops };
    rt_size_t flushed = host_flushed(), invalidated = host_invalidated();
    rt_ubase_t handle = rt_dma_map_single(&isp, kernel_memory(), 1024, RT_DMA_BIDIRECTIONAL);

    EXPECT(!rt_dma_mapping_error(&isp, handle));
    EXPECT_EQ(host_flushed(), flushed);
    rt_dma_unmap_single(&isp, handle, 1024, RT_DMA_BIDIRECTIONAL);
    EXPECT_EQ(host_invalidated(), invalidated);
}

/* The streaming mask counts for bounce buffers that the library allocates for a table of the BSP, too. */
void bounce_within_the_mask(void)
{
    static const struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_in };
    static struct rt_dma_map_ops copy;
    static struct rt_device adc = { .parent.name = "adc", .dma_ops = &ops };
    rt_region_t region = { HOST_RAM + 8 * MIB, HOST_RAM + 9 * MIB, "low" };
    struct rt_dma_pool *low = rt_dma_pool_install(&region);
    rt_ubase_t handle;

    at_zero = 0;
    for (int is_copied = 0; is_copied < 2; is_copied++)
    {
        EXPECT(low && rt_dma_set_mask(&adc, region.end - 1) == RT_EOK);
        if (is_copied)
        {
            copy = *(const struct rt_dma_map_ops *)adc.dma_ops;
            rt_dma_device_set_ops(&adc, &copy);
        }
        handle = rt_dma_map_single(&adc, kernel_memory(), 1024, RT_DMA_TO_DEVICE);
        EXPECT(!rt_dma_mapping_error(&adc, handle) && handle < region.end);
        rt_dma_unmap_single(&adc, handle, 1024, RT_DMA_TO_DEVICE);
        rt_dmam_release(&adc);
    }
    EXPECT(rt_dma_pool_uninstall(low) == RT_EOK);
    at_zero = HOST_RAM;
}

/*
 * The pool within the streaming mask is full, but the BSP's table leads the device to the others, too. A bounce buffer
 * comes from one of them, and no request has failed.
 */
void bounce_out_of_the_mask(void)
{
    static const struct rt_dma_map_ops ops = { .sync_out_data = iommu_out, .sync_in_data = iommu_in };
    static struct rt_device dac = { .parent.name = "dac", .dma_ops = &ops };
    rt_region_t region = { HOST_RAM + 8 * MIB, HOST_RAM + 9 * MIB, "low" };
    struct rt_dma_pool *low = rt_dma_pool_install(&region);
    struct rt_dma_pool_usage usage = { .struct_size = sizeof(usage) };
    rt_ubase_t handle, full_handle;
    void *full;

    at_zero = 16 * MIB;
    EXPECT(low && rt_dma_set_mask_and_coherent(&dac, region.end - 1) == RT_EOK);
    full = rt_dma_alloc(&dac, MIB, &full_handle, 0);
    EXPECT(full && full_handle == region.start);
    handle = rt_dma_map_single(&dac, kernel_memory(), 1024, RT_DMA_TO_DEVICE);
    EXPECT(!rt_dma_mapping_error(&dac, handle) && handle < region.end);
    rt_dma_unmap_single(&dac, handle, 1024, RT_DMA_TO_DEVICE);
    EXPECT(rt_dma_pool_statistics(low, &usage) == RT_EOK);
    EXPECT_EQ(usage.failed, 0);
    rt_dma_free(&dac, MIB, full, full_handle, 0);
    rt_dmam_release(&dac);
    EXPECT(rt_dma_pool_uninstall(low) == RT_EOK);
    at_zero = HOST_RAM;
}

/* A table of the BSP has a sync of the library that does not reach the buffer. A map then bounces, which is no error. */
void copied_sync_out_of_reach(void)
{
    static fdt32_t range[] = { CELLS(HOST_RAM + 16 * MIB), CELLS(HOST_RAM + 32 * MIB), CELLS(12 * MIB) };
    static struct rt_ofw_prop bus_props = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static struct rt_ofw_node node = { .full_name = "tpu", .parent = &bus };
    static struct rt_dma_map_ops copy;
    struct rt_device tpu = { .parent.name = "tpu", .ofw_node = &node };
    rt_ubase_t handle;

    EXPECT(rt_dma_map_fill(&tpu, 0) == RT_EOK);
    copy = *(const struct rt_dma_map_ops *)tpu.dma_ops;
    copy.alloc = pool_alloc;
    copy.free = pool_free;
    rt_dma_device_set_ops(&tpu, &copy);
    host_forget_text();
    handle = rt_dma_map_single(&tpu, kernel_memory(), 1024, RT_DMA_TO_DEVICE);
    EXPECT(handle >= HOST_RAM + 32 * MIB && handle < KERNEL_RAM);
    rt_dma_unmap_single(&tpu, handle, 1024, RT_DMA_TO_DEVICE);
    EXPECT(!*host_text());
    host_forget_ranges();
}

/* A device whose operations cannot be chosen gets no records, and one that reaches no pool gets no bounce buffer. */
void failed_fills(void)
{
    static fdt32_t range[] = { CELLS(KERNEL_RAM), CELLS(KERNEL_RAM), CELLS(MIB) };
    static struct rt_ofw_prop bus_props = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static struct rt_ofw_node node = { .full_name = "npu", .parent = &bus };
    struct rt_device npu = { .parent.name = "npu", .ofw_node = &node };

    host_fail_ranges(1);
    EXPECT(rt_dma_map_fill(&npu, 0) == -RT_EBUSY);
    host_fail_ranges(0);
    EXPECT(rt_dma_map_fill(&npu, 0) == -RT_EEMPTY);
    host_forget_ranges();
}
