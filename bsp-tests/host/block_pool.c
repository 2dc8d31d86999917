/* SPDX-License-Identifier: Apache-2.0 */
/* Tests block pools: a driver's ring of descriptors, calls from an interrupt, and wrong calls. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"

static struct rt_device device = { .parent.name = "blocks" };

struct descriptor
{
    rt_uint64_t next, data[8];
};

/* Descriptors of 72 bytes, aligned to 32, each with the handle of the next. Then all of them are freed. */
static void ring_of_descriptors(void)
{
    struct rt_dma_block_pool *pool;
    struct descriptor *ring[500];
    rt_ubase_t handles[500];
    char name[] = "ring";

    pool = rt_dma_block_pool_create(name, &device, sizeof(struct descriptor), 32, 4096);
    EXPECT(pool);
    memset(name, 'x', sizeof(name));    /* the pool has a copy of its name */
    for (int i = 0; i < 500; i++)
    {
        ring[i] = rt_dma_block_pool_zalloc(pool, &handles[i]);
        EXPECT(ring[i] && rt_kmem_v2p(ring[i]) == (void *)handles[i]);
        EXPECT(handles[i] % 32 == 0 && handles[i] / 4096 == (handles[i] + sizeof(*ring[i]) - 1) / 4096);
        for (int word = 0; word < 8; word++)
        {
            EXPECT(ring[i]->data[word] == 0);
            ring[i]->data[word] = i;
        }
        ring[i]->next = handles[0];
        if (i)
        {
            ring[i - 1]->next = handles[i];
        }
    }
    for (int i = 0; i < 500; i++)
    {
        struct descriptor *seen = host_device_view(handles[i]);

        EXPECT(seen->data[0] == (rt_uint64_t)i && seen->data[7] == (rt_uint64_t)i);
        EXPECT(seen->next == handles[(i + 1) % 500]);
    }
    list_dma_block_pool(0, RT_NULL);
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_EBUSY);
    EXPECT(rt_dma_block_pool_trim(pool) == 0);
    for (int i = 0; i < 500; i++)
    {
        rt_dma_block_pool_free(pool, ring[i], i % 2 ? handles[i] : 0);
    }
    /* A page holds 42 descriptors of 96 bytes. */
    EXPECT(rt_dma_block_pool_trim(pool) == 12 && rt_dma_block_pool_trim(pool) == 0);
    /* A block that was used before is zeroed again. */
    ring[0] = rt_dma_block_pool_zalloc(pool, RT_NULL);
    for (int word = 0; word < 12; word++)
    {
        EXPECT(((rt_uint64_t *)ring[0])[word] == 0);
    }
    rt_dma_block_pool_free(pool, ring[0], 0);
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
}

/* A completion interrupt frees one descriptor and allocates the next. */
static void completion_interrupt(void)
{
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create("interrupt", &device, 16, 16, 0);
    rt_ubase_t handle, next;
    void *block;

    host_enter_interrupt();
    EXPECT(!rt_dma_block_pool_alloc(pool, &handle));
    EXPECT(!rt_dma_block_pool_create("interrupt", &device, 16, 16, 0));
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_ERROR && rt_dma_block_pool_trim(pool) == 0);
    host_leave_interrupt();
    block = rt_dma_block_pool_alloc(pool, &handle);
    EXPECT(block);
    host_enter_interrupt();
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_free(pool, block, handle);
    block = rt_dma_block_pool_zalloc(pool, &next);
    EXPECT(block && next == handle);
    rt_dma_block_pool_free(pool, block, next);
    host_leave_interrupt();
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
}

/* Each of these calls logs a line and changes nothing. */
static void wrong_calls(void)
{
    struct rt_dma_block_pool *pool = rt_dma_block_pool_create(RT_NULL, &device, 64, 0, 0), *other;
    rt_ubase_t handle = 77, theirs;
    char on_stack[64], *block, *foreign;

    EXPECT(!rt_dma_block_pool_create("null", RT_NULL, 64, 64, 0));
    EXPECT(!rt_dma_block_pool_create("size", &device, 0, 64, 0));
    EXPECT(!rt_dma_block_pool_create("huge", &device, ~0UL, 64, 0));
    EXPECT(!rt_dma_block_pool_create("align", &device, 64, 65, 0));
    EXPECT(!rt_dma_block_pool_create("align", &device, 64, 2 * ARCH_PAGE_SIZE, 0));
    EXPECT(!rt_dma_block_pool_create("boundary", &device, 64, 64, 32));
    EXPECT(!rt_dma_block_pool_create("boundary", &device, 64, 64, 96));
    EXPECT(!rt_dma_block_pool_alloc(RT_NULL, &handle) && !rt_dma_block_pool_zalloc(RT_NULL, &handle) && handle == 77);
    EXPECT(rt_dma_block_pool_trim(RT_NULL) == 0 && rt_dma_block_pool_destroy(RT_NULL) == -RT_EINVAL);
    EXPECT(rt_dma_block_pool_destroy((struct rt_dma_block_pool *)on_stack) == -RT_EINVAL);

    other = rt_dma_block_pool_create("other", &device, 64, 64, 0);
    foreign = rt_dma_block_pool_alloc(other, &theirs);
    block = rt_dma_block_pool_alloc(pool, &handle);
    rt_dma_block_pool_free(RT_NULL, block, handle);
    rt_dma_block_pool_free(pool, RT_NULL, handle);
    rt_dma_block_pool_free(pool, on_stack, 0);
    rt_dma_block_pool_free(pool, foreign, theirs);
    rt_dma_block_pool_free(pool, block + 8, handle + 8);
    rt_dma_block_pool_free(pool, block + 1, 0);
    rt_dma_block_pool_free(pool, block, handle + 64);
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_EBUSY);
    rt_dma_block_pool_free(pool, block, handle);
    rt_dma_block_pool_free(pool, block, handle);
    EXPECT(rt_dma_block_pool_destroy(pool) == RT_EOK);
    EXPECT(rt_dma_block_pool_destroy(pool) == -RT_EINVAL);
    rt_dma_block_pool_free(other, foreign, theirs);
    EXPECT(rt_dma_block_pool_destroy(other) == RT_EOK);
}

static int bsp_spans;

static void *bsp_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    static char own[4 * ARCH_PAGE_SIZE] __attribute__((aligned(ARCH_PAGE_SIZE)));

    RT_UNUSED(dev);
    if (bsp_spans || size > sizeof(own) || flags != (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR))
    {
        return RT_NULL;
    }
    bsp_spans++;
    *dma_handle = 0x12340000;
    return own;
}

static void bsp_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(flags);
    EXPECT(size == ARCH_PAGE_SIZE && cpu_addr && dma_handle == 0x12340000);
    bsp_spans--;
}

/* The pages come from the device's own operations, and are returned to them. */
static void memory_of_the_bsp(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = bsp_alloc, .free = bsp_free };
    struct rt_device own = { .parent.name = "own ops" };
    struct rt_dma_block_pool *pool;
    rt_ubase_t handles[2];
    void *blocks[2];

    rt_dma_device_set_ops(&own, &ops);
    pool = rt_dma_block_pool_create("bsp", &own, 2048, 2048, 4096);
    for (int i = 0; i < 2; i++)
    {
        blocks[i] = rt_dma_block_pool_alloc(pool, &handles[i]);
        EXPECT(blocks[i] && (handles[i] & ~0x800UL) == 0x12340000);
    }
    EXPECT(!rt_dma_block_pool_alloc(pool, RT_NULL));
    for (int i = 0; i < 2; i++)
    {
        rt_dma_block_pool_free(pool, blocks[i], handles[i]);
    }
    EXPECT(bsp_spans == 1 && rt_dma_block_pool_destroy(pool) == RT_EOK && bsp_spans == 0);
}

void block_pools(void)
{
    ring_of_descriptors();
    completion_interrupt();
    wrong_calls();
    memory_of_the_bsp();
}
