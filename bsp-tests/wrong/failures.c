/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command dma_failures: runs the drivers of bsp-tests/drivers with their first, second, ... allocation or mapping
 * failing, until a run meets no failure. A driver must report each failure, and leave the pools and the heap as they were.
 * It prints "PASS failures of NAME: N" or "FAIL failures of NAME: why".
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>
#include <rt_dma_debug.h>

#include "checks.h"

#define MOST_FAILURES   100

static struct rt_device dev = { .parent.name = "failures" };

/* The drivers, and the names of their devices. */
static const struct
{
    const char *name;
    const char *(*run)(void);
} drivers[] =
{
    { "fw_cfg", check_fw_cfg },
    { "edu", check_edu_coherent },
    { "edu", check_edu_cached },
    { "linux-edu", check_linux_copy },
    { "linux-edu", check_linux_sg },
    { "linux-edu", check_linux_loopback },
    { "linux-edu", check_linux_bounce },
    { "linux-edu", check_linux_remove },
    { "linux-fw_cfg", check_linux_fw_cfg },
};

/* Whether no page of the two pools is in use: each can be allocated as one buffer. */
static rt_bool_t pools_are_empty(void)
{
    rt_size_t coherent_size = stand_in_coherent_size(), cma_size = stand_in_cma_size() - coherent_size;
    rt_ubase_t first, second;
    void *coherent = rt_dma_alloc(&dev, coherent_size, &first, 0);
    void *cma = rt_dma_alloc(&dev, cma_size, &second, 0);
    rt_bool_t are_empty = coherent && cma;

    rt_dma_free(&dev, coherent_size, coherent, first, 0);
    rt_dma_free(&dev, cma_size, cma, second, 0);

    return are_empty;
}

/* Runs a driver without a failure, and returns the heap in use after it. The Linux driver for edu is removed then. */
static rt_size_t settle(void)
{
    (void)check_linux_remove();
    return stand_in_heap_used();
}

static const char *run_with_failures(rt_size_t index, int *failures)
{
    const char *error = drivers[index].run();
    struct rt_device *device = rt_dma_debug_find(drivers[index].name);
    rt_size_t before = settle();

    if (error || !device)
    {
        return error ? error : "no such device";
    }
    for (*failures = 0; *failures < MOST_FAILURES; ++*failures)
    {
        rt_dma_debug_fail(device, *failures + 1);
        error = drivers[index].run();
        if (!rt_dma_debug_has_failed(device))
        {
            rt_dma_debug_fail(device, 0);
            return error;
        }
        if (!error)
        {
            return why("failure %d goes unnoticed", *failures + 1);
        }
        if (settle() != before)
        {
            return why("failure %d: the heap had %lu bytes in use, and has %lu", *failures + 1, (unsigned long)before,
                    (unsigned long)stand_in_heap_used());
        }
        if (!pools_are_empty())
        {
            return why("failure %d: a page of the pools is lost", *failures + 1);
        }
    }
    return "the failures do not end";
}

static int dma_failures(int argc, char *argv[])
{
    int failed = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(drivers); ++i)
    {
        int failures = 0;
        const char *error;

        if (drivers[i].run == check_linux_bounce && !HAS_HIGH_MEMORY)
        {
            continue;
        }
        error = run_with_failures(i, &failures);
        if (error)
        {
            ++failed;
            rt_kprintf("FAIL failures of %s: %s\n", drivers[i].name, error);
        }
        else
        {
            rt_kprintf("PASS failures of %s: %d\n", drivers[i].name, failures);
        }
    }
    rt_kprintf("dma_failures: %d of %d drivers failed\n", failed, (int)RT_ARRAY_SIZE(drivers));
    return failed;
}
MSH_CMD_EXPORT(dma_failures, let the allocations and mappings of drivers fail one by one);
