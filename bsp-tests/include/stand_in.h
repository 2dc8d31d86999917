/* SPDX-License-Identifier: Apache-2.0 */
/* What the stand-in kernel offers to its tests beyond RT-Thread's interface. A real BSP has no such header. */
#ifndef STAND_IN_H__
#define STAND_IN_H__

#include <rtdef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum stand_in_memory
{
    STAND_IN_UNMAPPED   = -1,
    STAND_IN_CACHED     = 0,    /* Normal, write-back */
    STAND_IN_DEVICE     = 1,    /* Device-nGnRnE */
    STAND_IN_NONCACHED  = 2,    /* Normal, Non-cacheable */
};

/*
 * What the page tables say of va, or ARCH_MAP_FAILED. The kernel's own rt_kmem_v2p() is wrong whenever an interrupt comes
 * at the wrong moment, as RT-Thread's is on aarch64, and here one always comes unless interrupts are masked.
 */
void *stand_in_v2p(void *va);

/* What the page tables say of the page at va: an enum stand_in_memory. */
int stand_in_memory_type(void *va);

/* Boot arguments cma= and coherent_pool=, in bytes. */
rt_size_t stand_in_cma_size(void);
rt_size_t stand_in_coherent_size(void);

/* The device tree's first node with this compatible string: its reg[index]. -1 if there is none. */
int stand_in_fdt_reg(const char *compatible, int index, rt_uint64_t *start, rt_uint64_t *size);
/* The PCI host's window for 32-bit memory space. -1 if there is none. */
int stand_in_pci_window(rt_uint64_t *start, rt_uint64_t *size);

/* RAM above 4 GiB, of which the kernel maps and uses nothing. -1 if there is none. */
int stand_in_high_memory(rt_uint64_t *start, rt_uint64_t *size);

/* Bytes of the heap in use. */
rt_size_t stand_in_heap_used(void);

#ifdef RT_USING_PCI
struct rt_pci_device;
/* Finds the device with pdev->vendor and pdev->device, fills in pdev, and maps its first BAR. RT_NULL if absent. */
void *stand_in_pci_attach(struct rt_pci_device *pdev, const char *name);
#endif

#ifdef __cplusplus
}
#endif
#endif
