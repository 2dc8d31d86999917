/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* PCI: how the devices behind a host bridge see memory. Revision 1 does not translate for them. */

#include <stddef.h>

#include "rt_dma_port_rtthread.h"

#if defined(RT_USING_PCI) && RT_DMA_PORT_REVISION >= 2

#define CHECK_FIELD(field, offset) \
    _Static_assert(offsetof(struct rt_pci_bus_region, field) == (offset) \
            && sizeof(((struct rt_pci_bus_region *)0)->field) == sizeof(uint64_t), \
            "drivers/pci.h: struct rt_pci_bus_region: " #field " is not where the library looks for it")

CHECK_FIELD(phy_addr, offsetof(struct rt_dma_port_window, bus));
CHECK_FIELD(cpu_addr, offsetof(struct rt_dma_port_window, cpu));
CHECK_FIELD(size, offsetof(struct rt_dma_port_window, size));

/* Without a call of rt_strcmp: this is asked for every buffer of a PCI device. */
static int is_pci(const char *name)
{
    return name && name[0] == 'p' && name[1] == 'c' && name[2] == 'i' && !name[3];
}

const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev, uintptr_t index)
{
    const struct rt_bus *bus = ((struct rt_device *)dev)->bus;
    const struct rt_pci_host_bridge *bridge;

    if (!bus || !is_pci(bus->name))
    {
        return RT_NULL;
    }

    bridge = rt_pci_find_host_bridge(rt_container_of(dev, struct rt_pci_device, parent)->bus);

    if (!bridge || !bridge->dma_regions || index >= bridge->dma_regions_nr)
    {
        return RT_NULL;
    }

    return (const void *)&bridge->dma_regions[index];
}

#else

const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev, uintptr_t index)
{
    RT_UNUSED(dev);
    RT_UNUSED(index);

    return RT_NULL;
}

#endif /* RT_USING_PCI, revision 2 */
