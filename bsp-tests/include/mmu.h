/* SPDX-License-Identifier: Apache-2.0 */
/* Page size and memory attributes. */
#ifndef MMU_H__
#define MMU_H__

#include <stddef.h>

#include <rtdef.h>

#define ARCH_PAGE_SHIFT     12
#define ARCH_PAGE_SIZE      (1UL << ARCH_PAGE_SHIFT)
#define ARCH_PAGE_MASK      (ARCH_PAGE_SIZE - 1)
#define ARCH_SECTION_SIZE   (2UL << 20)

/* The result of rt_kmem_v2p() for an address that is not mapped. */
#if defined(__aarch64__)
#define ARCH_MAP_FAILED     ((void *)0x1ffffffffffffUL)
#else
#define ARCH_MAP_FAILED     ((void *)-1)
#endif

/* Kernel mappings: write-back cached; Normal Non-cacheable; Device-nGnRnE. The values are the stand-in's own. */
#define MMU_MAP_K_RWCB      1UL
#define MMU_MAP_K_RW        2UL
#define MMU_MAP_K_DEVICE    3UL

struct rt_aspace;

void *rt_hw_mmu_map(struct rt_aspace *aspace, void *v_addr, void *p_addr, size_t size, size_t attr);
void rt_hw_mmu_unmap(struct rt_aspace *aspace, void *v_addr, size_t size);
void *rt_hw_mmu_v2p(struct rt_aspace *aspace, void *vaddr);

#endif
