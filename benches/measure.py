# SPDX-License-Identifier: Apache-2.0
"""Runs what ci/bench built, and reads the numbers."""

import glob
import importlib.machinery
import importlib.util
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = "aarch64-unknown-none"
# One cycle for each instruction, and idle time passes at once.
QEMU = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-icount", "shift=0,sleep=off", "-smp", "1", "-m", "512M",
        "-nic", "none", "-nographic", "-append", "cma=8M coherent_pool=2M"]
PROMPT = "msh />"


class Broken(Exception):
    """A measurement ended early."""


def smoke():
    """Loads bsp-tests/smoke as a module, which can talk to a kernel."""
    loader = importlib.machinery.SourceFileLoader("smoke", os.path.join(ROOT, "bsp-tests/smoke"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("smoke", loader))
    loader.exec_module(module)
    return module


def dma_bench(work, feature):
    """Returns the lines that the command dma_bench prints in the kernel with this feature."""
    module = smoke()
    kernel = os.path.join(work, "kernel-" + feature, TARGET, "release/stand-in")
    console = module.Console(QEMU + ["-kernel", kernel], r"stand-in: FAILED|assertion failed at function|panicked", False)
    try:
        console.wait(0, PROMPT, 120)
        start = console.mark()
        console.type("dma_bench")
        return console.wait(start, "dma_bench: done", 900).splitlines()
    except module.Ended as error:
        raise Broken(f"dma_bench in the kernel with {feature}: {error}") from None
    finally:
        console.kill()


def lines_of(lines, kind):
    """Returns the words that follow `kind`, of the lines that begin with it."""
    return [line.split()[1:] for line in lines if line.startswith(kind + " ")]


def callgrind(work, name, program, argument):
    """Runs a program under callgrind. Returns its lines, and the instructions for each name that the program gave."""
    folder = os.path.join(work, "callgrind")
    os.makedirs(folder, exist_ok=True)
    out = os.path.join(folder, name)
    for old in glob.glob(out + ".*"):
        os.remove(old)
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}",
               os.path.join(work, program), argument]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise Broken(f"{program} {argument} under callgrind:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    counts = {}
    for path in glob.glob(out + ".*"):
        with open(path) as file:
            text = file.read()
        trigger = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
        summary = re.search(r"^summary: (\d+)$", text, re.MULTILINE)
        if trigger and summary:
            counts[trigger[1]] = int(summary[1])
    return result.stdout.splitlines(), counts


# What is measured side by side: the library, bit_by_bit.c, word_by_word.c.
SIDES = ("ours", "bits", "words")


def page_rows(work, pages):
    """Returns {(fill, request, outcome): (fit or None, instructions of each side)}, per repetition."""
    lines, counts = callgrind(work, f"pages-{pages}", "pages", str(pages))
    rows = {}
    for size, fill, request, outcome, fit, turns in lines_of(lines, "row"):
        name = f"{size} {fill} {request} {outcome}"
        rows[fill, request, outcome] = (None if fit == "none" else int(fit),
                                        *(counts[f"{name} {side}"] / int(turns) for side in SIDES))
    return rows


def trace_rows(work, pages):
    """Returns {trace: (instructions of each side)}, per call."""
    lines, counts = callgrind(work, f"traces-{pages}", "traces", str(pages))
    rows = {}
    for size, trace, calls in lines_of(lines, "trace"):
        rows[trace] = tuple(counts[f"{size} {trace} {side}"] / int(calls) for side in SIDES)
    return rows


def lock(work):
    """Returns the instructions that the baselines take for their lock, in a call."""
    lines, counts = callgrind(work, "lock", "pages", "lock")
    ((turns,),) = lines_of(lines, "lock")
    return counts["lock"] / int(turns)


# Instructions of the empty functions in the loop that blocks.c counts under "none".
EMPTY_CALLS = 3


def block_rows(work):
    """Returns {(size, order): (instructions of the library, of the baseline)}, per allocation and free; and {size:
    instructions of the library's calls alone}, in a pool that has its pages."""
    lines, counts = callgrind(work, "blocks", "blocks", "count")
    rows = {}
    for size, order, pairs in lines_of(lines, "blocks"):
        rows[size, order] = tuple(counts[f"{size} {order} {side}"] / int(pairs) for side in ("ours", "baseline"))
    alone = {size: (counts[f"{size} ours"] - counts[f"{size} none"]) / int(pairs) + EMPTY_CALLS
             for size, pairs in lines_of(lines, "pair")}
    return rows, alone


def record_rows(work):
    """Returns {mappings that are live: instructions of a map and an unmap}."""
    lines, counts = callgrind(work, "records", "records", "")
    return {int(live): counts[f"records {live}"] / int(turns) for live, turns in lines_of(lines, "records")}


def touches(work):
    """Returns {size: {side: (calls, accesses)}}."""
    result = subprocess.run([os.path.join(work, "blocks"), "touch"], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise Broken(f"blocks touch: exit status {result.returncode}")
    sizes = {}
    for size, side, calls, faults in lines_of(result.stdout.splitlines(), "touch"):
        sizes.setdefault(size, {})[side] = (int(calls), int(faults))
    return sizes


def run(work, program, *arguments):
    """Runs a program that must succeed, and returns its lines."""
    result = subprocess.run([os.path.join(work, program), *arguments], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise Broken(f"{program} {' '.join(arguments)}: exit status {result.returncode}")
    return result.stdout.splitlines()


def core_rows(work, pairs):
    """Returns {kind: (median, lower quartile, upper quartile, pairs that count, nanoseconds alone, together)}. The first three are
    the calls of two cores as a multiple of the calls of one."""
    rows = {}
    for name, *ratios, counted, alone, together in lines_of(run(work, "cores", str(pairs)), "cores"):
        rows[name] = (*(int(ratio) / 1000 for ratio in ratios), int(counted), float(alone), float(together))
    return rows


def byte_rows(work):
    """Returns {name: bytes of the heap}."""
    return {name: int(count) for name, count in lines_of(run(work, "bytes"), "bytes")}


def static_bytes(work):
    """Returns {addition: bytes of its static variables} in an image for aarch64 that uses it."""
    archive = os.path.join(work, TARGET, "librt_dma_pool.a")
    text = subprocess.run(["aarch64-linux-gnu-nm", "-CS", archive], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout
    rows = re.findall(r"^[0-9a-f]+ ([0-9a-f]+) [bBdD] rt_dma_pool::.*additions::(\w+)::", text, re.M)
    sizes = {}
    for size, addition in rows:
        sizes[addition] = sizes.get(addition, 0) + int(size, 16)
    return sizes


def panics(work):
    """Returns the symbols of the archive that belong to panics or formatting."""
    archive = os.path.join(work, TARGET, "librt_dma_pool.a")
    names = subprocess.run(["aarch64-linux-gnu-nm", archive], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True)
    return [line for line in names.stdout.splitlines() if re.search("panic|3fmt", line)]


def core_sections(work):
    """Returns {section: bytes} of the sections that are loaded and not written, without unwind tables."""
    text = subprocess.run(["aarch64-linux-gnu-readelf", "-SW", os.path.join(work, "size/core")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    sections = {}
    for name, size, flags in re.findall(r"\] (\S+) +\w+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +([A-Z]+) ", text):
        if "A" in flags and "W" not in flags and not name.startswith(".eh_frame"):
            sections[name] = int(size, 16)
    return sections


# The subjects of the linked core: the first pattern that a function's demangled name matches decides.
SUBJECTS = [
    (r"OUTLINED_FUNCTION", "code that several subjects have in common"),
    (r"dropin::page_map", "page map"),
    (r"dropin::pool\b", "pools: views, own mappings, flags, removal"),
    (r"dropin::request|^rt_dma_(alloc|free)$", "allocating and freeing"),
    (r"dropin::(install|registry|pool_list)|^rt_dma_pool_install$", "installing"),
    (r"dropin::(translate|claim_regions)", "bus addresses, device tree"),
    (r"rt_dma_pool_extract", "extracting reserved memory"),
    (r"list_dma_pool", "list_dma_pool"),
    (r"ffi::dropin|^rt_dma_(sync|ofw)", "sync calls, map operations"),
    (r"rt_dma_pool::(mem|kernel)", "cache, lock, services of the kernel"),
    (r"", "rtthread-port, in C"),
]
# What allocating and freeing need, with what they share with the other subjects.
ALLOCATING = ("page map", "pools: views, own mappings, flags, removal", "allocating and freeing",
              "code that several subjects have in common", "cache, lock, services of the kernel")


def core_subjects(work):
    """Returns {subject: bytes of code} of the linked core."""
    text = subprocess.run(["aarch64-linux-gnu-nm", "-CS", "--defined-only", os.path.join(work, "size/core")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    subjects = dict.fromkeys((subject for _, subject in SUBJECTS), 0)
    for size, name in re.findall(r"^[0-9a-f]+ ([0-9a-f]+) [tTwW] (.+)$", text, re.M):
        subjects[next(subject for pattern, subject in SUBJECTS if re.search(pattern, name))] += int(size, 16)
    return subjects
