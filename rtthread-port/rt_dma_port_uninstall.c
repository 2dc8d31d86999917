/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What only uninstalled pools need. A linker drops this file from an image that uninstalls none. */

#include "rt_dma_port_rtthread.h"

void rt_dma_port_unmap_linear(void *va, uintptr_t size)
{
    /* The mapping is one area of the address space, which is removed as a whole. */
    RT_UNUSED(size);

    if (rt_dma_port_has_page_tables())
    {
        rt_aspace_unmap(&rt_kernel_space, va);
    }
}
