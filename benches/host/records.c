/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records: instructions of rt_dma_map_single and rt_dma_unmap_single of pool memory, in a ring of mappings: the oldest
 * ends before the next is made.
 *
 * Lines: "records LIVE COUNTED": callgrind counted COUNTED maps and as many unmaps under "records LIVE", while LIVE
 * mappings, or one less, were live.
 */
#include <mm_aspace.h>
#include <rt_dma.h>

#include "kernel.h"
#include "bench.h"

#define PAGE        ARCH_PAGE_SIZE
#define MOST        1024
#define COUNTED     4096

static struct rt_device device = { .parent.name = "records", .user_data = "coherent" };
static rt_ubase_t handles[MOST];

static void map(char *memory, int at)
{
    handles[at] = rt_dma_map_single(&device, memory + at * PAGE, PAGE, RT_DMA_TO_DEVICE);
    MUST(handles[at] != RT_DMA_MAPPING_ERROR);
}

static void run_turns(char *memory, int live, int count)
{
    for (int turn = 0; turn < count; ++turn)
    {
        rt_dma_unmap_single(&device, handles[turn % live], PAGE, RT_DMA_TO_DEVICE);
        map(memory, turn % live);
    }
}

int main(void)
{
    static const int lives[] = { 1, 64, MOST };
    rt_region_t region = { HOST_RAM, HOST_RAM + 2 * MOST * PAGE, "records" };
    rt_ubase_t handle;
    char *memory;

    host_start();
    MUST(rt_dma_pool_install(&region));
    memory = rt_dma_alloc(&device, MOST * PAGE, &handle, 0);
    MUST(memory);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(lives); ++i)
    {
        char name[32];

        for (int at = 0; at < lives[i]; ++at)
        {
            map(memory, at);
        }
        run_turns(memory, lives[i], MOST);
        snprintf(name, sizeof(name), "records %d", lives[i]);
        COUNT(name, run_turns(memory, lives[i], COUNTED));
        printf("records %d %d\n", lives[i], COUNTED);
        for (int at = 0; at < lives[i]; ++at)
        {
            rt_dma_unmap_single(&device, handles[at], PAGE, RT_DMA_TO_DEVICE);
        }
    }
    return 0;
}
