/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming maps of several cores: in place, with bounce buffers, and of memory of a pool, of which each is recorded. */
#include <string.h>

#include "threads.h"

static struct rt_device dev = { .parent.name = "mappings" };

static void map_once(char *memory, rt_size_t size, int direction, int core)
{
    rt_ubase_t handle;

    memset(memory, core, size);
    handle = rt_dma_map_single(&dev, memory, size, direction);
    EXPECT(!rt_dma_mapping_error(&dev, handle));
    rt_dma_sync_single_for_cpu(&dev, handle, size, direction);
    EXPECT(memory[0] == core && memory[size - 1] == core);
    rt_dma_sync_single_for_device(&dev, handle, size, direction);
    rt_dma_unmap_single(&dev, handle, size, direction);
    EXPECT(memory[0] == core && memory[size - 1] == core);
}

static void on_one_core(int core)
{
    char *memory = kernel_memory(core);
    rt_ubase_t handle;
    char *buffer = rt_dma_alloc(&dev, 8192, &handle, 0);

    EXPECT(buffer);
    for (int step = 0; step < 150; step++)
    {
        map_once(memory + step * 64, 1500, RT_DMA_TO_DEVICE, core);
        map_once(memory + 1 + step * 64, 1500, RT_DMA_BIDIRECTIONAL, core);
        map_once(buffer + step, 100, RT_DMA_BIDIRECTIONAL, core);
        map_once(buffer + 4096, 256, RT_DMA_FROM_DEVICE, core);
        /* A card whose driver sets its masks now and then, as all do when they begin. */
        if (step % 32 == 0)
        {
            EXPECT(rt_dma_set_mask_and_coherent(&dev, ((1ULL << 40) - 1)) == RT_EOK);
            EXPECT(rt_dma_get_mask(&dev) == ((1ULL << 40) - 1));
            EXPECT(rt_dma_set_max_segment(&dev, 65536) == RT_EOK && rt_dma_get_max_segment(&dev) == 65536);
        }
    }
    rt_dma_free(&dev, 8192, buffer, handle, 0);
}

/* An interrupt maps what threads made ready. */
static void in_interrupts(int core)
{
    char *memory = kernel_memory(core);

    EXPECT(rt_dma_map_fill(&dev, 16) == RT_EOK);
    for (int step = 0; step < 100; step++)
    {
        host_enter_interrupt();
        map_once(memory + 1 + step * 128, 100, RT_DMA_BIDIRECTIONAL, core);
        host_leave_interrupt();
    }
}

void mappings(void)
{
    on_every_core(on_one_core);
    on_every_core(in_interrupts);
}
