# SPDX-License-Identifier: Apache-2.0
"""Searches that use no code of bsp-tests/sizing: the worst order of requests, and whether any allocator survives all orders."""


class Strings:
    def __init__(self, borders=()):
        self.borders = borders

    def place(self, blocks, size):
        """Returns the lowest start for a block of `size` that overlaps none of `blocks` and crosses no border."""
        starts = [0] + [at + length for at, length in blocks] + list(self.borders)
        for start in sorted(set(starts)):
            crosses = any(start < border < start + size for border in self.borders)
            if not crosses and all(at + length <= start or start + size <= at for at, length in blocks):
                return start
        raise AssertionError("the last start is always free")


def worst_case(peak, sizes, borders=()):
    """Returns how many pages first fit needs for the worst order of requests. Visits every reachable state."""
    model, top = Strings(borders), 0
    seen, stack = {()}, [()]
    while stack:
        blocks = stack.pop()
        live = sum(length for _, length in blocks)
        following = [blocks[:index] + blocks[index + 1:] for index in range(len(blocks))]
        for size in sizes:
            if live + size <= peak:
                start = model.place(blocks, size)
                top = max(top, start + size)
                following.append(tuple(sorted(blocks + ((start, size),))))
        for state in following:
            if state not in seen:
                seen.add(state)
                stack.append(state)
    return top


def can_be_defeated(pages, peak, sizes):
    """Returns whether some order of requests defeats every allocator with `pages` pages. Solves the game backwards."""
    states, stack = {()}, [()]
    moves = {}
    while stack:
        blocks = stack.pop()
        live = sum(length for _, length in blocks)
        requests = []
        for size in sizes:
            if live + size <= peak:
                places = [start for start in range(pages - size + 1)
                          if all(at + length <= start or start + size <= at for at, length in blocks)]
                requests.append([tuple(sorted(blocks + ((start, size),))) for start in places])
        frees = [blocks[:index] + blocks[index + 1:] for index in range(len(blocks))]
        moves[blocks] = requests, frees
        for state in frees + [state for request in requests for state in request]:
            if state not in states:
                states.add(state)
                stack.append(state)
    lost = set()
    changed = True
    while changed:
        changed = False
        for blocks, (requests, frees) in moves.items():
            if blocks in lost:
                continue
            if any(state in lost for state in frees) or any(all(state in lost for state in request)
                                                            for request in requests):
                lost.add(blocks)
                changed = True
    return () in lost
