/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unsupported.h
 * @brief For porting drivers from Linux: calls for what this library does not have: mappings for processes (as on
 * Linux without an MMU), and transfers between PCI devices.
 */
#ifndef RT_DMA_LINUX_UNSUPPORTED_H
#define RT_DMA_LINUX_UNSUPPORTED_H

#include <rt_dma_linux/memory.h>

struct page;
struct sg_table;
struct vm_area_struct;

/** @brief Returns false: the device's memory cannot be mapped for a process. */
static inline bool dma_can_mmap(dma_device_t dev)
{
    (void)dev;
    return false;
}

/** @brief Returns -ENXIO, as Linux does where memory cannot be mapped for a process. */
static inline int dma_mmap_attrs(dma_device_t dev, struct vm_area_struct *vma, void *cpu_addr, dma_addr_t dma_addr,
        size_t size, unsigned long attrs)
{
    (void)dev;
    (void)vma;
    (void)cpu_addr;
    (void)dma_addr;
    (void)size;
    (void)attrs;
    return -ENXIO;
}

/** @brief Returns -ENXIO as dma_mmap_attrs() does. */
static inline int dma_mmap_coherent(dma_device_t dev, struct vm_area_struct *vma, void *cpu_addr, dma_addr_t dma_addr,
        size_t size)
{
    return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, 0);
}

/** @brief Returns -ENXIO as dma_mmap_attrs() does. */
static inline int dma_mmap_wc(dma_device_t dev, struct vm_area_struct *vma, void *cpu_addr, dma_addr_t dma_addr,
        size_t size)
{
    return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, DMA_ATTR_WRITE_COMBINE);
}

/** @brief Returns -ENXIO as dma_mmap_attrs() does. */
static inline int dma_mmap_pages(dma_device_t dev, struct vm_area_struct *vma, size_t size, struct page *page)
{
    (void)page;
    return dma_mmap_attrs(dev, vma, NULL, 0, size, 0);
}

/** @brief Returns -ENXIO as dma_mmap_attrs() does. */
static inline int dma_mmap_noncontiguous(dma_device_t dev, struct vm_area_struct *vma, size_t size,
        struct sg_table *sgt)
{
    (void)sgt;
    return dma_mmap_attrs(dev, vma, NULL, 0, size, 0);
}

/** @brief Returns false: there are no transfers between devices on the PCI bus. */
static inline bool dma_pci_p2pdma_supported(dma_device_t dev)
{
    (void)dev;
    return false;
}

#endif /* RT_DMA_LINUX_UNSUPPORTED_H */
