# SPDX-License-Identifier: Apache-2.0
"""The children of /reserved-memory: whether RT-Thread reads them, and whether the library can serve them."""

from device_tree.board import HIGH, Region, human
from device_tree.tree import PAGE, Range, number, split


def check(board):
    """Fills board.regions, and checks each of them."""
    has_last_bank = check_memory(board)
    if is_read(board) and has_last_bank:
        read_regions(board)
    check_properties(board)
    check_places(board)


def check_memory(board):
    """Whether RT-Thread takes the last bank of memory, without which it does not look for /reserved-memory."""
    banks, taken, is_taken = list(board.memory_banks()), [], True
    for index, (node, bank) in enumerate(banks):
        other = next((each for each in taken if bank.overlaps(each[1])), None)
        is_taken = not other
        if is_taken:
            taken.append((node, bank))
            continue
        is_last = index == len(banks) - 1 and board.reserved_memory
        board.found(node, "%s overlaps %s of %s: RT-Thread does not take it%s"
                    % (bank, other[1], other[0].path, ", and ignores all of /reserved-memory" if is_last else ""),
                    "write ranges that do not overlap")
    return is_taken


def is_read(board):
    """Whether RT-Thread reads the children: only if the parent counts cells as the root does, and has ranges."""
    parent = board.reserved_memory
    if not parent:
        return False
    for name in ("#address-cells", "#size-cells"):
        own, root = parent.cells(name), board.root.cells(name) or [1]
        if own != root:
            board.found(parent, "%s is %s, the root's is %d: RT-Thread ignores all of it"
                        % (name, own[0] if own else "missing", root[0]), "write the root's")
            return False
    if not parent.has("ranges"):
        board.found(parent, "ranges is missing: RT-Thread ignores all of it", "add an empty ranges property")
        return False
    if parent.properties["ranges"]:
        # rt_fdt_translate_address counts the bytes of ranges down by the cells of an entry.
        board.found(parent, "ranges has %d bytes: RT-Thread moves what an entry covers, and reads past the last entry for "
                    "what none covers" % len(parent.properties["ranges"]), "make ranges empty")
    return True


def read_regions(board):
    step = board.root.address_cells() + board.root.size_cells()
    for node in board.reserved_memory.children:
        if not node.is_available():
            continue
        if node.has("reg") and not node.has_entries_of("reg", step):
            board.found(node, "reg is no whole number of %d cells: RT-Thread skips the node" % step,
                        "write each range as %d address and %d size cells"
                        % (board.root.address_cells(), board.root.size_cells()))
            continue
        pairs = split(node.cells("reg"), board.root.address_cells(), board.root.size_cells())
        board.regions.append(Region(node, [Range(start, size) for start, size in pairs]))


def check_properties(board):
    for region in board.regions:
        node = region.node
        if node.has("no-map") and node.has("reusable"):
            board.found(node, "no-map and reusable contradict each other, and the library refuses the node",
                        "keep no-map if the processor must not touch it, else reusable")
        if node.has("linux,cma-default") and not node.has("reusable"):
            board.found(node, "linux,cma-default without reusable: the library refuses the node", "add reusable")


def check_places(board):
    for region in board.regions:
        if not region.node.has("reg"):
            check_place_left_open(board, region.node)
            continue
        for place in region.ranges:
            check_place(board, region, place)
        if region.is_shared_pool and len(region.ranges) > 1:
            board.found(region.node, "reg has %d ranges, and memory-region uses the first only" % len(region.ranges),
                        "make a node of each")


def check_place(board, region, place):
    node = region.node
    if place.pages() == 0:
        board.found(node, "%s holds no whole page of %d bytes" % (place, PAGE), "begin and end it on page boundaries")
    elif place.end > 1 << 64:
        board.found(node, "%s ends past 64 bits" % place, "correct reg")
    elif place.end > HIGH and board.is_32_bit_processor():
        board.found(node, "%s lies above 4 GiB, where this processor sees nothing" % place, "place it below")
    elif region.is_shared_pool and not any(bank.holds(place) for bank in board.memory):
        board.found(node, "%s is not memory: no memory node holds it" % place,
                    "place it inside of one, or correct the memory node")
    elif region.is_shared_pool and place.pages() * PAGE < place.size:
        board.notes.append("%s: %d bytes of %s lie in pages that the region covers in part, and are not used"
                           % (node.path, place.size - place.pages() * PAGE, place))


def check_place_left_open(board, node):
    if not node.has("size"):
        board.found(node, "neither reg nor size", "give it a reg")
        return
    if not board.options.size_only_served:
        board.found(node, "only a size: RT-Thread gives such a node no memory", "give it a reg")
        return
    address_cells, size_cells = board.root.address_cells(), board.root.size_cells()
    # A number may have the cells of a size or of an address, and no more than two.
    lengths = [cells * 4 for cells in (address_cells, size_cells) if 1 <= cells <= 2]
    for name in ("size", "alignment", "alloc-ranges"):
        right = node.has_entries_of(name, address_cells + size_cells) if name == "alloc-ranges" \
            else len(node.properties.get(name, b"")) in lengths
        if node.has(name) and not right:
            board.found(node, "%s has %d bytes: the library refuses the node" % (name, len(node.properties[name])),
                        "write an address with %d cells and a size with %d" % (address_cells, size_cells))
            return
    size, alignment = number(node.cells("size")), number(node.cells("alignment")) or PAGE
    if size == 0 or alignment & alignment - 1:
        board.found(node, "size 0x%x, alignment 0x%x: the library refuses the node" % (size, alignment),
                    "give a size that is not zero, and a power of two as alignment")
        return
    allowed = [Range(start, length) for start, length in
               split(node.cells("alloc-ranges"), address_cells, size_cells)] or board.memory
    if not any(fits(board, size, alignment, bank, limit) for bank in board.memory for limit in allowed):
        board.found(node, "no free memory of %s%s" % (human(size),
                    " within its alloc-ranges" if node.has("alloc-ranges") else ""), "ask for less, or elsewhere")


def fits(board, size, alignment, bank, limit):
    """Whether `bank` has room within `limit`, between the regions with a fixed place."""
    taken = sorted((place.start, place.end) for _, place in board.occupied())
    start, last = max(bank.start, limit.start), min(bank.end, limit.end)
    start = -(-start // alignment) * alignment
    for low, high in taken:
        if low < start + size and start < high:
            start = -(-high // alignment) * alignment
    return start + size <= last
