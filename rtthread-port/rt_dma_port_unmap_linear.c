/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Removes a linear mapping. Only rt_dma_pool_uninstall needs this, so it is in a file of its own, which a linker with
 * --gc-sections drops from other images.
 */

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
