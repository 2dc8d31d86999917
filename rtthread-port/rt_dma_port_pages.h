/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Mappings of 2 MiB and more on aarch64. */

#ifndef RT_DMA_PORT_PAGES_H__
#define RT_DMA_PORT_PAGES_H__

#include "rt_dma_port_rtthread.h"

#ifdef __aarch64__

/*
 * Maps whole pages at va, or in the ioremap window if va is null, without a block of 2 MiB. Returns null if that fails.
 * rt_aspace_unmap and rt_iounmap remove the mapping. Context: thread.
 */
void *rt_dma_port_map_pages(void *va, uintptr_t pa, uintptr_t size, rt_size_t attr);

#endif /* __aarch64__ */

#endif /* RT_DMA_PORT_PAGES_H__ */
