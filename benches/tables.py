# SPDX-License-Identifier: Apache-2.0
"""results.md: the numbers of one run of ci/bench as tables."""

import bounds
import measure

INTRODUCTION = """# What the library costs

`ci/bench` writes this page and compares each number with its bound. A number that misses its bound is **bold**. All numbers without
a unit are instructions of the library as `tools/build-archive` makes it. Those of a host depend a little on its compilers.
"""

CALLS = """
## Calls, on aarch64

`benches/calls.c` in the kernel of `bsp-tests/kernel`, on QEMU with `-icount shift=0`: one call of `rt_dma_alloc`, one
of `rt_dma_free`. The first call maps a view of the pool, or cleans the cache. *Steady state* is the median of 255
repetitions. The same calls of `dma_pool.c` were counted in a kernel of RT-Thread 5.2.2, with version 0.1 of the library:
[what was run where](../docs/tested.md#on-real-rt-thread-kernels-version-01-november-2026).
"""

SYNCS = """
## Sync calls, on aarch64

`benches/syncs.c`, in the same kernel: `rt_dma_sync_out_data` and `rt_dma_sync_in_data`, each *ours / reference*. The
reference is written in C and takes the steps of `dma_pool.c`, without the additional checks that the library promises. A call
may take {bound} instructions more: a translation that an interrupt cannot change.
"""

MAPS = """
## Streaming maps, on aarch64

`benches/maps.c`, in the same kernel: `rt_dma_map_single` and `rt_dma_unmap_single`, each *map + unmap*. Its first lines
explain the kinds of memory. A list has {list} buffers of the size.

Where no cache is maintained, a map and its unmap together have a bound: {direct} for a direct mapping (*linear*, and each buffer of
a *list*), {recorded} for one with a record (*pool*, and *flash* up to a page), and for one of memory at a second address
(*elsewhere*, up to a page). Each further page may take {page} more in *elsewhere* and *flash*, and none in *linear*. Where a bounce
buffer is used (*aligned* and *misaligned*, if the device writes), each call may take {aligned} instructions for each byte more than in
the smallest row, or {misaligned} in *misaligned*. Other rows have no bound.
"""

RECORDS = """
`benches/host/records.c`, on a host: a map and its unmap of a page of a pool, while other mappings with a record are live.
"""

STRETCHES = """
## The longest stretch with the lock held

On QEMU, with the page map in the states in which a call takes longest (`benches/stretches.c`); where these are random, the longest
of several sequences. The table has the instructions without 4 for every 64 pages of the request. On the largest pool the bound is
{bound}, and {patience} in the row *patience*, in which other calls repeatedly come between the steps of a call, so that it does the
rest in one step. On smaller pools more steps are done in one stretch, and there is no bound. The kernel counts from one call of a
service to the next, so here the library masks interrupts by the port's functions (feature `irq-port`). These take a few
instructions more.

*Scan by words* is the plain alternative to the tree of runs: the longest search of `benches/word_by_word.c`, which
[a section below](#pages-compared-with-two-scans-of-the-bitmap) describes.
"""

PAGES = """
## Pages, compared with two scans of the bitmap

The whole of `rt_dma_alloc` and `rt_dma_free` through the C interface, counted by callgrind on a host in one run with two
baselines. Both are a first fit. `benches/bit_by_bit.c` looks at one page after the other; `benches/word_by_word.c` loads 64 pages
at a time, goes past whole words, and finds a run in a word by shifts. All three find their device's operations, walk the list of
pools, and lock; all take the same pages in every row, which is checked.

![Cost against the size of the pool](plot.svg)

* *random*: each page is in use with a probability of one half; *90-percent*: the lowest 90 % are in use; *checkerboard*:
  every second page is in use; *gaps*: 61 of each 64 pages are free, which keeps the scan by words longest.
* *success*: an allocation and its free. Where the fill leaves no run that is long enough, the last pages of the pool
  are free.
* *failure*: an allocation for which no run is long enough. Single pages in use divide every longer run, so that for one page the
  pool is full. On the empty pool the request has one page more than the pool.
* *crossed*: two allocations, then their frees in the same order, so that no free is that of the last allocation. The number is
  half of the count. It has a bound on the empty pool only: {crossed} times the scan by bits.

The baselines take their lock in the steps of RT-Thread's SMP `rt_spin_lock_irqsave` (`benches/host/spin_lock.c`), as
`dma_pool.c` and drivers do: {lock:.0f} instructions of each call. A bare test-and-set lock would cost the baseline of small blocks
about half of a row.

Each cell has the count of the library / of the scan by bits / of the scan by words. No row except *crossed* may be slower than the
scan by bits. From {large:,} pages on, rows marked with `w` must be {faster} times as fast: there that scan fails, or finds its pages
in the upper half of a pool that is not empty. (In other rows it ends at the first pages that it looks at, and no search can be
{faster} times as fast as that.)
"""

GROWTH = """
A row on the largest pool may take {bound} times the instructions of {small:,} pages; the highest value is {most:.2f}.
"""

TRACES = """
## Traces, compared with these scans

The traces are sequences of calls as drivers make them (`benches/host/traces.c`). The numbers are instructions per call, counted on
a host as the rows above. All sides replay the same calls from the same state and take the same pages, which is checked.

* *fifo*: a ring of the given number of buffers, the oldest of which is freed before the next is allocated.
* *random*: while less than the stated share of the pool is in use, an allocation; else a random buffer is freed.
* *mixed*: 60 % of the requests have one page, 20 % two, 10 % four, 7 % sixteen, 3 % one to 64.

Each cell has the count of the library / of the scan by bits / of the scan by words. No trace may be slower than the scan by bits.
"""

WORDS = """
## Where a scan by words costs less

In how many of the rows and traces above the library takes fewer instructions than the scan by words, each with its own lock:
"""

BOUNDED = """
The library takes fewer in every row *success* {success}; in every row *failure*, if an empty pool has room for
the request, {failure}; and in every trace {traces}. Where it takes more, it pays for what the
scan does not have: the bitmap of first pages, by which wrong frees are found; that of clean pages; statistics; and a lock that is held for a
bounded time. The longest search of the scan with
the lock held is in the table of [stretches](#the-longest-stretch-with-the-lock-held).
"""

BLOCKS = """
## Small blocks, compared with a free list in the blocks

[Porting from Linux](../docs/porting-from-linux.md) has a table that compares block pools with Linux's own `mm/dmapool.c`.

100 rounds of 1,024 to 8,192 allocations and then as many frees, in three orders, begin with an empty pool. `rt_dma_block_pool_*`
is compared with `benches/in_band.c`, whose free blocks point to each other, in one run under callgrind on cached memory. The
numbers are per allocation and free, with the loop around them. *Calls alone* are the library's, first to last, without the loop
and in a pool that has its pages; the bound is {bound}. To count accesses to DMA memory, all of it is made inaccessible while
1,024 blocks are allocated and freed three times: each access is then a fault.
"""

CORES = """
## Two cores

`benches/host/cores.c`, on a host: the calls that two cores complete which allocate and free at the same time, as a multiple of
the calls of one core. The table has the median of pairs of time slices that no other program disturbed, and the quartiles; the
time of a call; and the time that the other core's calls add to it, by the wait for the lock and for cache lines that the other
core has.
"""

HEAP = """
## Heap memory, and static memory of additions

`benches/host/bytes.c`, on a 64-bit host: the bytes that the library asks for, without what the heap adds. A direct mapping takes
none. A device has a record only with a mask, or with managed resources. The rows *static* are the static variables of an addition
on aarch64; an image that does not use the addition has none of them.
"""

SIZE = """
## The archive

The linked core, text and read-only data of archive and port after `--gc-sections`, with RT-Thread's own exports:
{core:,} bytes of {bound:,}{missed}. Its code by subject; a function that the compiler has inlined counts where it is called:
"""


MISSES = """
## Numbers that miss their bounds, and the reasons
"""

MISSED_CORE = """
* *The linked core has {core:,} bytes, and {bound:,} are allowed.* It had about 12.7 KiB before it knew masks, address ranges of
  PCI and the device tree, lent regions, mappings of single buffers and the fast path of a call. Tried, in bytes: one function
  that marks pages and one place that removes a run from the tree (624 fewer, kept), marking pages without a copy for each caller
  (376 fewer, but 9 instructions more for each call of a trace, not kept), other thresholds for inlining (56 to 1,216 more), more
  runs of LLVM's outliner (4 fewer), merging of functions (none). The four copies of the fast path have about 2,100 bytes. Without
  the page map, the pools, the requests, and the code and services that these share with the rest, {rest:,} bytes remain, and most of
  them are demanded: windows of host bridges, ranges and regions of the device tree, translations that an interrupt cannot change,
  processors without page tables. A core within the bound would need an option for each of these parts, as the additions have.
"""

MISSED_NOT_LINEAR = """
* *A map and its unmap of up to a page that is mapped neither linearly nor by a pool take up to {most} instructions; {bound} are
  allowed.* They take {pool} for a pool's memory, whose view gives the address. The others are, counted in a trace: about 45 to look for
  the buffer in the views of two pools, about 105 to look it up in the page tables, and its linear address too, and to compare it with
  the pools and the linear map, and about 35 for the counters of records outside the pools, because of which the unmap of a direct
  mapping takes no lock. Tried: no record if the memory is mapped linearly too and the device snoops the cache (164 fewer for such
  memory, which keeps the bound now, and 26 more for other memory; kept), one look-up for all pages (4 fewer, and 9 for the second
  page instead of 41; kept), the counters before the search for a pool in an unmap (6 fewer, kept), the page tables before the views
  (56 fewer, but 76 more for a pool's memory, which misses its bound then).
"""

MISSED_MAPS = """
* *These rows of streaming maps miss their bounds: {list}.* The reason is not known; the rows have kept them before.
"""

MISSED_STRETCH = """
* *A stretch with the lock held is longer than its bound: {list}.* The count includes the port's functions that mask interrupts,
  which the library as `tools/build-archive` makes it does not call. The pools of these rows are filled at random, so other sequences of
  random numbers may reach some instructions more, or fewer.
"""

MISSED_CORES = """
* *Two cores together complete fewer calls than their bound asks for, in: {names}.* The figure changes from one run of the
  program to the next: runs in November 2026 gave 0.65 to 1.05 for one pool, and 0.98 to 2.27 for two pools. The reason is not
  known. An older build with a slower call gave 0.82 to 1.18 and 1.73 to 2.33 in seven runs on the same machine.
"""


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)] + rows
    return "\n" + "".join("| " + " | ".join(line) + " |\n" for line in lines)


def marked(text, ok):
    return text if ok else f"**{text}**"


def calls_table(calls):
    rows = []
    for name, most in bounds.CALLS.items():
        (alloc, free), first = calls[name]["steady"], calls[name]["first"]
        rows.append([name.replace(",", ", "), f"{first[0]:,} + {first[1]:,}", f"{alloc} + {free}",
                     marked(str(alloc + free), alloc + free <= most), str(most)])
    return table(["", "first call", "steady state", "together", "bound"], rows)


def syncs_table(syncs):
    split = [(*name.split(","), costs) for name, costs in syncs.items()]
    sizes = sorted({int(size) for *_, size, _ in split})
    rows = {}
    for kind, call, size, costs in split:
        rows.setdefault((kind, call), {})[int(size)] = costs
    lines = []
    for (kind, call), costs in rows.items():
        cells = [marked(f"{ours:,} / {its:,}", ours <= its + bounds.SYNC) for ours, its in (costs[size] for size in sizes)]
        lines.append([f"{kind}, {call.replace('-', ' ')}"] + cells)
    return table(["operations, call"] + [f"{size:,} bytes" for size in sizes], lines)


def cores_table(cores):
    rows = []
    for name, (median, lower, upper, counted, alone, together) in cores.items():
        least = bounds.CORES.get(name)
        rows.append([name.replace("-", " "), marked(f"{median:.2f}", least is None or median >= least),
                     f"{lower:.2f} to {upper:.2f}", str(least or "-"), str(counted), f"{alone:.1f} ns",
                     f"{together - alone:.1f} ns"])
    return table(["", "together", "quartiles", "bound", "pairs", "alone", "waiting"], rows)


def heap_table(heap, static):
    rows = [[name.replace(",", ", pages: "), f"{count:,}"] for name, count in heap.items()]
    rows += [[f"static: {name.replace('_', ' ')}", f"{count:,}"] for name, count in static.items()]
    return table(["for", "bytes"], rows)


def records_table(records):
    return table(["live mappings"] + [f"{live:,}" for live in records],
                 [["map and unmap"] + [f"{count:,.0f}" for count in records.values()]])


def maps_table(maps):
    sizes = sorted({int(size) for *_, size in maps})
    rows = []
    for kind, direction in dict.fromkeys((kind, direction) for kind, direction, _ in maps):
        names = [(kind, direction, str(size)) for size in sizes]
        cells = [marked("{:,} + {:,}".format(*maps[name]), bounds.keeps_maps(maps, name)) if name in maps else ""
                 for name in names]
        rows.append([f"{kind}, {direction}"] + cells)
    return table(["memory, direction"] + [f"{size:,} bytes" for size in sizes], rows)


def stretch_table(by_size):
    rows = []
    for name in (*bounds.STRETCHES, "scan"):
        cells = [(stretches[name], bounds.stretch(size, name) if name != "scan" else None) for size, stretches in by_size.items()]
        rows.append(["scan by words" if name == "scan" else name]
                    + [marked(f"{over:,}", most is None or over <= most) for over, most in cells])
    return table([""] + [f"{size:,} pages" for size in by_size], rows)


def pages_table(by_size):
    rows = []
    for row in next(iter(by_size.values())):
        cells = []
        for size, rows_of_size in by_size.items():
            fit, ours, bits, words = rows_of_size[row]
            least = bounds.faster(size, row[0], row[2], fit)
            cell = marked(f"{ours:,.0f} / {bits:,.0f} / {words:,.0f}", least is None or bits >= least * ours)
            cells.append(cell + (" `w`" if least == bounds.FASTER else ""))
        rows.append([", ".join(row)] + cells)
    return table(["fill, pages asked for"] + [f"{size:,} pages" for size in by_size], rows)


def traces_table(by_size):
    rows = []
    for name in next(iter(by_size.values())):
        cells = []
        for rows_of_size in by_size.values():
            ours, bits, words = rows_of_size[name]
            cells.append(marked(f"{ours:,.0f} / {bits:,.0f} / {words:,.0f}", bounds.trace(name, ours, bits)))
        rows.append([name.replace(",", ", ")] + cells + [str(bounds.TRACES.get(name, "-"))])
    return table(["trace"] + [f"{size:,} pages" for size in by_size] + ["bound"], rows)


def words_tables(pages, traces):
    """Compares the library with the scan by words: a table of how often it is cheaper, and the sizes from which on it always is."""
    kinds = {outcome: {size: {row: costs[1:] for row, costs in rows.items() if row[2] == outcome} for size, rows in pages.items()}
             for outcome in ("success", "failure", "crossed")}
    kinds["traces"] = traces

    def cheaper(rows):
        return [name for name, (ours, _, words) in rows.items() if ours < words]

    def always_from(kind, without=()):
        """Returns in words the sizes from which on the library is cheaper in all rows but those of `without`."""
        sizes = []
        for size in sorted(kinds[kind], reverse=True):
            if set(kinds[kind][size]) - set(cheaper(kinds[kind][size])) - set(without):
                break
            sizes.append(size)
        return f"from {sizes[-1]:,} pages on" if sizes else "on none of these pools"

    rows = [[kind] + [f"{len(cheaper(rows))} of {len(rows)}" for rows in by_size.values()] for kind, by_size in kinds.items()]
    return (table([""] + [f"{size:,} pages" for size in pages], rows)
            + BOUNDED.format(success=always_from("success"), failure=always_from("failure", [("empty", "all+1", "failure")]),
                             traces=always_from("traces")))


def blocks_table(blocks, alone, touched):
    orders = list(dict.fromkeys(order for _, order in blocks))
    rows = []
    for size, sides in touched.items():
        cells = []
        for order in orders:
            ours, baseline = blocks[size, order]
            cells.append(marked(f"{ours:.1f} / {baseline:.1f}", ours <= baseline))
        cells.append(marked(f"{alone[size]:.1f}", alone[size] <= bounds.BLOCK))
        accesses = [sides[side][1] for side in ("ours", "baseline")]
        rows.append([size] + cells + [marked(f"{accesses[0]:,} / {accesses[1]:,}", accesses[0] == 0)])
    return table(["size/alignment/boundary"] + [order.replace("-", " ") for order in orders] + ["calls alone", "accesses"], rows)


def results(calls, syncs, maps, records, stretches, pages, traces, lock, blocks, alone, touched, cores, heap, static, sections,
            subjects):
    largest, small = pages[max(pages)], pages[bounds.SMALL]
    most = max(largest[row][1] / small[row][1] for row in largest if row[2] != "crossed")
    core = sum(sections.values())
    return "".join([
        INTRODUCTION,
        CALLS, calls_table(calls),
        SYNCS.format(bound=bounds.SYNC), syncs_table(syncs),
        MAPS.format(list=bounds.LIST, direct=bounds.MAP_DIRECT, recorded=bounds.MAP_RECORDED, page=bounds.MAP_PAGE, **bounds.COPY),
        maps_table(maps),
        RECORDS, records_table(records),
        STRETCHES.format(bound=bounds.STRETCH, patience=bounds.PATIENCE), stretch_table(stretches),
        PAGES.format(large=bounds.LARGE, faster=bounds.FASTER, crossed=bounds.CROSSED, lock=lock), pages_table(pages),
        GROWTH.format(bound=bounds.GROWTH, small=bounds.SMALL, most=most),
        TRACES, traces_table(traces),
        WORDS, words_tables(pages, traces),
        BLOCKS.format(bound=bounds.BLOCK), blocks_table(blocks, alone, touched),
        CORES, cores_table(cores),
        HEAP, heap_table(heap, static),
        SIZE.format(core=core, bound=bounds.CORE, missed="" if core <= bounds.CORE else " (**missed**)"),
        subjects_table(subjects),
        misses(maps, stretches, cores, core, core - sum(subjects[name] for name in measure.ALLOCATING)),
    ])


def subjects_table(subjects):
    rows = sorted(subjects.items(), key=lambda row: -row[1])
    return table(["subject", "bytes"], [[name, f"{size:,}"] for name, size in rows])


def misses(maps, stretches, cores, core, rest):
    """Returns what is known about the bounds that are missed. `rest` are the bytes of the core that do not allocate or free."""
    notes = []
    over = [(row, *figure) for row in maps for figure in bounds.maps(maps, row) if figure[1] > figure[2]]
    far = [figure for (kind, *_), what, figure, _ in over if kind in bounds.NOT_LINEAR and what == "together"]
    if far:
        pool = max(sum(costs) for (kind, *_), costs in maps.items() if kind == "pool")
        notes.append(MISSED_NOT_LINEAR.format(most=max(far), bound=bounds.MAP_RECORDED, pool=pool))
    others = [f"{', '.join(row)} bytes: {figure:.4g} {what} (<= {most})" for row, what, figure, most in over
              if row[0] not in bounds.NOT_LINEAR or what != "together"]
    if others:
        notes.append(MISSED_MAPS.format(list="; ".join(others)))
    long = {name: stretches[bounds.LARGEST][name] for name in bounds.STRETCHES
            if stretches[bounds.LARGEST][name] > bounds.stretch(bounds.LARGEST, name)}
    if long:
        notes.append(MISSED_STRETCH.format(list=", ".join(f"{over} in {name}" for name, over in long.items())))
    slow = [name for name, row in cores.items() if name in bounds.CORES and row[0] < bounds.CORES[name]]
    if slow:
        notes.append(MISSED_CORES.format(names=", ".join(slow).replace("-", " ")))
    if core > bounds.CORE:
        notes.append(MISSED_CORE.format(core=core, bound=bounds.CORE, rest=rest))
    return MISSES + "".join(notes) if notes else ""
