# SPDX-License-Identifier: Apache-2.0
"""A device tree as libfdt reads it, and the rules by which RT-Thread reads its cells."""

import libfdt

PAGE = 4096


class Unreadable(Exception):
    """The file, or an option, is not what it should be."""


class Range:
    """Physical addresses [start, end)."""

    def __init__(self, start, size):
        self.start, self.end = start, start + size

    @property
    def size(self):
        return self.end - self.start

    def overlaps(self, other):
        return self.start < other.end and other.start < self.end

    def holds(self, other):
        return self.start <= other.start and other.end <= self.end

    def pages(self):
        """The number of whole pages: the library rounds the start up and the end down."""
        return max(0, self.end // PAGE - -(-self.start // PAGE))

    def __str__(self):
        return "[0x%x, 0x%x)" % (self.start, self.end)


class Node:
    """A node of the tree, as libfdt read it."""

    def __init__(self, name, parent):
        self.name, self.parent = name, parent
        self.properties, self.children = {}, []
        if parent is None:
            self.path = "/"
        else:
            self.path = parent.path.rstrip("/") + "/" + name
            parent.children.append(self)

    def has(self, name):
        return name in self.properties

    def cells(self, name):
        """Returns a property as 32-bit cells. Bytes at its end that are no whole cell are left out."""
        data = self.properties.get(name, b"")
        return [int.from_bytes(data[at:at + 4], "big") for at in range(0, len(data) - 3, 4)]

    def has_entries_of(self, name, count):
        """Whether the property consists of entries of this many cells."""
        data = self.properties.get(name, b"")
        return count > 0 and len(data) > 0 and len(data) % (count * 4) == 0

    def strings(self, name):
        data = self.properties.get(name, b"")
        return [text.decode("utf-8", "replace") for text in data.split(b"\0") if text]

    def is_available(self):
        """RT-Thread's rule: no status, "okay" or "ok"."""
        status = self.strings("status")
        return not self.has("status") or status[:1] in (["okay"], ["ok"])

    def is_there(self):
        """Returns whether the node is available, and every node above it."""
        return self.is_available() and (self.parent is None or self.parent.is_there())

    def cell_count(self, name, default):
        """RT-Thread's rule for a bus: the nearest node from this one upwards that has the property."""
        node = self
        while node:
            if node.cells(name):
                return node.cells(name)[0]
            node = node.parent
        return default

    def address_cells(self):
        return self.cell_count("#address-cells", 1)

    def size_cells(self):
        return self.cell_count("#size-cells", 1)

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


def number(cells):
    value = 0
    for cell in cells:
        value = value << 32 | cell
    # RT-Thread keeps the low 64 bits. Of three cells (PCI), the first one, which has the flags, is lost.
    return value & (1 << 64) - 1


def split(cells, *counts):
    """Groups of numbers, each of the given number of cells."""
    step = sum(counts)
    for at in range(0, len(cells) - step + 1, step) if step else ():
        group = []
        for count in counts:
            group.append(number(cells[at:at + count]))
            at += count
        yield group


def read_tree(data):
    try:
        # A damaged file is refused here, because libfdt checks little while it walks the tree.
        error = libfdt.fdt_check_full(bytearray(data), len(data))
        if error:
            raise Unreadable("not a device tree, or a damaged one: %s" % libfdt.strerror(error))
        fdt = libfdt.FdtRo(data)
        root = add_node(fdt, 0, None)
        reservations = [fdt.get_mem_rsv(index) for index in range(fdt.num_mem_rsv())]
    except (libfdt.FdtException, SystemError, UnicodeError) as error:
        raise Unreadable("not a device tree: %s" % error)
    ranges = [Range(entry[-2], entry[-1]) for entry in reservations if entry[-1]]
    return root, ranges


def add_node(fdt, offset, parent):
    node = Node(fdt.get_name(offset), parent)
    at = fdt.first_property_offset(offset, libfdt.QUIET_NOTFOUND)
    while at >= 0:
        prop = fdt.get_property_by_offset(at)
        node.properties[prop.name] = bytes(prop)
        at = fdt.next_property_offset(at, libfdt.QUIET_NOTFOUND)
    child = fdt.first_subnode(offset, libfdt.QUIET_NOTFOUND)
    while child >= 0:
        add_node(fdt, child, node)
        child = fdt.next_subnode(child, libfdt.QUIET_NOTFOUND)
    return node
