/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong calls of the functions for streaming mappings. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "streaming.h"

/* A wrong size or direction is logged, and the mapping is ended as it was made: no page stays taken. */
void wrong_unmaps(void)
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
void wrong_mappings(void)
{
    char *memory = kernel_memory(), on_stack[64];
    struct rt_dma_sg sg = { memory, 64, 0 };
    static struct rt_ofw_node node = { .full_name = "new" };
    struct rt_device new = { .parent.name = "new", .ofw_node = &node };
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
    EXPECT(rt_dma_map_sg(RT_NULL, &sg, 1, RT_DMA_TO_DEVICE) == 0 && sg.dma_handle == RT_DMA_MAPPING_ERROR);
    sg.dma_handle = 0;
    host_enter_interrupt();
    EXPECT(rt_dma_map_sg(&new, &sg, 1, RT_DMA_TO_DEVICE) == 0 && sg.dma_handle == RT_DMA_MAPPING_ERROR);
    host_leave_interrupt();
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
