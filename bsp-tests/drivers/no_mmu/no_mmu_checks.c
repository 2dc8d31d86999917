/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command dma_smoke of a kernel that leaves the MMU off: every virtual address is the physical address, and memory
 * has no other view. The kernel has no page tables, and stops when a call tries to use them.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mmu.h>
#include <stand_in.h>

#define PAGE    ARCH_PAGE_SIZE
#define PAGES   8

static struct rt_device dev = { .parent.name = "no_mmu" };

static void *take(rt_size_t size, rt_ubase_t *handle)
{
    *handle = 0;

    return rt_dma_alloc(&dev, size, handle, 0);
}

/* Checks that a cached buffer lies at its physical address, keeps what is written to it, and overlaps no other. */
static const char *check_cached(void)
{
    void *va[PAGES];
    rt_ubase_t handle[PAGES], mapped;
    const char *error = RT_NULL;

    for (rt_size_t i = 0; i < PAGES; ++i)
    {
        va[i] = take(PAGE, &handle[i]);
        if (!va[i] || (rt_ubase_t)va[i] != handle[i])
        {
            return va[i] ? "a buffer is not at its physical address" : "no cached buffer";
        }
        rt_memset(va[i], (int)i + 1, PAGE);
    }
    for (rt_size_t i = 0; i < PAGES; ++i)
    {
        rt_uint8_t *bytes = va[i];

        if (bytes[0] != i + 1 || bytes[PAGE - 1] != i + 1)
        {
            error = "a buffer was overwritten";
        }
        mapped = 0;
        if (rt_dma_sync_out_data(&dev, va[i], PAGE, &mapped, 0) || mapped != handle[i]
                || rt_dma_sync_in_data(&dev, va[i], PAGE, mapped, 0))
        {
            error = "a sync call fails, or gives another handle";
        }
        rt_dma_free(&dev, PAGE, va[i], handle[i], 0);
    }
    return error;
}

/* Checks that every page of the two pools can be allocated: first the coherent pool's, then the other pool's. */
static const char *check_every_page(void)
{
    rt_size_t coherent = stand_in_coherent_size(), rest = stand_in_cma_size() - coherent;
    rt_ubase_t first_handle, second_handle, no_handle;
    void *first = take(coherent, &first_handle);
    void *second = take(rest, &second_handle);
    void *more = take(PAGE, &no_handle);
    const char *error = RT_NULL;

    if (!first || !second || more)
    {
        error = "the pools do not serve exactly what they have";
    }
    else
    {
        rt_memset(first, 1, coherent);
        rt_memset(second, 2, rest);
        if (*((rt_uint8_t *)first + coherent - 1) != 1)
        {
            error = "the second pool overlaps the first";
        }
    }
    rt_dma_free(&dev, coherent, first, first_handle, 0);
    rt_dma_free(&dev, rest, second, second_handle, 0);

    return error;
}

/* Requests for other memory types return NULL and log one line each. ci/smoke counts these lines. */
static const char *check_uncached(void)
{
    static const rt_ubase_t flags[] =
    {
        RT_DMA_F_NOCACHE,
        RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR,
#ifdef RT_DMA_F_WT
        RT_DMA_F_WT,
#endif
    };

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(flags); ++i)
    {
        rt_ubase_t handle;

        if (rt_dma_alloc(&dev, PAGE, &handle, flags[i]))
        {
            return "memory of another type than cached is served";
        }
        rt_kprintf("refused: flags 0x%lx\n", flags[i]);
    }
    /* The refused requests lost no page. */
    return check_every_page();
}

static const struct
{
    const char *name;
    const char *(*run)(void);
} checks[] =
{
    { "fault_28_without_page_tables_cached_buffers_are_where_their_handle_says", check_cached },
    { "fault_28_without_page_tables_pools_serve_every_page", check_every_page },
    { "fault_28_without_page_tables_other_memory_types_are_refused", check_uncached },
};

static int dma_smoke(int argc, char *argv[])
{
    int passed = 0, failed = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(checks); ++i)
    {
        const char *error = checks[i].run();

        if (error)
        {
            ++failed;
            rt_kprintf("FAIL %s: %s\n", checks[i].name, error);
        }
        else
        {
            ++passed;
            rt_kprintf("PASS %s\n", checks[i].name);
        }
    }
    rt_kprintf("dma_smoke: %d passed, %d failed\n", passed, failed);

    return failed;
}
MSH_CMD_EXPORT(dma_smoke, check DMA memory of a kernel without page tables);
