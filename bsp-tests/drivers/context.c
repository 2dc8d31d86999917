/* SPDX-License-Identifier: Apache-2.0 */
/* Tests calls with interrupts masked, and calls during which an interrupt disturbs an address translation. */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

static struct rt_device dev = { .parent.name = "context" };

/*
 * The stand-in kernel stops with a line of its own when a function that may sleep is called with interrupts masked. Its
 * rt_hw_interrupt_is_disabled() always returns false, as on most of RT-Thread's processors.
 */
static const char *check_calls_with_interrupts_off(rt_bool_t has_views)
{
    static const rt_ubase_t needs_view[] =
    {
        COHERENT,
#ifdef RT_DMA_F_WT
        RT_DMA_F_WT,
#endif
    };
    static char unpooled[256] rt_align(256);
    rt_region_t region = { 0x1000, 0x3000, "context" };
    rt_ubase_t handle = 0, mapped;
    struct rt_dma_block_pool *pool;
    void *va;

    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(needs_view); ++i)
    {
        va = rt_dma_alloc(&dev, PAGE, &handle, needs_view[i]);
        if (!va != !has_views)
        {
            return why("flags 0x%lx: %s", needs_view[i], va ? "served without a view" : "refused");
        }
        if (va)
        {
            rt_dma_free(&dev, PAGE, va, handle, needs_view[i]);
        }
    }
    va = rt_dma_alloc(&dev, PAGE, &handle, 0);
    if (!va)
    {
        return "no cached buffer, which needs nothing that sleeps";
    }
    if (rt_dma_sync_out_data(&dev, va, PAGE, &mapped, 0) || mapped != handle
            || rt_dma_sync_in_data(&dev, va, PAGE, handle, 0))
    {
        return "a sync call fails";
    }
    /* These calls are wrong. The library must not log a line here, because logging may sleep. */
    rt_dma_free(&dev, 2 * PAGE, va, handle, 0);
    rt_dma_free(&dev, PAGE, va, handle, 0);
    rt_dma_free(&dev, PAGE, va, handle, 0);
    rt_dma_alloc(&dev, stand_in_cma_size() + PAGE, &handle, 0);

    if (rt_dma_pool_install(&region))
    {
        return "a pool is installed with interrupts masked";
    }
    pool = rt_dma_block_pool_create("context", &dev, 64, 64, 0);
    if (pool)
    {
        return "a block pool is made with interrupts masked";
    }
    /* The buffer is contiguous and shares no cache line, so that mapping it needs a record at most. */
    mapped = rt_dma_map_single(&dev, unpooled, sizeof(unpooled), RT_DMA_TO_DEVICE);
    if (!rt_dma_mapping_error(&dev, mapped))
    {
        rt_dma_unmap_single(&dev, mapped, sizeof(unpooled), RT_DMA_TO_DEVICE);
    }
    rt_dma_set_mask(&dev, 0xffffffff);

    return RT_NULL;
}

const char *check_interrupts_off(void)
{
    /* Whether an earlier run of dma_smoke has made the views. */
    static rt_bool_t has_views;
    const char *error;
    rt_base_t level;
    rt_ubase_t handle;
    void *va;

    level = rt_hw_local_irq_disable();
    error = check_calls_with_interrupts_off(has_views);
    rt_hw_local_irq_enable(level);
    if (error)
    {
        return error;
    }
    level = rt_hw_interrupt_disable();
    error = check_calls_with_interrupts_off(has_views);
    rt_hw_interrupt_enable(level);
    if (error)
    {
        return error;
    }
    /* The calls above made no view. The checks after this one make them, and the next run of dma_smoke finds them. */
    has_views = RT_TRUE;
    va = rt_dma_alloc(&dev, PAGE, &handle, 0);
    if (!va)
    {
        return "no cached buffer afterwards";
    }
    rt_dma_free(&dev, PAGE, va, handle, 0);

    return RT_NULL;
}

#ifdef __aarch64__
static rt_ubase_t interrupt_masks(void)
{
    rt_ubase_t daif;

    __asm__ volatile ("mrs %0, daif" : "=r" (daif) : : "memory");
    return daif;
}

/* Checks that the library's call leaves the result of an interrupted translation, and the interrupt masks, unchanged. */
static const char *check_left_as_found(void *va, rt_size_t size, rt_ubase_t flags)
{
    const char *error = RT_NULL;

    for (int masked = 0; masked < 2 && !error; ++masked)
    {
        static int another;
        rt_base_t level = masked ? rt_hw_local_irq_disable() : 0;
        rt_ubase_t masks = interrupt_masks(), par, after, handle;

        __asm__ volatile ("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r" (par) : "r" (&another) : "memory");
        rt_dma_sync_out_data(&dev, va, size, &handle, flags);
        __asm__ volatile ("mrs %0, par_el1" : "=r" (after) : : "memory");
        if (after != par)
        {
            error = why("PAR_EL1 was 0x%lx, and is 0x%lx", par, after);
        }
        else if (interrupt_masks() != masks)
        {
            error = why("DAIF was 0x%lx, and is 0x%lx", masks, interrupt_masks());
        }
        if (masked)
        {
            rt_hw_local_irq_enable(level);
        }
    }
    return error;
}
#endif

const char *check_translation(void)
{
    static char unpooled[4 * PAGE] rt_align(PAGE);
    const char *error = RT_NULL;
    rt_ubase_t handle, mapped;
    rt_size_t size = 16 * PAGE;
    void *va;

    for (rt_size_t at = 0; at < sizeof(unpooled); at += 1000)
    {
        rt_ubase_t expected = (rt_ubase_t)stand_in_v2p(unpooled + at);

        if (rt_dma_sync_out_data(&dev, unpooled + at, 1, &handle, 0) || handle != expected)
        {
            return why("the handle of %p is 0x%lx, not 0x%lx", (void *)(unpooled + at), handle, expected);
        }
    }
    for (int kind = 0; kind < 2; ++kind)
    {
        rt_ubase_t flags = kind ? COHERENT : 0;

        va = rt_dma_alloc(&dev, size, &handle, flags);
        if (!va)
        {
            return why("no buffer of flags 0x%lx: its view is lost", flags);
        }
        if (stand_in_v2p(va) != (void *)handle)
        {
            error = why("%p leads to %p, not 0x%lx", va, stand_in_v2p(va), handle);
        }
        mapped = rt_dma_map_single(&dev, va, size, RT_DMA_FROM_DEVICE);
        if (rt_dma_mapping_error(&dev, mapped) || mapped != handle)
        {
            error = why("0x%lx is mapped as 0x%lx", handle, mapped);
        }
        else
        {
            rt_dma_unmap_single(&dev, mapped, size, RT_DMA_FROM_DEVICE);
        }
#ifdef __aarch64__
        error = error ? error : check_left_as_found(va, size, flags);
#endif
        rt_dma_free(&dev, size, va, handle, flags);
        if (error)
        {
            return error;
        }
    }
    return RT_NULL;
}
