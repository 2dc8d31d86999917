# SPDX-License-Identifier: Apache-2.0
"""A board: what its device tree holds, the sizes that it boots with, and what was found to be wrong."""

import re

from device_tree.tree import Range, number, split

HIGH = 1 << 32
CPU_32_BIT = re.compile(r"arm,cortex-a(5|7|8|9|12|15|17)$|arm,arm1\d+|arm,arm9")


def human(size):
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size and size % (1 << shift) == 0:
            return "%d %s" % (size >> shift, unit)
    return "%d bytes" % size


class Region:
    """An available child of /reserved-memory."""

    def __init__(self, node, ranges):
        self.node, self.ranges = node, ranges

    @property
    def is_shared_pool(self):
        return "shared-dma-pool" in self.node.strings("compatible")


class Board:
    """`regions` is filled by reserved_memory.read()."""

    def __init__(self, root, reservations, options):
        self.root, self.reservations, self.options = root, reservations, options
        self.findings, self.notes = [], []
        self.nodes = list(root.walk())
        self.by_phandle = {}
        for node in self.nodes:
            for name in ("phandle", "linux,phandle"):
                for cell in node.cells(name)[:1]:
                    self.by_phandle.setdefault(cell, node)
        self.memory = [bank for _, bank in self.memory_banks()]
        self.reserved_memory = self.child("reserved-memory")
        self.regions = []
        self.devices = [node for node in self.nodes if node.is_there() and node.has("memory-region")]

    def child(self, name):
        return next((child for child in self.root.children if child.name == name), None)

    def found(self, node, text, advice):
        path = node if isinstance(node, str) else node.path
        self.findings.append("%s: %s: %s" % (path, text, advice))

    def memory_banks(self):
        """The banks of memory with their nodes, in the order in which RT-Thread reads them."""
        for node in self.root.children:
            if node.strings("device_type")[:1] == ["memory"] and node.is_available():
                pairs = split(node.cells("reg"), self.root.address_cells(), self.root.size_cells())
                yield from ((node, Range(start, size)) for start, size in pairs if size)

    def is_32_bit_processor(self):
        cpus = self.child("cpus")
        names = [text for cpu in (cpus.children if cpus else []) for text in cpu.strings("compatible")]
        isa = [text for cpu in (cpus.children if cpus else []) for text in cpu.strings("riscv,isa")]
        return any(CPU_32_BIT.match(name) for name in names) or any(text.startswith("rv32") for text in isa)

    def region_of(self, node):
        return next((region for region in self.regions if region.node is node), None)

    def occupied(self):
        for region in self.regions:
            for place in region.ranges:
                if place.size:
                    yield region.node.path, place
        for place in self.reservations:
            yield "/memreserve/", place
        chosen = self.child("chosen")
        if chosen and chosen.has("linux,initrd-start") and chosen.has("linux,initrd-end"):
            start, end = number(chosen.cells("linux,initrd-start")), number(chosen.cells("linux,initrd-end"))
            if start < end:
                yield "/chosen (initrd)", Range(start, end - start)
        if self.options.dma_pool is not None:
            yield "(boot code) dma-pool", Range(self.options.dma_pool, self.options.cma + self.options.coherent_pool)

    def named_places(self, device):
        """The first range of each region that the device names, as the library uses it."""
        for phandle in device.cells("memory-region"):
            region = self.region_of(self.by_phandle.get(phandle))
            for place in region.ranges[:1] if region else []:
                if place.pages():
                    yield region.node, place

    def default_pools(self):
        """Where the pools for every device may lie."""
        if self.options.dma_pool is not None:
            return [Range(self.options.dma_pool, self.options.cma)]
        named = [place for region in self.regions if region.node.name == "dma-pool" for place in region.ranges[:1]]
        shared = [place for region in self.regions for place in region.ranges[:1]
                  if region.node.has("linux,cma-default") and region.node.has("reusable")]
        # Without an address for it, the boot code's pool lies somewhere in memory.
        return (named or self.memory) + shared
