/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the stand-in kernel for its tests, in addition to RT-Thread's interface. A real BSP has no such header. */
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
 * Walks the page tables and returns the physical address of va, or ARCH_MAP_FAILED. The stand-in's rt_kmem_v2p() returns
 * a wrong address if an interrupt comes during the translation, as RT-Thread's does on aarch64. Here an interrupt always
 * comes unless interrupts are masked.
 */
void *stand_in_v2p(void *va);

/* Returns the memory type of the page at va in the page tables: an enum stand_in_memory. */
int stand_in_memory_type(void *va);

/* Return the boot arguments cma= and coherent_pool=, in bytes. */
rt_size_t stand_in_cma_size(void);
rt_size_t stand_in_coherent_size(void);

/* Finds reg[index] of the device tree's first node with this compatible string. Returns -1 if there is none. */
int stand_in_fdt_reg(const char *compatible, int index, rt_uint64_t *start, rt_uint64_t *size);
/* Finds the PCI host's window for 32-bit memory space. Returns -1 if there is none. */
int stand_in_pci_window(rt_uint64_t *start, rt_uint64_t *size);

/* Finds the RAM above 4 GiB, which the kernel neither maps nor uses. Returns -1 if there is none. */
int stand_in_high_memory(rt_uint64_t *start, rt_uint64_t *size);

/* Returns how many bytes of the heap are in use. */
rt_size_t stand_in_heap_used(void);
/* Returns how many bytes rt_malloc() and rt_calloc() gave that were not freed, without what the kernel itself uses. */
rt_size_t stand_in_live_bytes(void);
/* Returns how many mappings of rt_ioremap and its kind were not unmapped. */
rt_size_t stand_in_mappings(void);

/*
 * Sets a function that runs after each interrupt that the first core has served, or none. It runs as an interrupt, with
 * interrupts on, and does not interrupt itself. On Arm only.
 */
void stand_in_after_interrupt(void (*function)(void));

/* From now on there is no memory for page tables, or there is again. */
void stand_in_refuse_tables(int is_refused);

#ifdef RT_USING_PCI
struct rt_pci_device;
/*
 * Finds the device with pdev->vendor and pdev->device, fills pdev in, and maps the device's configuration space, which it
 * returns. The caller unmaps it by rt_iounmap. RT_NULL if the device is absent.
 */
volatile void *stand_in_pci_find(struct rt_pci_device *pdev, const char *name);
/* Finds the device as stand_in_pci_find() does, gives its first BAR an address, and returns a mapping of the BAR. */
void *stand_in_pci_attach(struct rt_pci_device *pdev, const char *name);
#endif

#ifdef __cplusplus
}
#endif
#endif
