# SPDX-License-Identifier: Apache-2.0
"""Computes how many pages first fit needs at most, and any allocator at least. docs/sizing.md has the proofs. Sizes are in pages."""

import math


def classes_of(smallest, largest, limit=256):
    """Divides the sizes from smallest to largest into about `limit` classes, and returns the first and the last size of each.

    While there are few sizes, each is a class. With more, the classes grow with the size, which makes the bound a little larger.
    """
    classes, size = [], smallest
    ratio = (largest / smallest) ** (1.0 / limit)
    while size <= largest:
        last = min(largest, max(size, int(size * ratio) - 1))
        classes.append((size, last))
        size = last + 1
    return classes


def upper_bound(peak, classes, unit=1, pools=1):
    """Returns how many pages let first fit serve every order of requests with at most `peak` pages in use at once.

    `classes` are the sizes that occur, as pairs (first, last) in ascending order; each is a multiple of `unit`. docs/sizing.md has
    the proof. The function computes a solution y >= 0 of the dual problem: the sum over k >= j of y[k] * w(j, k) is at least 1 for
    every j. Here w(j, k) = first[j] / (first[j] + last[k] - unit) is the least part of memory that is in use, among blocks of class
    j and larger ones, when a block of class k does not fit anywhere in that memory. Every such y proves the bound: the sum of y[k],
    times the pages in use at once.
    """
    weights = [0.0] * len(classes)
    for j in range(len(classes) - 1, -1, -1):
        first = classes[j][0]
        rest = 1.0
        for k in range(j + 1, len(classes)):
            rest -= weights[k] * first / (first + classes[k][1] - unit)
        weights[j] = max(0.0, rest) * (first + classes[j][1] - unit) / first
    # At the end of each further pool, a gap that is smaller than the request is lost. A pool's size need not be a multiple of the unit.
    total = 0.0
    for (first, last), weight in zip(classes, weights):
        border = (last - 1) * last / (2.0 * last - unit)
        total += weight * (peak + (pools - 1) * border)
    # The result is a whole number of pages. The factor allows for the rounding of some 100,000 floating-point operations.
    return max(peak, math.floor(total * (1 + 1e-9)))


def lower_bound(peak, smallest, largest):
    """Returns Robson's bound: with fewer pages, no allocator that cannot move buffers serves every order of requests.

    The requests have smallest, 2 * smallest, 4 * smallest, ... pages, up to largest. If no other sizes occur, a best possible
    allocator needs exactly this number (J. M. Robson, "Bounds for Some Functions Concerning Dynamic Storage
    Allocation", Journal of the ACM 21(3), 1974; "An Estimate of the Store Size Necessary for Dynamic Storage Allocation",
    Journal of the ACM 18(3), 1971).
    """
    doublings = (largest // smallest).bit_length() - 1
    n = 1 << doublings
    # The peak in units of the smallest request, rounded down to a multiple of the largest.
    m = peak // smallest // n * n
    return max(peak, smallest * (m + m * doublings // 2 - n + 1)) if m else peak
