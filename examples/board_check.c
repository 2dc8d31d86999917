/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The msh command dma_smoke for any board. It allocates every page that a device can get, one by one, checks that no
 * page is handed out twice, frees all pages, and makes wrong calls. It prints a line with PASS or FAIL for each check.
 * For a short time, other drivers get no DMA memory: do not run the command on a system in use.
 */
#include <rtthread.h>
#include <rtdevice.h>

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

static struct rt_device smoke_device;

/* Each page holds the address of the page that was allocated before it, and its own handle. */
struct page
{
    struct page *before;
    rt_ubase_t handle;
};

static rt_size_t allocate_all(rt_ubase_t flags, struct page **last)
{
    rt_size_t pages = 0;
    rt_ubase_t handle;
    struct page *page;

    for (*last = RT_NULL; (page = rt_dma_alloc(&smoke_device, RT_DMA_PAGE_SIZE, &handle, flags)); *last = page)
    {
        page->before = *last;
        page->handle = handle;
        ++pages;
    }

    return pages;
}

static rt_size_t free_all(rt_ubase_t flags, struct page *last)
{
    rt_size_t pages = 0;

    while (last)
    {
        struct page *page = last;

        last = page->before;
        rt_dma_free(&smoke_device, RT_DMA_PAGE_SIZE, page, page->handle, flags);
        ++pages;
    }

    return pages;
}

/* Prints a line. Returns 1 if the check failed, and else 0. */
static int report(const char *what, rt_bool_t holds)
{
    rt_kprintf("%s %s\n", holds ? "PASS" : "FAIL", what);

    return !holds;
}

/*
 * If a page was handed out twice, the second owner's words overwrite the first one's. The list of pages then loses
 * pages or has a loop, so that the numbers of allocated and of freed pages differ or the command does not end.
 */
static int check_pages(const char *what, rt_ubase_t flags)
{
    struct page *last;
    rt_size_t first, freed, second;

    first = allocate_all(flags, &last);
    freed = free_all(flags, last);
    second = allocate_all(flags, &last);
    free_all(flags, last);

    return report(what, first && first == freed && first == second);
}

static int check_wrong_calls(void)
{
    rt_ubase_t handle, other;
    char *buffer = rt_dma_alloc(&smoke_device, 2 * RT_DMA_PAGE_SIZE, &handle, 0), *next;
    rt_bool_t holds;

    rt_dma_free(&smoke_device, RT_DMA_PAGE_SIZE, buffer, handle, 0);
    rt_dma_free(&smoke_device, 2 * RT_DMA_PAGE_SIZE, buffer + 1, handle, 0);
    rt_dma_free(&smoke_device, 2 * RT_DMA_PAGE_SIZE, buffer, handle + RT_DMA_PAGE_SIZE, 0);
    next = rt_dma_alloc(&smoke_device, RT_DMA_PAGE_SIZE, &other, 0);
    holds = buffer && next && (other < handle || other >= handle + 2 * RT_DMA_PAGE_SIZE);
    rt_dma_free(&smoke_device, RT_DMA_PAGE_SIZE, next, other, 0);
    rt_dma_free(&smoke_device, 2 * RT_DMA_PAGE_SIZE, buffer, handle, 0);

    return report("wrong calls change nothing", holds);
}

static int dma_smoke(int argc, char **argv)
{
    int failed = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    failed += check_pages("every page once, cached", 0);
    failed += check_pages("every page once, uncached", RT_DMA_F_NOCACHE);
    failed += check_wrong_calls();
    rt_kprintf("dma_smoke: %d passed, %d failed\n", 3 - failed, failed);

    return failed;
}
MSH_CMD_EXPORT(dma_smoke, check the DMA memory pools);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */
