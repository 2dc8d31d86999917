/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming mappings: a network driver's, a block driver's, and those of callers that are wrong. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

/* The kernel's own memory, mapped linearly and in no pool. */
#define KERNEL_RAM      (HOST_RAM + 44 * MIB)
#define KERNEL_RAM_SIZE (1 * MIB)

static struct rt_device nic = { .parent.name = "nic" };

static char *kernel_memory(void)
{
    static void *memory;
    struct rt_mm_va_hint hint =
    {
        .map_size = KERNEL_RAM_SIZE,
        .prefer = (void *)(KERNEL_RAM - rt_kmem_pvoff()),
    };

    if (!memory)
    {
        EXPECT(!rt_aspace_map_phy(&rt_kernel_space, &hint, 0, KERNEL_RAM >> MM_PAGE_SHIFT, &memory));
    }
    return memory;
}

/* A receive buffer that begins 2 bytes after a cache line, and has its lines for itself, is not bounced. */
static void receive_in_place(void)
{
    char *packet = kernel_memory() + 2;
    rt_ubase_t handle = rt_dma_map_single_attrs(&nic, packet, 1514, RT_DMA_FROM_DEVICE, RT_DMA_ATTR_OWN_LINES);

    EXPECT(handle == KERNEL_RAM + 2);
    memset(host_device_view(handle), 0x44, 1514);
    rt_dma_unmap_single_attrs(&nic, handle, 1514, RT_DMA_FROM_DEVICE, RT_DMA_ATTR_OWN_LINES);
    EXPECT(packet[0] == 0x44 && packet[1513] == 0x44);
}

/* A ring of receive buffers that need bounce buffers is mapped in an interrupt, as often as was made ready. */
void ring_in_an_interrupt(void)
{
    char *memory = kernel_memory();
    rt_ubase_t handles[40];

    EXPECT(rt_dma_map_fill(RT_NULL, 40) == -RT_EINVAL && rt_dma_map_fill(&nic, 65537) == -RT_EINVAL);
    EXPECT(rt_dma_map_fill(&nic, 40) == RT_EOK);
    host_interrupt(1);
    EXPECT(rt_dma_map_fill(&nic, 40) == -RT_EBUSY);
    for (int i = 0; i < 40; i++)
    {
        handles[i] = rt_dma_map_single(&nic, memory + 1 + i * 128, 100, RT_DMA_FROM_DEVICE);
        EXPECT(!rt_dma_mapping_error(&nic, handles[i]));
    }
    for (int i = 0; i < 40; i++)
    {
        rt_dma_unmap_single(&nic, handles[i], 100, RT_DMA_FROM_DEVICE);
    }
    host_interrupt(0);
}

/* Packets go out as they are, and come in to buffers of any alignment, in an interrupt too. */
static void network_driver(void)
{
    char *memory = kernel_memory();

    for (int interrupt = 0; interrupt < 2; interrupt++)
    {
        host_interrupt(interrupt);
        for (rt_size_t at = 0; at < 9; at++)
        {
            char *packet = memory + at * 2049, before = packet[-1 + (at == 0)], behind = packet[1500];
            rt_ubase_t handle = rt_dma_map_single(&nic, packet, 1500, RT_DMA_TO_DEVICE);

            EXPECT(!rt_dma_mapping_error(&nic, handle) && handle == KERNEL_RAM + at * 2049);
            rt_dma_unmap_single(&nic, handle, 1500, RT_DMA_TO_DEVICE);

            memset(packet, 0x11, 1500);
            handle = rt_dma_map_single(&nic, packet, 1500, RT_DMA_FROM_DEVICE);
            EXPECT(!rt_dma_mapping_error(&nic, handle) && handle != KERNEL_RAM + at * 2049);
            EXPECT(((char *)host_device_view(handle))[1499] == 0x11);
            memset(host_device_view(handle), 0x22, 1000);
            rt_dma_sync_single_for_cpu(&nic, handle + 64, 64, RT_DMA_FROM_DEVICE);
            EXPECT(packet[63] == 0x11 && packet[64] == 0x22 && packet[127] == 0x22 && packet[128] == 0x11);
            /* Not yet: the device writes on while the driver looks. */
            memset((char *)host_device_view(handle) + 64, 0x33, 64);
            rt_dma_sync_single_for_device(&nic, handle + 64, 64, RT_DMA_FROM_DEVICE);
            rt_dma_sync_single_for_device(&nic, handle, 1500, RT_DMA_FROM_DEVICE);
            rt_dma_unmap_single(&nic, handle, 1500, RT_DMA_FROM_DEVICE);
            EXPECT(packet[0] == 0x22 && packet[64] == 0x33 && packet[127] == 0x33 && packet[999] == 0x22 && packet[1000] == 0x11);
            EXPECT(packet[1499] == 0x11 && packet[1500] == behind && (at == 0 || packet[-1] == before));
        }
        host_interrupt(0);
    }
}

/* A request of several buffers: kernel memory, a pool's cached and uncached buffers. */
static void block_driver(void)
{
    rt_ubase_t cached_handle, uncached_handle, handle;
    char *cached = rt_dma_alloc(&nic, 8192, &cached_handle, 0);
    char *uncached = rt_dma_alloc_coherent(&nic, 8192, &uncached_handle);
    struct rt_dma_sg sg[] =
    {
        { kernel_memory() + 512, 4096, 0 },
        { cached, 8192, 0 },
        { uncached + 3, 1000, 0 },
        { kernel_memory() + 9001, 1, 0 },
    };

    EXPECT(cached && uncached);
    for (int i = 0; i < 4; i++)
    {
        memset(sg[i].addr, 0x40 + i, sg[i].length);
    }
    EXPECT(rt_dma_map_sg(&nic, sg, 4, RT_DMA_BIDIRECTIONAL) == 4);
    EXPECT(sg[0].dma_handle == KERNEL_RAM + 512 && sg[1].dma_handle == cached_handle);
    EXPECT(sg[2].dma_handle == uncached_handle + 3);
    for (int i = 0; i < 4; i++)
    {
        char *seen = host_device_view(sg[i].dma_handle);

        EXPECT(seen[0] == 0x40 + i && seen[sg[i].length - 1] == 0x40 + i);
        memset(seen, 0x50 + i, sg[i].length);
    }
    rt_dma_sync_sg_for_cpu(&nic, sg, 4, RT_DMA_BIDIRECTIONAL);
    EXPECT(*(char *)sg[3].addr == 0x53);
    *(char *)sg[3].addr = 0x63;
    rt_dma_sync_sg_for_device(&nic, sg, 4, RT_DMA_BIDIRECTIONAL);
    EXPECT(*(char *)host_device_view(sg[3].dma_handle) == 0x63);
    rt_dma_unmap_sg(&nic, sg, 4, RT_DMA_BIDIRECTIONAL);
    EXPECT(cached[8191] == 0x51 && uncached[1002] == 0x52 && *(char *)sg[3].addr == 0x63);

    /* One that is nowhere: none is mapped. */
    sg[2].addr = (void *)8;
    EXPECT(rt_dma_map_sg(&nic, sg, 4, RT_DMA_FROM_DEVICE) == 0);
    for (int i = 0; i < 4; i++)
    {
        EXPECT(rt_dma_mapping_error(&nic, sg[i].dma_handle));
    }
    rt_dma_free(&nic, 8192, cached, cached_handle, 0);
    rt_dma_free_coherent(&nic, 8192, uncached, uncached_handle);

    /* By page: kernel memory, a buffer of a pool, and nothing. */
    handle = rt_dma_map_page(&nic, KERNEL_RAM, 4096, 128, RT_DMA_FROM_DEVICE);
    EXPECT(handle == KERNEL_RAM + 4096);
    rt_dma_unmap_page(&nic, handle, 128, RT_DMA_FROM_DEVICE);
    EXPECT(rt_dma_map_page(&nic, KERNEL_RAM, KERNEL_RAM_SIZE, 128, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
}

/* A controller whose lists hold page numbers, and take the offset in a page from the buffer's address. */
static void offsets_in_pages_are_kept(void)
{
    static struct rt_device disk = { .parent.name = "disk" };
    char *memory = kernel_memory();
    struct rt_dma_sg sg[] = { { memory + 3 * 4096 + 2049, 4096, 0 }, { memory + 9 * 4096 + 1, 9000, 0 } };

    /* A device's first call chooses its operations. */
    rt_dma_unmap_single(&disk, rt_dma_map_single(&disk, memory, 64, RT_DMA_TO_DEVICE), 64, RT_DMA_TO_DEVICE);
    EXPECT(rt_dma_set_min_align_mask(&disk, 0xfff) == RT_EOK);
    for (int round = 0; round < 2; round++)
    {
        memset(memory, 0, 16 * 4096);
        /* Both share cache lines with others, so both are bounced. */
        EXPECT(rt_dma_map_sg(&disk, sg, 2, RT_DMA_FROM_DEVICE) == 2);
        for (int i = 0; i < 2; i++)
        {
            EXPECT(sg[i].dma_handle != (rt_ubase_t)rt_kmem_v2p(sg[i].addr));
            EXPECT((sg[i].dma_handle & 0xfff) == ((rt_ubase_t)sg[i].addr & 0xfff));
            memset(host_device_view(sg[i].dma_handle), 0x21 + i, sg[i].length);
        }
        rt_dma_unmap_sg(&disk, sg, 2, RT_DMA_FROM_DEVICE);
        for (int i = 0; i < 2; i++)
        {
            const char *at = sg[i].addr;

            EXPECT(at[-1] == 0 && at[0] == 0x21 + i && at[sg[i].length - 1] == 0x21 + i && at[sg[i].length] == 0);
        }
    }
    rt_dmam_release(&disk);
    EXPECT(rt_dma_get_min_align_mask(&disk) == 0);
    sg[0].dma_handle = rt_dma_map_single(&disk, sg[0].addr, 4096, RT_DMA_FROM_DEVICE);
    EXPECT((sg[0].dma_handle & 0xfff) == 0);
    rt_dma_unmap_single(&disk, sg[0].dma_handle, 4096, RT_DMA_FROM_DEVICE);
}

/* A device below a bus with dma-ranges. */
static void translated_driver(void)
{
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop bus_props = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static struct rt_ofw_node node = { .full_name = "mmc", .parent = &bus };
    static struct rt_device mmc = { .parent.name = "mmc0", .ofw_node = &node };
    char *memory = kernel_memory();
    rt_ubase_t handle = rt_dma_map_single(&mmc, memory, 512, RT_DMA_FROM_DEVICE);

    EXPECT(handle == KERNEL_RAM + HOST_DMA_OFFSET);
    memset(host_device_view(handle - HOST_DMA_OFFSET), 0x71, 512);
    rt_dma_unmap_single(&mmc, handle, 512, RT_DMA_FROM_DEVICE);
    EXPECT(memory[511] == 0x71);
    handle = rt_dma_map_single(&mmc, memory + 1, 512, RT_DMA_FROM_DEVICE);
    EXPECT(!rt_dma_mapping_error(&mmc, handle) && handle != KERNEL_RAM + 1 + HOST_DMA_OFFSET);
    memset(host_device_view(handle - HOST_DMA_OFFSET), 0x72, 512);
    rt_dma_unmap_single(&mmc, handle, 512, RT_DMA_FROM_DEVICE);
    EXPECT(memory[0] == 0x71 && memory[1] == 0x72 && memory[512] == 0x72);
}

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

static void driver_behind_an_iommu(void)
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
static void interrupt_before_a_removal(void)
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
    EXPECT(freed == 0);
    rt_dmam_release(&vpu);
    EXPECT(freed == 1);
    memset((void *)&vpu, 0xdd, sizeof(vpu));
    handle = rt_dma_map_single(&nic, memory + 1, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
    EXPECT(freed == 1);
}

/* A wrong size or direction is logged, and the mapping is ended as it was made: no page stays taken. */
static void wrong_unmaps(void)
{
    static const struct { rt_size_t size; int direction; } wrong[] =
    {
        { 99, RT_DMA_FROM_DEVICE }, { 101, RT_DMA_FROM_DEVICE }, { 0, RT_DMA_FROM_DEVICE }, { ~0UL, RT_DMA_FROM_DEVICE },
        { 100, RT_DMA_TO_DEVICE }, { 100, RT_DMA_BIDIRECTIONAL }, { 100, RT_DMA_NONE }, { 100, -1 },
    };
    char *memory = kernel_memory();
    rt_ubase_t first = RT_DMA_MAPPING_ERROR;

    for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    {
        rt_ubase_t handle = rt_dma_map_single(&nic, memory + 1, 100, RT_DMA_FROM_DEVICE);

        EXPECT(handle != RT_DMA_MAPPING_ERROR && (i == 0 || handle == first));
        first = handle;
        memset(host_device_view(handle), 0x10 + i, 100);
        memset(memory, 0, 200);
        rt_dma_sync_single_for_cpu(&nic, handle, 0, RT_DMA_FROM_DEVICE);
        rt_dma_unmap_single(&nic, handle, wrong[i].size, wrong[i].direction);
        EXPECT(memory[0] == 0 && memory[1] == (char)(0x10 + i) && memory[100] == (char)(0x10 + i) && memory[101] == 0);
    }
}

/* Each of these wrong calls writes a line to the log, and does nothing else. */
static void wrong_mappings(void)
{
    char *memory = kernel_memory(), on_stack[64];
    struct rt_dma_sg sg = { memory, 64, 0 };
    rt_ubase_t handle;

    EXPECT(rt_dma_map_single(RT_NULL, memory, 64, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, RT_NULL, 64, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, 0, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, ~0UL, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, KERNEL_RAM_SIZE + 1, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, 64, RT_DMA_NONE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, 64, 4) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, memory, 64, -1) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_single(&nic, on_stack, 64, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_page(RT_NULL, KERNEL_RAM, 0, 64, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_page(&nic, ~0UL, 1, 64, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR);
    EXPECT(rt_dma_map_sg(RT_NULL, &sg, 1, RT_DMA_TO_DEVICE) == 0);
    EXPECT(rt_dma_map_sg(&nic, RT_NULL, 1, RT_DMA_TO_DEVICE) == 0);
    EXPECT(rt_dma_map_sg(&nic, &sg, 0, RT_DMA_TO_DEVICE) == 0);
    EXPECT(rt_dma_map_sg(&nic, &sg, -1, RT_DMA_TO_DEVICE) == 0);
    EXPECT(rt_dma_map_sg(&nic, &sg, 1, RT_DMA_NONE) == 0);
    rt_dma_unmap_sg(&nic, RT_NULL, 1, RT_DMA_TO_DEVICE);
    rt_dma_unmap_sg(RT_NULL, &sg, 1, RT_DMA_TO_DEVICE);
    rt_dma_sync_sg_for_cpu(&nic, RT_NULL, 1, RT_DMA_TO_DEVICE);
    rt_dma_sync_sg_for_device(&nic, &sg, -1, RT_DMA_TO_DEVICE);
    EXPECT(rt_dma_mapping_error(&nic, RT_DMA_MAPPING_ERROR) == -RT_ENOMEM);
    EXPECT(rt_dma_mapping_error(&nic, 0) == 0);

    handle = rt_dma_map_single(&nic, memory + 1, 100, RT_DMA_FROM_DEVICE);
    EXPECT(handle != RT_DMA_MAPPING_ERROR);
    memset(host_device_view(handle), 0x7e, 100);
    memset(memory, 0, 200);
    rt_dma_unmap_single(RT_NULL, handle, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, handle + 1, 99, RT_DMA_FROM_DEVICE);
    rt_dma_sync_single_for_cpu(&nic, handle, 101, RT_DMA_FROM_DEVICE);
    rt_dma_sync_single_for_cpu(RT_NULL, handle, 100, RT_DMA_FROM_DEVICE);
    rt_dma_sync_single_for_device(&nic, handle, ~0UL, RT_DMA_FROM_DEVICE);
    EXPECT(memory[1] == 0);
    rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
    EXPECT(memory[0] == 0 && memory[1] == 0x7e && memory[100] == 0x7e && memory[101] == 0);
    memset(memory, 0, 200);
    rt_dma_unmap_single(&nic, handle, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, RT_DMA_MAPPING_ERROR, 100, RT_DMA_FROM_DEVICE);
    rt_dma_unmap_single(&nic, 0, 100, RT_DMA_FROM_DEVICE);
    EXPECT(memory[1] == 0);
}

void streaming_drivers(void)
{
    network_driver();
    receive_in_place();
    block_driver();
    offsets_in_pages_are_kept();
    translated_driver();
    driver_behind_an_iommu();
    interrupt_before_a_removal();
    wrong_mappings();
    wrong_unmaps();
}
