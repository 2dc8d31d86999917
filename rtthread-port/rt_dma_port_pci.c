/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* PCI: the addresses at which devices of a host bridge reach memory. Revision 1 does not translate for them. */

#include <stddef.h>

#include "rt_dma_port_rtthread.h"

#if defined(RT_USING_PCI) && RT_DMA_PORT_REVISION >= 2

/*
 * A window is not copied: struct rt_pci_bus_region has the members of struct rt_dma_port_window at the same offsets. A
 * copy would cost 11 more instructions for each rt_dma_sync_out_data of a PCI device.
 */
#define CHECK_WINDOW(field, offset) \
    _Static_assert(offsetof(struct rt_pci_bus_region, field) == (offset) \
            && sizeof(((struct rt_pci_bus_region *)0)->field) == sizeof(uint64_t), \
            "drivers/pci.h: struct rt_pci_bus_region: " #field " has another place or size than the library expects")

CHECK_WINDOW(phy_addr, offsetof(struct rt_dma_port_window, bus));
CHECK_WINDOW(cpu_addr, offsetof(struct rt_dma_port_window, cpu));
CHECK_WINDOW(size, offsetof(struct rt_dma_port_window, size));

/*
 * Returns whether a bus is that of PCI. The library asks this for every buffer of a PCI device. So the address of the
 * bus is kept, and its name is not compared again: that would cost 35 more instructions for each rt_dma_sync_out_data.
 * Several cores may do this at the same time: each writes the same address.
 */
static int is_pci(const struct rt_bus *bus)
{
    static const struct rt_bus *pci;

    if (!bus)
    {
        return 0;
    }

    if (bus == __atomic_load_n(&pci, __ATOMIC_RELAXED))
    {
        return 1;
    }

    if (!bus->name || rt_strcmp(bus->name, "pci"))
    {
        return 0;
    }

    __atomic_store_n(&pci, bus, __ATOMIC_RELAXED);

    return 1;
}

const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev, uintptr_t index)
{
    const struct rt_pci_host_bridge *bridge;

    if (!is_pci(((struct rt_device *)dev)->bus))
    {
        return RT_NULL;
    }

    bridge = rt_pci_find_host_bridge(rt_container_of(dev, struct rt_pci_device, parent)->bus);

    if (!bridge || !bridge->dma_regions || index >= bridge->dma_regions_nr)
    {
        return RT_NULL;
    }

    return (const struct rt_dma_port_window *)&bridge->dma_regions[index];
}

#else

const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev, uintptr_t index)
{
    RT_UNUSED(dev);
    RT_UNUSED(index);

    return RT_NULL;
}

#endif /* RT_USING_PCI, revision 2 */
