/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The interrupt mask. On aarch64 the library does not call these functions. They are in a file of their own, so that a
 * linker with --gc-sections drops them there.
 */

#include "rt_dma_port_rtthread.h"

uintptr_t rt_dma_port_irq_save(void)
{
    return (uintptr_t)rt_hw_local_irq_disable();
}

void rt_dma_port_irq_restore(uintptr_t saved)
{
    rt_hw_local_irq_enable((rt_base_t)saved);
}
