# SPDX-License-Identifier: Apache-2.0
"""The devices: the regions that memory-region names, and devices that drive 32 address bits only."""

from device_tree.board import HIGH

# Devices whose specification gives them 32 address bits, whatever the SoC around them.
KNOWN_32_BIT = {
    "arm,pl080", "arm,pl081", "arm,pl110", "arm,pl111", "arm,pl330", "generic-ohci", "usb-ohci", "ohci-platform",
}


def check(board):
    check_named_regions(board)
    check_32_bit_masters(board)


def check_named_regions(board):
    for device in board.devices:
        length = len(device.properties["memory-region"])
        if length == 0 or length % 4:
            board.found(device, "memory-region has %d bytes: no whole number of phandles" % length,
                        "name one child of /reserved-memory in each cell")
        for phandle in device.cells("memory-region"):
            node = board.by_phandle.get(phandle)
            if not node:
                board.found(device, "memory-region names phandle 0x%x, which no node has" % phandle,
                            "name a child of /reserved-memory")
            elif node.parent is not board.reserved_memory:
                board.found(device, "memory-region names %s, which is no child of /reserved-memory" % node.path,
                            "RT-Thread reserves nothing for it: move it there")
            elif not node.is_available():
                board.found(device, "memory-region names %s, whose status is \"%s\": RT-Thread reserves nothing "
                            "for it" % (node.path, "".join(node.strings("status"))),
                            "enable it, or take the reference out")


def is_32_bit_master(board, node):
    names = set(node.strings("compatible"))
    if names & KNOWN_32_BIT or names & set(board.options.mask32) or node.path in board.options.mask32:
        return True
    # An address of one cell on its bus is one of 32 bits.
    return node.parent is not None and node.parent.has("dma-ranges") and node.parent.cells("dma-ranges") != [] \
        and node.parent.address_cells() == 1


def check_32_bit_masters(board):
    for device in board.devices:
        for node, place in board.named_places(device):
            if place.end > HIGH and is_32_bit_master(board, device):
                board.found(device, "it drives 32 address bits, and its region %s %s ends above 4 GiB"
                            % (node.path, place), "place the region below")
            elif place.end > HIGH and not board.is_32_bit_processor():
                board.found(device, "its region %s %s ends above 4 GiB, and RT-Thread's device-tree operations ask "
                            "for 32-bit memory" % (node.path, place), "place the region below")
    pools = board.default_pools()
    if not pools or any(place.start < HIGH and place.end > place.start for place in pools):
        return
    for node in board.nodes:
        if node.is_there() and node.has("compatible") and is_32_bit_master(board, node) \
                and not list(board.named_places(node)):
            board.found(node, "it drives 32 address bits, and every pool lies above 4 GiB",
                        "give it a memory-region below, or reserve the dma-pool there")
