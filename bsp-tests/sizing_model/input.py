# SPDX-License-Identifier: Apache-2.0
"""Reads sizes, recorded traces, and the output of list_dma_pool."""

import collections
import re

PAGE = 4096


class Unreadable(Exception):
    """The input cannot be read, or contradicts itself."""


def size_of(text):
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})([kKmMgG]?)", text)
    if not match:
        raise Unreadable("%r is no size: a number, and k, M or G" % text[:40])
    number = int(match.group(1), 16 if match.group(1)[1:2] in ("x", "X") else 10)
    size = number << {"": 0, "k": 10, "m": 20, "g": 30}[match.group(2).lower()]
    if size >= 1 << 64:
        raise Unreadable("%r is more than 64 bits can hold" % text)
    return size


def pool_of(text):
    """Returns the number of whole pages of a pool of this size."""
    pages = size_of(text) // PAGE
    if pages == 0:
        raise Unreadable("a pool of %s bytes has no page of %d bytes" % (text, PAGE))
    return pages


def pages_of(size):
    return -(-size // PAGE)


def read_trace(lines):
    """Yields the operations of a trace: ("alloc", name, pages) and ("free", name, 0)."""
    live = set()
    for line_number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        where = "line %d: " % line_number
        if words[0] == "alloc" and len(words) == 3:
            if words[1] in live:
                raise Unreadable(where + "%s is allocated already" % words[1])
            try:
                count = pages_of(size_of(words[2]))
            except Unreadable as error:
                raise Unreadable(where + str(error))
            if count == 0:
                raise Unreadable(where + "nothing is asked for")
            live.add(words[1])
            yield "alloc", words[1], count
        elif words[0] == "free" and len(words) == 2:
            if words[1] not in live:
                raise Unreadable(where + "%s is not allocated" % words[1])
            live.remove(words[1])
            yield "free", words[1], 0
        else:
            raise Unreadable(where + "neither 'alloc NAME BYTES' nor 'free NAME'")


# A pool as list_dma_pool prints it. `used` counts the most pages in use if the list has peaks, else the pages in use now.
Pool = collections.namedtuple("Pool", "name pages used has_peak failed")

# The columns of list_dma_pool that hold a number.
NUMBERS = ("kib", "used", "free", "peak", "failed")
POOL_LINE = re.compile(r"^(.*?)\s*\[0x([0-9a-f]{1,16}), 0x([0-9a-f]{1,16})\]\s+(.*)$")


def read_pool(match, columns):
    """Reads a line for read_list(). Raises Unreadable if a column is missing or the numbers contradict each other."""
    name, values = match.group(1), match.group(4).split()
    numbers = [column for column in columns if column in NUMBERS]
    if columns[:len(numbers)] != numbers or not all(re.fullmatch("[0-9]{1,20}", text) for text in values[:len(numbers)]) \
            or len(values) < len(numbers):
        raise Unreadable("%s: its line has no number for each of the columns %s: was it cut off?" % (name, " ".join(numbers)))
    value_of = {column: int(text) for column, text in zip(numbers, values)}
    pages = (int(match.group(3), 16) - int(match.group(2), 16)) // PAGE
    used = pages_of(value_of.get("peak", value_of["used"]) * 1024)
    if not 0 < pages or used > pages:
        raise Unreadable("%s: more in use than the pool has" % name if pages > 0 else "%s: the range ends at its start or below"
                         % name)
    return Pool(name, pages, used, "peak" in value_of, value_of.get("failed", 0))


def read_list(lines):
    """Returns the pools that list_dma_pool printed.

    The columns are found by the words of the header line: KiB, Used, and Peak where the library prints one.
    """
    columns, pools = [], []
    for line in lines:
        words = line.split()
        if words[:2] == ["Name", "Region"]:
            columns = [word.lower() for word in words[2:]]
            continue
        match = POOL_LINE.match(line.strip())
        if not match:
            continue
        if "used" not in columns:
            raise Unreadable("no header line with a column Used before pool %s" % match.group(1))
        pools.append(read_pool(match, columns))
    if not pools:
        raise Unreadable("no pool in it")
    return pools
