/* SPDX-License-Identifier: Apache-2.0 */
/* PCI devices, buses and host bridges. */
#ifndef PCI_H__
#define PCI_H__

#include <rtdef.h>
#include <drivers/core/bus.h>
#include <drivers/core/dm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A window through which devices see memory (dma_regions), or the processor sees devices (bus_regions). */
struct rt_pci_bus_region
{
    rt_uint64_t phy_addr;   /* as the device sees it */
    rt_uint64_t cpu_addr;
    rt_uint64_t size;
    rt_uint64_t bus_start;
    rt_ubase_t flags;
};

struct rt_pci_host_bridge
{
    struct rt_device parent;

    rt_size_t bus_regions_nr;
    struct rt_pci_bus_region *bus_regions;
    rt_size_t dma_regions_nr;
    struct rt_pci_bus_region *dma_regions;

    void *sysdata;
};

struct rt_pci_bus
{
    struct rt_pci_bus *parent;
    struct rt_pci_host_bridge *host_bridge;
    char name[48];
};

struct rt_pci_device
{
    struct rt_device parent;
    const char *name;
    struct rt_pci_bus *bus;
    rt_uint32_t devfn;
    rt_uint16_t vendor;
    rt_uint16_t device;
};

struct rt_pci_host_bridge *rt_pci_find_host_bridge(struct rt_pci_bus *bus);

#ifdef __cplusplus
}
#endif
#endif
