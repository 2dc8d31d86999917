# SPDX-License-Identifier: Apache-2.0
"""What the library may cost."""

# Instructions of an allocation and its free, on QEMU, in steady state.
CALLS = {"4KiB,cached": 220, "4KiB,coherent": 220, "64KiB,cached": 280, "64KiB,coherent": 280, "1MiB,cached": 320,
         "1MiB,coherent": 320}
# Instructions that a sync call may take beyond those of the reference: a translation that an interrupt cannot change.
SYNC = 7
# What 2,001 instructions are counted as, at least and at most.
CALIBRATION = (1999, 2003)
# Instructions with the lock held, without 4 for each 64 pages of the request; and what is tried.
STRETCH = 300
STRETCHES = ("boundaries", "large", "random", "checkerboard", "aligned", "patience")
# The same where other calls come in between time and again, so that a call does the rest at once.
PATIENCE = 600
# Pools, in pages.
SIZES = (512, 2048, 16384, 262144)
# On pools of this many pages and more, rows in which the baseline has to walk are this many times faster.
LARGE, FASTER = 16384, 50
# What a row on the largest pool may cost, against the same on this one.
SMALL, GROWTH = 2048, 2.5
# Instructions of a call in a trace, on the host; no trace may be slower than the baseline either.
TRACES = {"one-page,fifo,16": 230, "one-page,random,50%": 230, "mixed,random,25%": 480, "mixed,random,50%": 480,
          "mixed,random,90%": 480}
# What a crossed row on an empty pool may cost, against the baseline.
CROSSED = 1.1
# How much two cores do together, against one alone.
CORES = {"one-pool": 0.8, "two-pools": 1.7, "two-block-pools": 1.7}
# How many pairs of slices are compared, and with --quick.
PAIRS, QUICK_PAIRS = 201, 41
# Bytes of the linked core.
CORE = 12288

# Instructions of a map and its unmap where no cache is maintained, together: a direct mapping of up to a page, and one with a
# record. Further pages of linear memory cost nothing.
MAP_DIRECT, MAP_RECORDED, PAGE = 200, 500, 4096
# What each further page may cost where the memory is not linear.
MAP_PAGE = 12
# Instructions a byte of a bounce copy, the maintenance of the bounce buffer's cache lines included.
COPY = {"aligned": 0.5, "misaligned": 1.5}


def stretch(name):
    return PATIENCE if name == "patience" else STRETCH


def trace(name, ours, baseline):
    """Whether a trace keeps its bounds."""
    return ours <= min(baseline, TRACES.get(name, baseline))


def walks(pages, fill, outcome, fit):
    """Whether a first fit that looks at each page sees half or more of a pool that is not empty."""
    return fill != "empty" and (outcome == "failure" or fit >= pages // 2)


def faster(pages, fill, outcome, fit):
    """How many times as fast as the baseline a row must be; None if it has no bound."""
    if outcome == "crossed":
        return 1 / CROSSED if fill == "empty" else None
    return FASTER if pages >= LARGE and walks(pages, fill, outcome, fit) else 1
