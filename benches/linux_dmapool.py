# SPDX-License-Identifier: Apache-2.0
"""Compares rt_dma_block_pool_* with Linux's own mm/dmapool.c, which ci/linux built. Prints a table.

usage: linux_dmapool.py FOLDER

The instructions are those within the calls: what the loop around them takes is subtracted. On Linux a pair takes the calls of
the spin lock's functions in addition, which are inline here.
"""

import subprocess
import sys
import os

import bounds
import measure

# The time of a pair, as a multiple of Linux's. Measurements differ by a few percent from run to run.
SLOWER = 1.05
# Of the functions in the loop that is subtracted: three of the allocation's, one of the free's.
EMPTY_FUNCTIONS = 4


def main():
    work = sys.argv[1]
    lines, counts = measure.callgrind(work, "compare", "compare", "count")
    result = subprocess.run([os.path.join(work, "compare"), "time"], stdout=subprocess.PIPE, text=True, check=True)
    times = {(shape, side, int(threads)): float(value)
             for shape, side, threads, value in measure.lines_of(result.stdout.splitlines(), "time")}
    missed = False
    print("| shape | instructions, ours | Linux's | ns, one thread, ours | Linux's | ns, two threads, ours | Linux's |")
    print("|---|---|---|---|---|---|---|")
    for shape, pairs in measure.lines_of(lines, "pair"):
        ours, linux = ((counts[f"{shape} {side}"] - counts[f"{shape} none"]) / int(pairs) + EMPTY_FUNCTIONS
                       for side in ("ours", "linux"))
        row = [f"{ours:.1f}", f"{linux:.1f}"]
        row += [f"{times[shape, side, threads]:.1f}" for threads in (1, 2) for side in ("ours", "linux")]
        slower = [times[shape, "ours", threads] > SLOWER * times[shape, "linux", threads] for threads in (1, 2)]
        missed |= ours > bounds.BLOCK or any(slower)
        print(f"| {shape} | " + " | ".join(row) + " |")
    if missed:
        print(f"MISSED: a pair takes more than {bounds.BLOCK} instructions, or longer than on Linux")
    sys.exit(missed)


if __name__ == "__main__":
    main()
