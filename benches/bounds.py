# SPDX-License-Identifier: Apache-2.0
"""The bounds that ci/bench checks: how many instructions, bytes and cache lines the library may use."""

# "Required" means: required of the library as a product. The other bounds are comparisons with the reference that the
# comment states.

# Instructions of an allocation and its free, on QEMU, in steady state. Required. docs/tested.md has the numbers of
# dma_pool.c.
CALLS = {"4KiB,cached": 220, "4KiB,coherent": 220, "64KiB,cached": 280, "64KiB,coherent": 280, "1MiB,cached": 320,
         "1MiB,coherent": 320}
# Instructions that a sync call may take beyond those of the reference: a translation that an interrupt cannot change.
# Compared with syncs.c, which takes the steps of dma_pool.c.
SYNC = 7
# The lowest and the highest count that the counter may return for a sequence of 2,001 instructions. No bound of the
# library.
CALIBRATION = (1999, 2003)
# Instructions with the lock held, without 4 for each 64 pages of the request, on a pool of LARGEST pages; and the
# scenarios that are measured. Required: an interrupt on another core may wait for this time.
STRETCH = 300
STRETCHES = ("boundaries", "large", "random", "checkerboard", "aligned", "patience")
# The bound of instructions with the lock held in the scenario "patience": other calls use the pool so often that a
# call at last does all remaining work without releasing the lock. Required.
PATIENCE = 600
# Pools, in pages: RT-Thread's boot code makes one of 512, the sample in docs/sizing.md one of 6,144.
SIZES = (512, 2048, 6144, 16384, 262144)
LARGEST = SIZES[-1]
# On pools of at least LARGE pages, the library must be FASTER times as fast as bit_by_bit.c in rows in which that one
# reads half of the bitmap or more. Required. In every other row but the crossed ones it must not be slower: a
# comparison.
LARGE, FASTER = 16384, 50
# A row on the largest pool may take at most GROWTH times the instructions of the same row on a pool of SMALL pages.
# Required.
SMALL, GROWTH = 2048, 2.5
# Instructions of a call in a trace, on the host. Required. No trace may be slower than bit_by_bit.c either: a
# comparison.
TRACES = {"one-page,fifo,16": 230, "one-page,random,50%": 230, "mixed,random,25%": 480, "mixed,random,50%": 480,
          "mixed,random,90%": 480}
# A crossed row on an empty pool may take at most CROSSED times the instructions of bit_by_bit.c. Required.
CROSSED = 1.1
# Calls that two cores together must complete in a given time, as a multiple of the calls of one core alone. Required.
CORES = {"one-pool": 0.8, "two-pools": 1.7, "one-block-pool": 1.7, "two-block-pools": 1.7}
# Number of pairs of time slices that are compared, without and with --quick. No bound of the library.
PAIRS, QUICK_PAIRS = 201, 41
# Bytes of the linked core. Required.
CORE = 12288

# Instructions of the allocation and the free of a block, in a pool that has its pages, on the host. Required.
BLOCK = 70

# Instructions of a map and its unmap where no cache is maintained, together: a direct mapping of up to a page, and
# one with a record or of memory that is not at its linear address. Required. Further pages of linear memory cost
# nothing.
MAP_DIRECT, MAP_RECORDED, PAGE = 200, 500, 4096
# Buffers of a list in maps.c.
LIST = 16
# Instructions for each further page of memory that is not at its linear address. Required.
MAP_PAGE = 12
# The rows of such memory.
NOT_LINEAR = ("elsewhere", "flash")
# Instructions a byte of a bounce copy, the maintenance of the bounce buffer's cache lines included. Required.
COPY = {"aligned": 0.5, "misaligned": 1.5}


def stretch(pages, name):
    """Returns the bound of a stretch on a pool of that many pages; None if it has no bound."""
    if pages != LARGEST:
        return None
    return PATIENCE if name == "patience" else STRETCH


def trace(name, ours, bits):
    """Returns whether a trace keeps its bounds."""
    return ours <= min(bits, TRACES.get(name, bits))


def maps(rows, row):
    """Returns [(what is counted, figure, bound)] of a row of maps.c. rows: {(kind, direction, size): (map, unmap)}."""
    kind, direction, size = row
    map_, unmap = rows[row]
    together, pages = map_ + unmap, -(-int(size) // PAGE)

    def one_page():
        return sum(rows[kind, direction, str(PAGE)])

    if kind == "linear":
        return [("together", together, MAP_DIRECT if pages == 1 else one_page())]
    if kind == "list":
        return [("together", together, LIST * MAP_DIRECT)]
    if kind == "pool" or (kind in NOT_LINEAR and pages == 1):
        return [("together", together, MAP_RECORDED)]
    if kind in NOT_LINEAR:
        return [("for each further page", (together - one_page()) / (pages - 1), MAP_PAGE)]
    smallest = min(int(other) for *_, other in rows)
    if kind in COPY and direction != "to-device" and int(size) > smallest:
        less = rows[kind, direction, str(smallest)]
        return [(f"a byte, copy {name}", (ours - few) / (int(size) - smallest), COPY[kind])
                for name, ours, few in zip(("in", "out"), (map_, unmap), less)]
    return []


def keeps_maps(rows, row):
    """Returns whether a row of maps.c keeps its bounds."""
    return all(figure <= most for _, figure, most in maps(rows, row))


def walks(pages, fill, outcome, fit):
    """Returns whether a first fit that looks at each page looks at half or more of a pool that is not empty."""
    return fill != "empty" and (outcome == "failure" or fit >= pages // 2)


def faster(pages, fill, outcome, fit):
    """Returns how many times as fast as the baseline a row must be; None if it has no bound."""
    if outcome == "crossed":
        return 1 / CROSSED if fill == "empty" else None
    return FASTER if pages >= LARGE and walks(pages, fill, outcome, fit) else 1
