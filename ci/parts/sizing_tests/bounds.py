# SPDX-License-Identifier: Apache-2.0
"""Compares the bounds of bsp-tests/sizing with exhaustive searches and with an adversary, and its first fit with another one."""

import random

from sizing_model.bounds import classes_of, lower_bound, upper_bound
from sizing_model.first_fit import FirstFit

from parts.sizing_tests.search import Strings, can_be_defeated, worst_case


def each_size(first, last):
    return [(size, size) for size in range(first, last + 1)]


def test_the_proven_bound_holds_in_the_worst_of_all_orders():
    for peak, largest in ((4, 2), (6, 2), (8, 2), (4, 3), (6, 3), (7, 3), (4, 4), (6, 4), (7, 4), (5, 5), (6, 6)):
        needed = worst_case(peak, range(1, largest + 1))
        proven = upper_bound(peak, each_size(1, largest))
        assert needed <= proven, (peak, largest, needed, proven)
        # The bound is also useful: it is close to the worst case.
        assert proven <= 1.5 * needed + largest, (peak, largest, needed, proven)


def test_the_proven_bound_holds_for_few_sizes():
    for peak, sizes, unit in ((9, (1, 3), 1), (8, (1, 4), 1), (12, (2, 4), 2), (12, (3,), 3), (12, (4, 6), 2),
                              (14, (4, 7), 1), (12, (2, 3), 1), (12, (3, 6), 3), (12, (2, 6), 2)):
        needed = worst_case(peak, sizes)
        proven = upper_bound(peak, [(size, size) for size in sizes], unit)
        assert needed <= proven, (peak, sizes, needed, proven)


def test_one_size_needs_no_more_than_its_peak():
    for size in (1, 3, 16):
        assert upper_bound(size * 10, [(size, size)], size) == size * 10


def test_the_proven_bound_holds_over_two_pools():
    for peak, largest in ((4, 2), (6, 2), (5, 3), (6, 3), (5, 4)):
        for border in range(1, 7):
            needed = worst_case(peak, range(1, largest + 1), (border,))
            proven = upper_bound(peak, each_size(1, largest), 1, 2)
            assert needed <= proven, (peak, largest, border, needed, proven)
    # Blocks of one size leave a gap only at the border, whether or not the pool's size is a multiple of it.
    for peak, sizes, unit in ((6, (3,), 3), (10, (5,), 5), (12, (2, 4), 2)):
        for border in range(1, 10):
            needed = worst_case(peak, sizes, (border,))
            proven = upper_bound(peak, [(size, size) for size in sizes], unit, 2)
            assert needed <= proven, (peak, sizes, border, needed, proven)


def test_classes_of_sizes_only_enlarge_the_bound():
    for peak, largest in ((64, 16), (500, 100), (4096, 300)):
        exact = upper_bound(peak, each_size(1, largest))
        for limit in (1, 3, 10, 40):
            classes = classes_of(1, largest, limit)
            assert classes[0][0] == 1 and classes[-1][1] == largest
            assert all(last + 1 == first for (_, last), (first, _) in zip(classes, classes[1:]))
            assert exact <= upper_bound(peak, classes)


def test_robsons_bound_is_what_the_best_allocator_needs():
    for peak, largest in ((2, 2), (4, 2), (6, 2), (4, 4)):
        sizes = [1 << step for step in range(largest.bit_length())]
        least = lower_bound(peak, 1, largest)
        assert can_be_defeated(least - 1, peak, sizes), (peak, largest, least)
        assert not can_be_defeated(least, peak, sizes), (peak, largest, least)


def attack(peak, doublings):
    """Makes the requests of Robson's adversary of first fit, and returns the pages that it needed. The blocks that stay after each
    round lie so that larger requests do not fit."""
    model, live, offset = FirstFit(), {}, 0
    for _ in range(peak):
        live[model.alloc(1)] = 1
    for step in range(1, doublings + 1):
        size = 1 << step

        def kept(place):
            return {at: length for at, length in live.items() if (place - at) % size < length}

        # Two offsets leave the pattern of the round before in place. The one with less in use is taken.
        offset = min((offset, offset + size // 2), key=lambda place: sum(kept(place).values()))
        keep = kept(offset)
        for at in [at for at in live if at not in keep]:
            model.free(at)
            del live[at]
        while model.live + size <= peak:
            live[model.alloc(size)] = size
    return model.top


def test_an_adversary_stays_between_the_bounds():
    for peak, doublings in ((64, 2), (256, 3), (512, 4), (1024, 5)):
        top = attack(peak, doublings)
        largest = 1 << doublings
        least, proven = lower_bound(peak, 1, largest), upper_bound(peak, each_size(1, largest))
        assert least <= top <= proven, (peak, largest, least, top, proven)


def test_a_trace_is_replayed_by_exact_first_fit():
    chance = random.Random(17)
    for round_number in range(40):
        borders = () if round_number % 2 else (chance.randrange(1, 12), chance.randrange(12, 30))
        pools = () if not borders else (borders[0], borders[1] - borders[0], 10_000)
        model, strings, blocks = FirstFit(pools), Strings(borders), []
        for _ in range(150):
            if blocks and chance.random() < 0.45:
                block = blocks.pop(chance.randrange(len(blocks)))
                model.free(block[0])
            else:
                size = chance.choice((1, 1, 2, 3, 5, 16))
                start = strings.place(blocks, size)
                assert model.alloc(size) == start
                blocks.append((start, size))
        sizes = (1, 2, 3, 5, 16)
        proven = upper_bound(model.peak, [(size, size) for size in sizes], 1, len(pools) or 1)
        assert model.top <= proven
        assert model.live == sum(size for _, size in blocks)


def test_a_pool_that_is_full_refuses():
    model = FirstFit((4, 2))
    assert [model.alloc(3), model.alloc(2), model.alloc(1), model.alloc(1)] == [0, 4, 3, None]
    model.free(0)
    assert model.alloc(4) is None and model.alloc(3) == 0
