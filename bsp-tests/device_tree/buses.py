# SPDX-License-Identifier: Apache-2.0
"""Buses with dma-ranges: whether they cover the pools of the devices below them."""

from device_tree.tree import Range, split


def bus_with(node, name):
    """The nearest bus above `node` with such a property that is not empty: RT-Thread looks at no other."""
    bus = node.parent
    while bus and not bus.properties.get(name):
        bus = bus.parent
    return bus


def entries(bus, name):
    upper = (bus.parent or bus).address_cells()
    return split(bus.cells(name), bus.address_cells(), upper, bus.size_cells())


def bus_address(device, address):
    """RT-Thread's first step from an address of the processor: back through the ranges of the nearest bus."""
    bus = bus_with(device, "ranges")
    for child, parent, size in entries(bus, "ranges") if bus else []:
        if parent <= address < parent + size:
            return child + address - parent
    return address


def windows_of(bus, order):
    """The processor's addresses that dma-ranges covers, as they are read in that order."""
    for child, parent, size in entries(bus, "dma-ranges"):
        yield Range(child if order == "5.2" else parent, size)


def order_of(board, bus):
    # A PCI host bridge reads its own windows, and as the binding has them.
    return "binding" if bus.strings("device_type")[:1] == ["pci"] else board.options.order


def moved(device, place):
    start = bus_address(device, place.start)
    return Range(start, place.size)


def covered(windows, place):
    """How many bytes of `place` the windows cover, counted from its start until one is not covered."""
    at = place.start
    while at < place.end:
        ends = [window.end for window in windows if window.start <= at < window.end]
        if not ends:
            break
        at = min(place.end, max(ends))
    return at - place.start


def check(board):
    buses = {}
    for node in board.nodes:
        bus = bus_with(node, "dma-ranges")
        if bus and node.is_there() and (node.has("compatible") or node.has("memory-region")):
            buses.setdefault(bus.path, (bus, []))[1].append(node)
    # A host bridge has no children in the tree until its bus is probed.
    for node in board.nodes:
        if node.is_there() and node.strings("device_type")[:1] == ["pci"] and node.properties.get("dma-ranges"):
            buses.setdefault(node.path, (node, []))
    for bus, devices in buses.values():
        check_bus(board, bus, devices)


def check_bus(board, bus, devices):
    step = bus.address_cells() + (bus.parent or bus).address_cells() + bus.size_cells()
    if not bus.has_entries_of("dma-ranges", step):
        board.found(bus, "dma-ranges is no whole number of %d cells" % step,
                    "write each entry as the bus's address, the parent's address and the size")
        return
    order = order_of(board, bus)
    windows = list(windows_of(bus, order))
    other = list(windows_of(bus, "binding" if order == "5.2" else "5.2"))
    reaches_a_region = check_named_places(board, bus, devices, windows, other)
    needs_default = not devices or any(not list(board.named_places(device)) for device in devices)
    if needs_default and not reaches_a_region:
        check_default_pools(board, bus, devices, windows, other)


def check_named_places(board, bus, devices, windows, other):
    """Checks the regions that the devices name. Returns whether a device names one that the windows cover, or that has a
    finding of its own."""
    found_any = False
    for device in devices:
        for region, place in board.named_places(device):
            target = moved(device, place)
            reached = covered(windows, target)
            found_any = True
            if reached == place.size:
                continue
            advice = "extend dma-ranges, or place the region elsewhere"
            if covered(other, target) == place.size:
                advice = swap_advice(order_of(board, bus))
            board.found(bus, "dma-ranges covers %s of %s %s, which %s names"
                        % ("0x%x bytes" % reached if reached else "nothing", region.path, place, device.path), advice)
    return found_any


def check_default_pools(board, bus, devices, windows, other):
    """Checks that the windows reach one of the pools that serve every device."""
    pools = [moved(devices[0], place) if devices else place for place in board.default_pools()]
    if not pools or any(window.overlaps(place) for window in windows for place in pools):
        return
    advice = "extend dma-ranges to memory, or give its devices a memory-region that it covers"
    if any(window.overlaps(place) for window in other for place in pools):
        advice = swap_advice(order_of(board, bus))
    board.found(bus, "dma-ranges covers no pool: no device below it can have DMA memory", advice)


def swap_advice(order):
    if order == "5.2":
        return "RT-Thread 5.2 takes the first address of an entry for the processor's: swap the two addresses"
    return "the first address of an entry is the bus's, the second the processor's: swap them"
