# SPDX-License-Identifier: Apache-2.0
"""The pools that the boot code makes: cma, coherent_pool, and the region from which rt_dma_pool_extract takes them."""

from device_tree.board import human
from device_tree.tree import PAGE, Range

MIB = 1 << 20
DEFAULT_CMA, DEFAULT_COHERENT = 8 * MIB, 2 * MIB


def check(board):
    check_boot_sizes(board)
    for region in board.regions:
        stem = region.node.name.split("@")[0]
        if stem == "dma-pool":
            check_extracted_region(board, region)
    check_reserved_by_boot_code(board)
    check_overlaps(board)


def check_boot_sizes(board):
    """After this check, the options hold the sizes with which RT-Thread calls rt_dma_pool_extract."""
    options = board.options
    if options.cma <= options.coherent_pool:
        board.found("/chosen", "cma=%s is not more than coherent_pool=%s: RT-Thread takes %s and %s instead"
                    % (human(options.cma), human(options.coherent_pool), human(DEFAULT_CMA), human(DEFAULT_COHERENT)),
                    "cma is the size of both pools together")
        options.cma, options.coherent_pool = DEFAULT_CMA, DEFAULT_COHERENT
    for name, size in (("cma", options.cma), ("coherent_pool", options.coherent_pool)):
        if size % PAGE:
            board.found("/chosen", "%s=%d is no whole number of pages of %d bytes" % (name, size, PAGE),
                        "a multiple of 4k")


def check_extracted_region(board, region):
    node, cma = region.node, board.options.cma
    if node.name != "dma-pool":
        board.found(node, "rt_dma_pool_extract looks for the name \"dma-pool\", without a unit address",
                    "rename the node, or let devices name it in memory-region")
    for place in region.ranges[:1]:
        if cma < place.size:
            board.found(node, "%s are reserved and one rt_dma_pool_extract takes cma = %s: %s lie idle"
                        % (human(place.size), human(cma), human(place.size - cma)),
                        "reserve %s: coherent_pool is a part of cma" % human(cma))
        elif cma > place.size:
            board.found(node, "%s have no room for cma = %s" % (human(place.size), human(cma)),
                        "reserve %s, or boot with a smaller cma=" % human(cma))


def check_reserved_by_boot_code(board):
    options = board.options
    if options.coherent_pool:
        board.notes.append("the boot code of RT-Thread 5.2 on aarch64 reserves cma + coherent_pool = %s, of which one "
                           "extract takes %s" % (human(options.cma + options.coherent_pool), human(options.cma)))
    if options.dma_pool is not None:
        pool = Range(options.dma_pool, options.cma + options.coherent_pool)
        if not any(bank.holds(pool) for bank in board.memory):
            board.found("(boot code) dma-pool", "%s is not memory" % pool, "boot with a smaller cma=")


def check_overlaps(board):
    places = list(board.occupied())
    for index, (name, place) in enumerate(places):
        for other_name, other in places[:index]:
            if place.overlaps(other):
                board.found(name, "%s overlaps %s %s" % (place, other_name, other), "move one of them")
