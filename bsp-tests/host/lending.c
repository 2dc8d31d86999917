/* SPDX-License-Identifier: Apache-2.0 */
/* Tests rt_dma_borrow and rt_dma_give_back, with an owner of a reusable region that the device tree describes. */
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

#define REGION_START    (HOST_RAM + 48 * MIB)
#define REGION_SIZE     (64 * 1024UL)

static void *borrowed[16];
static int count, asked;

static void give_back(void *memory, rt_size_t size, void *arg)
{
    EXPECT(size == 4096 && arg == &count);
    ++asked;
    for (int i = 0; i < count; i++)
    {
        if (borrowed[i] == memory)
        {
            borrowed[i] = borrowed[--count];
            rt_dma_give_back(memory);
            return;
        }
    }
}

static void keep(void *memory, rt_size_t size, void *arg)
{
    RT_UNUSED(memory);
    RT_UNUSED(size);
    RT_UNUSED(arg);
    ++asked;
}

/* A block pool of the owner, while a borrower keeps the rest of the region: other memory serves the pool. */
static void blocks_of(struct rt_device *owner)
{
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create_linux("owned", owner, 4096, 0, 0);
    void *blocks[4];
    rt_ubase_t handles[4];

    EXPECT(pool);
    for (count = 0; count < 12; count++)
    {
        borrowed[count] = rt_dma_borrow(4096, keep, RT_NULL);
        EXPECT(borrowed[count]);
    }
    EXPECT(!rt_dma_borrow(4096, keep, RT_NULL));
    asked = 0;
    /* A call that gets a free block completes the reserve with what is free. */
    for (int i = 0; i < 4; i++)
    {
        blocks[i] = rt_dma_block_pool_alloc(pool, &handles[i]);
        EXPECT(blocks[i] && handles[i] >= REGION_START && handles[i] < REGION_START + REGION_SIZE);
    }
    for (int i = 0; i < 4; i++)
    {
        rt_dma_block_pool_free(pool, blocks[i], handles[i]);
    }
    EXPECT_EQ(asked, 0);
    /* A fill asks: each of the 12 borrowers at once, and every 10 of 100 ticks. It does not wait for them again. */
    EXPECT(rt_dma_block_pool_fill(pool, 12) == RT_EOK);
    EXPECT_EQ(asked, 120);
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
    while (count > 0)
    {
        rt_dma_give_back(borrowed[--count]);
    }
    asked = 0;
}

void borrowers(void)
{
    static fdt32_t reg[] = { CELLS(REGION_START), CELLS(REGION_SIZE) };
    static fdt32_t names[] = { CELL(7) };
    static struct rt_ofw_prop place = { "reg", sizeof(reg), reg, RT_NULL };
    static struct rt_ofw_prop reusable = { "reusable", 0, RT_NULL, &place };
    static struct rt_ofw_node memory = { .full_name = "lent", .phandle = 7, .props = &reusable };
    static struct rt_ofw_prop name_props = { "memory-region", sizeof(names), names, RT_NULL };
    static struct rt_ofw_node node = { .full_name = "encoder", .props = &name_props };
    static struct rt_device owner = { .parent.name = "encoder", .ofw_node = &node };
    static struct rt_device stranger = { .parent.name = "stranger" };
    rt_ubase_t handle;
    void *buffer;

    host_add_node(&memory);
    buffer = rt_dma_alloc(&owner, REGION_SIZE, &handle, 0);
    EXPECT(buffer && handle == REGION_START);
    EXPECT(!rt_dma_borrow(4096, keep, RT_NULL));
    rt_dma_free(&owner, REGION_SIZE, buffer, handle, 0);
    EXPECT(!rt_dma_alloc(&stranger, 4096, &handle, RT_DMA_F_DEVICE));

    for (count = 0; count < 16 && (borrowed[count] = rt_dma_borrow(4096, give_back, &count)); ++count)
    {
        memset(borrowed[count], count, 4096);
    }
    EXPECT(count == 16 && !rt_dma_borrow(4096, give_back, &count));
    buffer = rt_dma_alloc(&owner, REGION_SIZE, &handle, 0);
    EXPECT(buffer && handle == REGION_START && count == 0 && asked == 16);
    rt_dma_free(&owner, REGION_SIZE, buffer, handle, 0);
    asked = 0;

    /* A borrower that keeps its memory is named. The owner is then served as if its region were full. */
    borrowed[0] = rt_dma_borrow(REGION_SIZE, keep, RT_NULL);
    EXPECT(borrowed[0]);
    host_forget_text();
    buffer = rt_dma_alloc(&owner, REGION_SIZE, &handle, 0);
    EXPECT(buffer && (handle < REGION_START || handle >= REGION_START + REGION_SIZE));
    EXPECT(strstr(host_text(), "borrower 0x") && strstr(host_text(), "keeps 65536 bytes"));
    rt_dma_free(&owner, REGION_SIZE, buffer, handle, 0);
    rt_dma_give_back(borrowed[0]);
    rt_dma_give_back(borrowed[0]);
    EXPECT(strstr(host_last_text(), "no buffer"));
    rt_dma_give_back(RT_NULL);
    EXPECT(!rt_dma_borrow(4096, RT_NULL, RT_NULL) && !rt_dma_borrow(0, keep, RT_NULL));
    blocks_of(&owner);
    host_remove_node(7);
}
