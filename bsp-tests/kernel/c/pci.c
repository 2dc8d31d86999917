/* SPDX-License-Identifier: Apache-2.0 */
/* The part of PCI that drivers of one device need: finds it on bus 0 through ECAM, and gives its first BAR an address. */
#include <rtthread.h>
#include <rtdevice.h>
#include <ioremap.h>
#include <stand_in.h>

#define DEVICES         32
#define DEVICE_SIZE     (8 * 4096) /* the registers of 8 functions */

#define PCI_VENDOR      0x00
#define PCI_COMMAND     0x04
#define PCI_BAR0        0x10
#define PCI_MEMORY      0x2
#define PCI_MASTER      0x4

/* One window shows devices all memory at its physical addresses. */
static struct rt_pci_bus_region dma_window = { 0, 0, 1ULL << 32, 0, 0 };
static struct rt_pci_host_bridge bridge = { .dma_regions_nr = 1, .dma_regions = &dma_window };
static struct rt_pci_bus root_bus = { RT_NULL, &bridge, "pci" };
static struct rt_bus pci = { .name = "pci" };

struct rt_pci_host_bridge *rt_pci_find_host_bridge(struct rt_pci_bus *bus)
{
    return bus ? bus->host_bridge : RT_NULL;
}

volatile void *stand_in_pci_find(struct rt_pci_device *pdev, const char *name)
{
    rt_uint32_t id = (rt_uint32_t)pdev->device << 16 | pdev->vendor;
    rt_uint64_t ecam, size;
    char *bus;

    if (stand_in_fdt_reg("pci-host-ecam-generic", 0, &ecam, &size))
    {
        return RT_NULL;
    }
    bus = rt_ioremap((void *)(rt_ubase_t)ecam, (rt_size_t)DEVICES * DEVICE_SIZE);
    if (!bus)
    {
        return RT_NULL;
    }
    for (rt_uint32_t slot = 0; slot < DEVICES; ++slot)
    {
        volatile rt_uint32_t *config = (volatile rt_uint32_t *)(bus + (rt_size_t)slot * DEVICE_SIZE);

        if (config[PCI_VENDOR / 4] == id)
        {
            rt_snprintf(pdev->parent.parent.name, sizeof(pdev->parent.parent.name), "%s", name);
            pdev->name = pdev->parent.parent.name;
            pdev->devfn = slot << 3;
            pdev->bus = &root_bus;
            pdev->parent.bus = &pci;
            pdev->parent.user_data = "pci-host-ecam-generic";
            return config;
        }
    }
    rt_iounmap(bus);
    return RT_NULL;
}

void *stand_in_pci_attach(struct rt_pci_device *pdev, const char *name)
{
    rt_uint64_t window, window_size, bar_size;
    volatile rt_uint32_t *config;

    if (stand_in_pci_window(&window, &window_size))
    {
        return RT_NULL;
    }
    config = stand_in_pci_find(pdev, name);
    if (!config)
    {
        return RT_NULL;
    }
    config[PCI_BAR0 / 4] = 0xffffffff;
    bar_size = (rt_uint64_t)(rt_uint32_t)(~(config[PCI_BAR0 / 4] & ~0xfU) + 1);
    config[PCI_BAR0 / 4] = (rt_uint32_t)window;
    config[PCI_COMMAND / 4] |= PCI_MEMORY | PCI_MASTER;
    rt_iounmap((void *)config);
    return rt_ioremap((void *)(rt_ubase_t)window, bar_size);
}
