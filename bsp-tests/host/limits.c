/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the limits of a device's segments. */
#include <rtdevice.h>
#include <rt_dma.h>
#include "expect.h"
#include "kernel.h"
#include "subjects.h"

static struct rt_device disk = { .parent.name = "disk with limits" };

/* A call that is refused leaves the limit as it was. */
static void wrong_limits(void)
{
    static const rt_ubase_t no_masks[] = { 0x1234, 2, 0xfffe, ~0UL - 1 };

    EXPECT(rt_dma_set_max_segment(&disk, 4096) == RT_EOK);
    EXPECT(rt_dma_set_segment_boundary(&disk, 0xffff) == RT_EOK);
    EXPECT(rt_dma_set_min_align_mask(&disk, 0xff) == RT_EOK);

    EXPECT(rt_dma_set_max_segment(&disk, 0) == -RT_EINVAL);
    for (int i = 0; i < 4; i++)
    {
        EXPECT(rt_dma_set_segment_boundary(&disk, no_masks[i]) == -RT_EINVAL);
        EXPECT(rt_dma_set_min_align_mask(&disk, no_masks[i]) == -RT_EINVAL);
    }
    /* A mask of more than a page. */
    EXPECT(rt_dma_set_min_align_mask(&disk, 0x1fff) == -RT_EINVAL && rt_dma_set_min_align_mask(&disk, ~0UL) == -RT_EINVAL);

    EXPECT_EQ(rt_dma_get_max_segment(&disk), 4096);
    EXPECT_EQ(rt_dma_get_segment_boundary(&disk), 0xffff);
    EXPECT_EQ(rt_dma_get_min_align_mask(&disk), 0xff);
}

/* The least and the greatest limits. */
static void extreme_limits(void)
{
    EXPECT(rt_dma_set_max_segment(&disk, 1) == RT_EOK && rt_dma_get_max_segment(&disk) == 1);
    EXPECT(rt_dma_set_max_segment(&disk, ~0UL) == RT_EOK && rt_dma_get_max_segment(&disk) == ~0UL);
    EXPECT(rt_dma_set_segment_boundary(&disk, 0) == RT_EOK && rt_dma_get_segment_boundary(&disk) == 0);
    EXPECT(rt_dma_set_segment_boundary(&disk, ~0UL) == RT_EOK && rt_dma_get_segment_boundary(&disk) == ~0UL);
    EXPECT(rt_dma_set_min_align_mask(&disk, 0xfff) == RT_EOK && rt_dma_get_min_align_mask(&disk) == 0xfff);
    EXPECT(rt_dma_set_min_align_mask(&disk, 0) == RT_EOK && rt_dma_get_min_align_mask(&disk) == 0);
}

static void limits_of_no_device(void)
{
    EXPECT(rt_dma_set_max_segment(RT_NULL, 4096) == -RT_EINVAL);
    EXPECT(rt_dma_set_segment_boundary(RT_NULL, 0xffff) == -RT_EINVAL);
    EXPECT(rt_dma_set_min_align_mask(RT_NULL, 0xfff) == -RT_EINVAL);
    EXPECT(rt_dma_get_max_segment(RT_NULL) == 65536);
    EXPECT(rt_dma_get_segment_boundary(RT_NULL) == ~0UL && rt_dma_get_min_align_mask(RT_NULL) == 0);
}

void limits_of_segments(void)
{
    wrong_limits();
    extreme_limits();
    rt_dmam_release(&disk);
    limits_of_no_device();
}
