/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming mappings of drivers: a network driver's, a block driver's, a translated device's. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "streaming.h"
#include "subjects.h"

struct rt_device nic = { .parent.name = "nic" };

char *kernel_memory(void)
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

    EXPECT(rt_dma_map_fill(RT_NULL, 40) == -RT_EINVAL && strstr(host_text(), "a streaming mapping needs a device"));
    EXPECT(rt_dma_map_fill(&nic, 65537) == -RT_EINVAL && strstr(host_text(), "map_fill of 65537 records: more than 65536"));
    EXPECT(rt_dma_map_fill(&nic, 40) == RT_EOK);
    host_enter_interrupt();
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
    host_leave_interrupt();
}

/* Packets go out as they are, and come in to buffers of any alignment, in an interrupt too. */
static void network_driver(void)
{
    char *memory = kernel_memory();

    for (int in_interrupt = 0; in_interrupt < 2; in_interrupt++)
    {
        if (in_interrupt)
        {
            host_enter_interrupt();
        }
        for (rt_size_t at = 0; at < 9; at++)
        {
            char *packet = memory + at * 2049, before = packet[-1 + (at == 0)], after = packet[1500];
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
            EXPECT(packet[1499] == 0x11 && packet[1500] == after && (at == 0 || packet[-1] == before));
        }
        host_leave_interrupt();
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

void streaming_drivers(void)
{
    network_driver();
    receive_in_place();
    block_driver();
    offsets_in_pages_are_kept();
    translated_driver();
    driver_behind_an_iommu();
    interrupt_before_a_removal();
    mask_over_own_syncs();
    mask_over_syncs_that_invalidate();
    cleared_memory_of_own_operations();
    own_allocations_and_default_syncs();
    default_syncs_of_a_snooping_device();
    bounce_within_the_mask();
    bounce_out_of_the_mask();
    copied_sync_out_of_reach();
    failed_fills();
    own_syncs_that_move_kept_bits();
    wrong_mappings();
    wrong_unmaps();
}
