# SPDX-License-Identifier: Apache-2.0
"""Compares the measurements with their bounds, and prints a line for each: ok or MISSED. ci/bench calls it."""

import os
import sys

import bounds as bound
import measure
import plot
import tables


class Judge:
    """Prints each line as it is judged, and counts."""

    def __init__(self):
        self.kept = self.missed = 0

    def line(self, ok, text):
        self.kept += bool(ok)
        self.missed += not ok
        print(f"{'ok    ' if ok else 'MISSED'} {text}", flush=True)

    @staticmethod
    def note(text):
        print(f"       {text}", flush=True)


def judge_calls(judge, lines):
    calibration = [int(words[0]) for words in measure.lines_of(lines, "calibration")]
    ok = calibration and bound.CALIBRATION[0] <= calibration[0] <= bound.CALIBRATION[1]
    judge.line(ok, f"QEMU: 2,001 instructions are counted as {calibration or 'nothing'} (2,001 +- 2)")
    counts = {}
    for name, when, alloc, free in measure.lines_of(lines, "call"):
        counts.setdefault(name, {})[when] = (int(alloc), int(free))
    for name, most in bound.CALLS.items():
        alloc, free = counts[name]["steady"]
        first = counts[name]["first"]
        judge.line(alloc + free <= most, f"QEMU: {name}: {alloc} + {free} = {alloc + free} instructions (<= {most}); "
                                         f"first call {first[0]} + {first[1]}")
    return counts


def judge_syncs(judge, lines):
    rows = {name: (int(ours), int(reference)) for name, ours, reference in measure.lines_of(lines, "sync")}
    if not rows:
        raise measure.Broken("no rows of sync calls")
    for name, (ours, reference) in rows.items():
        over = bound.SYNC
        judge.line(ours <= reference + over, f"QEMU: sync {name}: {ours} against {reference} (<= {reference + over})")
    return rows


def judge_maps(judge, lines):
    rows = {tuple(name.split(",")): (int(map_), int(unmap)) for name, map_, unmap in measure.lines_of(lines, "map")}
    if not rows:
        raise measure.Broken("no rows of streaming maps")
    for row, (map_, unmap) in rows.items():
        text = f"QEMU: map {', '.join(row)} bytes: {map_} + {unmap} = {map_ + unmap}"
        figures = bound.maps(rows, row)
        for what, figure, most in figures:
            judge.line(figure <= most, f"{text}; {what} {figure:.4g} (<= {most})")
        if not figures:
            judge.note(f"{text} (no bound)")
    return rows


def judge_stretches(judge, lines):
    """Returns {pages of the pool: {scenario: instructions, or "scan": those of word_by_word.c}}."""
    by_size = {size: {} for size in bound.SIZES}
    for size, name, over, longest, pages in measure.lines_of(lines, "stretch"):
        by_size[int(size)][name] = int(over)
        most = bound.stretch(int(size), name)
        text = (f"QEMU: lock held, {size} pages, {name}: {over} instructions in addition to 4 for each 64 pages of the request; "
                f"{longest} for {pages} pages")
        if most is None:
            judge.note(f"{text} (no bound)")
        else:
            judge.line(int(over) <= most, f"{text} (<= {most})")
    for size, longest in measure.lines_of(lines, "scan"):
        by_size[int(size)]["scan"] = int(longest)
        judge.note(f"QEMU: lock held, {size} pages, a scan by words: {longest} instructions (no bound)")
    if any(set(rows) != {*bound.STRETCHES, "scan"} for rows in by_size.values()):
        raise measure.Broken("stretches are missing")
    return by_size


def judge_pages(judge, by_size):
    for pages, rows in by_size.items():
        for (fill, request, outcome), (fit, ours, bits, words) in rows.items():
            text = (f"host: {pages} pages, {fill}, {request}, {outcome}: {ours:.0f} against {bits:.0f}; {words:.0f} by words; "
                    f"{bits / ours:.1f} times as fast")
            least = bound.faster(pages, fill, outcome, fit)
            if least is None:
                judge.note(f"{text} (no bound)")
            else:
                judge.line(bits >= least * ours, f"{text} (>= {least:.2g})")
    largest = max(by_size)
    for row, (_, ours, *_) in by_size[largest].items():
        small = by_size[bound.SMALL][row][1]
        text = f"host: {', '.join(row)}: {ours / small:.2f} times the cost on {bound.SMALL} pages, on {largest}"
        if row[2] == "crossed":
            judge.note(f"{text} (no bound)")
        else:
            judge.line(ours <= bound.GROWTH * small, f"{text} (<= {bound.GROWTH})")


def judge_traces(judge, by_size):
    for pages, rows in by_size.items():
        for name, (ours, bits, words) in rows.items():
            most = f" and {bound.TRACES[name]}" if name in bound.TRACES else ""
            judge.line(bound.trace(name, ours, bits), f"host: {pages} pages, trace {name}: {ours:.0f} (<= {bits:.0f} of the scan "
                                                      f"by bits{most}); {words:.0f} by words")


def judge_blocks(judge, rows, alone, touched):
    for (size, order), (ours, baseline) in rows.items():
        judge.line(ours <= baseline, f"host: blocks of {size}, {order}: {ours:.1f} against {baseline:.1f} "
                                     f"({ours / baseline:.3f} <= 1)")
    for size, ours in alone.items():
        judge.line(ours <= bound.BLOCK, f"host: blocks of {size}, the two calls alone: {ours:.1f} (<= {bound.BLOCK})")
    for size, sides in touched.items():
        calls, accesses = sides["ours"]
        seen = sides["baseline"]
        # Each call of the baseline writes or reads a block. If those accesses are not counted, none are.
        judge.line(accesses == 0 and calls and seen[1] >= seen[0],
                   f"host: blocks of {size}: {accesses} of {calls} calls access DMA memory (0); of the baseline's {seen[1]}")


def judge_cores(judge, rows):
    for name, (median, lower, upper, counted, alone, together) in rows.items():
        text = (f"host: two cores, {name}: {median:.2f} times as much as one ({lower:.2f} to {upper:.2f}, {counted} pairs); "
                f"{alone:.1f} ns an operation alone, {together - alone:.1f} waiting")
        if name in bound.CORES:
            judge.line(median >= bound.CORES[name], f"{text} (>= {bound.CORES[name]})")
        else:
            judge.note(text)


def main():
    work, *options = sys.argv[1:]
    if options not in ([], ["--quick"]):
        print(f"ci/bench knows --quick, and not {' '.join(options)}")
        return 1
    quick = bool(options)
    sizes = [size for size in bound.SIZES if not quick or size <= bound.LARGE]
    judge = Judge()
    try:
        lines = measure.dma_bench(work, "bench")
        calls = judge_calls(judge, lines)
        syncs = judge_syncs(judge, lines)
        maps = judge_maps(judge, lines)
        stretches = judge_stretches(judge, measure.dma_bench(work, "stretch"))
        pages = {size: measure.page_rows(work, size) for size in sizes}
        judge_pages(judge, pages)
        traces = {size: measure.trace_rows(work, size) for size in sizes}
        judge_traces(judge, traces)
        lock = measure.lock(work)
        judge.note(f"host: the lock of the baselines: {lock:.0f} instructions a call")
        records = measure.record_rows(work)
        for live, count in records.items():
            judge.note(f"host: {live} live mappings of pool memory: {count:.0f} instructions a map and its unmap")
        (blocks, alone), touched = measure.block_rows(work), measure.touches(work)
        judge_blocks(judge, blocks, alone, touched)
        cores = measure.core_rows(work, bound.QUICK_PAIRS if quick else bound.PAIRS)
        judge_cores(judge, cores)
        heap = measure.byte_rows(work)
        for name, count in heap.items():
            judge.note(f"host: heap: {name}: {count} bytes")
        static = measure.static_bytes(work)
        for name, count in static.items():
            judge.note(f"archive: static variables of {name}: {count} bytes")
    except (measure.Broken, KeyError) as error:
        judge.line(False, f"no measurement: {error}")
        return 1
    panics = measure.panics(work)
    judge.line(not panics, f"archive: {len(panics)} references to panics or formatting (0) {' '.join(panics)}".rstrip())
    sections = measure.core_sections(work)
    core = sum(sections.values())
    parts = ", ".join(f"{name} {size}" for name, size in sections.items())
    judge.line(".text" in sections and core <= bound.CORE,
               f"archive: the linked core has {core} bytes (<= {bound.CORE}): {parts}")
    if not quick:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "results.md"), "w") as file:
            file.write(tables.results(calls, syncs, maps, records, stretches, pages, traces, lock, blocks, alone, touched, cores,
                                     heap, static, sections, measure.core_subjects(work)))
        with open(os.path.join(here, "plot.svg"), "w") as file:
            file.write(plot.svg(pages, traces))
    print(f"{judge.kept} kept, {judge.missed} missed")
    return 1 if judge.missed else 0


if __name__ == "__main__":
    sys.exit(main())
