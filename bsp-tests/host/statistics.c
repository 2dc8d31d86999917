/* SPDX-License-Identifier: Apache-2.0 */
/* Tests rt_dma_pool_statistics, rt_dma_pool_next, and the options of list_dma_pool. */
#include <string.h>

#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"


static struct rt_device device = { .parent.name = "statistics" };

/* The structure of a later version of the library. */
struct later
{
    struct rt_dma_pool_usage usage;
    rt_size_t more[2];
    rt_size_t after;
};

static struct rt_dma_pool *pool_named(const char *name)
{
    struct rt_dma_pool *pool = rt_dma_pool_next(RT_NULL);

    while (pool && strcmp(pool->region.name, name))
    {
        pool = rt_dma_pool_next(pool);
    }
    return pool;
}

/* Runs the command with an option, and returns what it printed. */
static const char *listed(const char *option, int result)
{
    char command[] = "list_dma_pool", text[16];
    char *argv[] = { command, text, RT_NULL };

    strncpy(text, option, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    host_forget_text();
    EXPECT(list_dma_pool(2, argv) == result);
    return host_text();
}

/* A request that is served with a smaller alignment than it could have has not failed. */
static void served_requests_did_not_fail(void)
{
    struct rt_dma_pool *pool = pool_named("cma");
    struct rt_dma_pool_usage before = { .struct_size = sizeof(before) }, usage = { .struct_size = sizeof(usage) };
    rt_ubase_t handle;
    void *buffer;

    EXPECT(rt_dma_pool_statistics(pool, &before) == RT_EOK);
    buffer = rt_dma_zalloc_coherent(&device, 5 * MIB, &handle);
    EXPECT(buffer && handle % (8 * MIB));
    rt_dma_free(&device, 5 * MIB, buffer, handle, rt_dma_wc_flags(&device));
    EXPECT(rt_dma_pool_statistics(pool, &usage) == RT_EOK);
    EXPECT_EQ(usage.failed, before.failed);
    EXPECT(!rt_dma_zalloc_coherent(&device, 100 * MIB, &handle));
    EXPECT(rt_dma_pool_statistics(pool, &usage) == RT_EOK);
    EXPECT_EQ(usage.failed, before.failed + 1);
}

void statistics(void)
{
    struct rt_dma_pool *pool = pool_named("coherent-pool");
    struct rt_dma_pool_usage before = { .struct_size = sizeof(before) }, usage = { .struct_size = sizeof(usage) };
    struct later later;
    rt_ubase_t handle;
    void *buffer;

    EXPECT(pool);
    EXPECT(rt_dma_pool_statistics(pool, &before) == RT_EOK);
    EXPECT(before.total == pool->bits * 4096 && before.peak >= before.used && before.longest_free >= 16384);
    buffer = rt_dma_alloc(&device, 12345, &handle, 0);
    EXPECT(buffer && handle >= pool->start && handle < pool->start + before.total);
    EXPECT(!rt_dma_alloc(&device, 1UL << 40, &handle, 0));
    EXPECT(rt_dma_pool_statistics(pool, &usage) == RT_EOK);
    EXPECT(usage.struct_size == sizeof(usage) && usage.total == before.total && usage.used == before.used + 16384);
    EXPECT(usage.buffers == before.buffers + 1 && usage.failed == before.failed + 1);
    EXPECT(usage.largest_failed >= 1UL << 40 && usage.peak >= usage.used);

    /* A larger structure gets zeros, and what follows it is left alone. A smaller one is refused. */
    memset(&later, 0xa5, sizeof(later));
    later.usage.struct_size = offsetof(struct later, after);
    EXPECT(rt_dma_pool_statistics(pool, &later.usage) == RT_EOK);
    EXPECT(later.usage.used == usage.used && !later.more[0] && !later.more[1] && later.after);
    usage.struct_size = sizeof(usage) - sizeof(rt_size_t);
    EXPECT(rt_dma_pool_statistics(pool, &usage) == -RT_EINVAL);
    usage.struct_size = sizeof(usage);
    EXPECT(rt_dma_pool_statistics(pool, RT_NULL) == -RT_EINVAL);
    EXPECT(rt_dma_pool_statistics(RT_NULL, &usage) == -RT_EINVAL);
    EXPECT(rt_dma_pool_statistics((struct rt_dma_pool *)&later, &usage) == -RT_EINVAL);
    EXPECT(!rt_dma_pool_next((struct rt_dma_pool *)&later));

    EXPECT(strstr(listed("-v", 0), "coherent-pool [0x") && strstr(host_text(), " x 16 KiB"));
    EXPECT(strstr(host_text(), "requests that failed: "));
    EXPECT(strstr(listed("-m", 0), "coherent-pool [0x") && strstr(host_text(), "for each character") && strstr(host_text(), "#"));
    EXPECT(strstr(listed("-vm", -1), "usage: list_dma_pool"));
    EXPECT(strstr(listed("cma", -1), "usage: list_dma_pool"));
    EXPECT(strstr(listed("-", -1), "usage: list_dma_pool"));
    rt_dma_free(&device, 12345, buffer, handle, 0);
    served_requests_did_not_fail();
}
