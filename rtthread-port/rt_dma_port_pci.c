/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* PCI: how the devices behind a host bridge see memory. Revision 1 does not translate for them. */

#include "rt_dma_port_rtthread.h"

int rt_dma_port_bus_window(void *dev, uintptr_t index, struct rt_dma_port_window *window)
{
#if defined(RT_USING_PCI) && RT_DMA_PORT_REVISION >= 2
    const struct rt_bus *bus = ((struct rt_device *)dev)->bus;
    const struct rt_pci_host_bridge *bridge;
    const struct rt_pci_bus_region *region;

    if (!bus || rt_strcmp(bus->name, "pci"))
    {
        return RT_DMA_PORT_END;
    }

    bridge = rt_pci_find_host_bridge(rt_container_of(dev, struct rt_pci_device, parent)->bus);

    if (!bridge || !bridge->dma_regions || index >= bridge->dma_regions_nr)
    {
        return RT_DMA_PORT_END;
    }

    region = &bridge->dma_regions[index];
    *window = (struct rt_dma_port_window) { region->phy_addr, region->cpu_addr, region->size };

    return RT_DMA_PORT_FOUND;
#else
    RT_UNUSED(dev);
    RT_UNUSED(index);
    RT_UNUSED(window);

    return RT_DMA_PORT_END;
#endif
}
