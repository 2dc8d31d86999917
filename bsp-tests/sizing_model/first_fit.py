# SPDX-License-Identifier: Apache-2.0
"""Places allocations as the library does: at the lowest address with enough free pages next to each other."""

import bisect
import math


class FirstFit:
    """The pages 0, 1, 2, ..., of which an allocation takes the lowest that are enough and lie next to each other.

    `pools` has the pages of each pool: no allocation crosses the end of a pool, and a later pool is used when the earlier ones
    have no room. Without it there is one pool without an end.
    """

    def __init__(self, pools=()):
        self.starts, self.ends = [], []
        at = 0
        for size in pools:
            self.starts.append(at)
            at += size
            self.ends.append(at)
        if not pools:
            self.starts, self.ends = [0], [math.inf]
        # The allocations in order of their address: where each begins, and how long it is.
        self.used, self.lengths = [], {}
        self.top = self.live = self.peak = 0

    def alloc(self, count):
        """Returns the first page, or None if there is no room."""
        for start, end in zip(self.starts, self.ends):
            at = self.find(start, end, count)
            if at is not None:
                bisect.insort(self.used, at)
                self.lengths[at] = count
                self.live += count
                self.peak = max(self.peak, self.live)
                self.top = max(self.top, at + count)
                return at
        return None

    def find(self, start, end, count):
        at = start
        for index in range(bisect.bisect_left(self.used, start), len(self.used)):
            block = self.used[index]
            if block >= end or block - at >= count:
                break
            at = block + self.lengths[block]
        return at if at + count <= end else None

    def free(self, at):
        self.live -= self.lengths.pop(at)
        del self.used[bisect.bisect_left(self.used, at)]


def replay(operations, pools=()):
    """Replays a trace. Returns the model, the sizes that occur, and the number of allocations that had no room."""
    model, places, sizes, refused = FirstFit(pools), {}, set(), 0
    for operation, name, count in operations:
        if operation == "alloc":
            sizes.add(count)
            places[name] = model.alloc(count)
            refused += places[name] is None
        else:
            at = places.pop(name)
            if at is not None:
                model.free(at)
    return model, sorted(sizes), refused
