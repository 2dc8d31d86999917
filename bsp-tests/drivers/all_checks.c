/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command dma_smoke uses the DMA memory interface as drivers do. It prints one line for each check:
 * "PASS name" or "FAIL name: why", and at the end "dma_smoke: N passed, M failed".
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <stand_in.h>

#include "buffers.h"
#include "checks.h"

static const struct
{
    const char *name;
    const char *(*run)(void);
} checks[] =
{
    /*
     * This check is the first: no pool has a view yet, and a call that needs one needs a thread. The check makes none.
     */
    { "fault_27_a_first_use_with_interrupts_off_is_refused", check_interrupts_off },
    /*
     * The ioremap window is still empty and begins on a 2 MiB boundary: a 2 MiB view may be mapped wrongly (defect 15).
     */
    { "each pool in one piece, every view", check_pools_in_one_piece },
    { "fault_01_a_translation_that_an_interrupt_spoils_is_right", check_translation },
    { "fw_cfg file by DMA into a coherent buffer, its request from a block pool", check_fw_cfg },
    { "two-way DMA, coherent buffers", check_edu_coherent },
    { "two-way DMA, cached buffers and sync calls", check_edu_cached },
#ifdef RT_DMA_F_WT
    { "two-way DMA, write-through buffers", check_edu_write_through },
#endif
    { "Linux driver: coherent memory", check_linux_memory },
    { "Linux driver: masks with fallback", check_linux_masks },
    { "Linux driver: descriptor ring, streaming both ways", check_linux_copy },
    { "Linux driver: scatter list", check_linux_sg },
    { "Linux driver: circular buffer", check_linux_loopback },
    { "Linux driver: bounce buffers for RAM above 4 GiB", check_linux_bounce },
    { "Linux driver: remove gives everything back", check_linux_remove },
    { "Linux driver: fw_cfg requests from a DMA pool", check_linux_fw_cfg },
    { "memory type of cached buffers", check_type_cached },
    { "memory type of uncached buffers", check_type_uncached },
#ifdef RT_DMA_F_WT
    { "memory type of write-through buffers", check_type_write_through },
#endif
    { "every page once, cached", check_pages_cached },
    { "every page once, uncached", check_pages_coherent },
    { "mixed sizes to the last page, cached", check_mixed_cached },
    { "mixed sizes to the last page, uncached", check_mixed_coherent },
    { "cached and uncached buffers alternately", check_alternating_types },
    { "coherent buffers leak nothing", check_no_leak },
    { "two cores and a timer interrupt at once", check_race },
    { "block pools: a thread and a timer interrupt", check_block_pool },
    { "another core sees the memory of each mapping", check_other_core },
    { "a pool is installed and uninstalled 1,000 times", check_uninstall },
    { "a mapping of 4 MiB goes as a whole", check_large_mapping },
#ifdef RT_DMA_F_WT
    { "a mapping where the kernel left a block", check_left_block },
#endif
    { "a mapping without memory for its tables leaves others alone", check_no_tables },
    { "a buffer with one page elsewhere is copied as a whole", check_scattered },
    { "wrong calls change nothing", check_wrong_calls },
    { "right and wrong calls from an interrupt", check_interrupt_calls },
};

static int dma_smoke(int argc, char *argv[])
{
    int passed = 0, failed = 0;

    RT_UNUSED(argc);
    RT_UNUSED(argv);
    buffer_count = 0;
    buffer_max = stand_in_cma_size() / PAGE + 1;
    buffers = rt_calloc(buffer_max, sizeof(*buffers));
    if (!buffers)
    {
        rt_kprintf("FAIL heap: no memory for the list of buffers\ndma_smoke: 0 passed, 1 failed\n");
        return 1;
    }
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(checks); ++i)
    {
        const char *error;

        if (checks[i].run == check_linux_bounce && !HAS_HIGH_MEMORY)
        {
            rt_kprintf("SKIP %s: a 32-bit processor has none\n", checks[i].name);
            continue;
        }
        error = checks[i].run();
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
    rt_free(buffers);
    rt_kprintf("dma_smoke: %d passed, %d failed\n", passed, failed);
    return failed;
}
MSH_CMD_EXPORT(dma_smoke, check DMA memory as drivers use it);
