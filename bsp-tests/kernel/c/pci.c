/* SPDX-License-Identifier: Apache-2.0 */
/* The part of PCI that one driver needs: finds a device on bus 0 through ECAM and gives its first BAR an address. */
#include <rtthread.h>
#include <rtdevice.h>
#include <ioremap.h>
#include <stand_in.h>

#define DEVICES         32
#define CONFIG_SIZE     4096

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

void *stand_in_pci_attach(struct rt_pci_device *pdev, const char *name)
{
    rt_uint64_t ecam, ecam_size, window, window_size, bar_size;
    volatile rt_uint32_t *config = RT_NULL;
    rt_uint32_t id = (rt_uint32_t)pdev->device << 16 | pdev->vendor;
    char *bus;

    if (stand_in_fdt_reg("pci-host-ecam-generic", 0, &ecam, &ecam_size) || stand_in_pci_window(&window, &window_size))
    {
        return RT_NULL;
    }
    bus = rt_ioremap((void *)(rt_ubase_t)ecam, (rt_size_t)DEVICES * 8 * CONFIG_SIZE);
    if (!bus)
    {
        return RT_NULL;
    }
    for (rt_uint32_t slot = 0; slot < DEVICES && !config; ++slot)
    {
        volatile rt_uint32_t *at = (volatile rt_uint32_t *)(bus + (rt_size_t)slot * 8 * CONFIG_SIZE);

        if (at[PCI_VENDOR / 4] == id)
        {
            config = at;
            pdev->devfn = slot << 3;
        }
    }
    if (!config)
    {
        rt_iounmap(bus);
        return RT_NULL;
    }

    config[PCI_BAR0 / 4] = 0xffffffff;
    bar_size = (rt_uint64_t)(rt_uint32_t)(~(config[PCI_BAR0 / 4] & ~0xfU) + 1);
    config[PCI_BAR0 / 4] = (rt_uint32_t)window;
    config[PCI_COMMAND / 4] |= PCI_MEMORY | PCI_MASTER;
    rt_iounmap(bus);

    rt_snprintf(pdev->parent.parent.name, sizeof(pdev->parent.parent.name), "%s", name);
    pdev->name = pdev->parent.parent.name;
    pdev->bus = &root_bus;
    pdev->parent.bus = &pci;
    pdev->parent.user_data = "pci-host-ecam-generic";
    return rt_ioremap((void *)(rt_ubase_t)window, bar_size);
}
