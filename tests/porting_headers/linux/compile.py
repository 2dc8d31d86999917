#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles Linux's own drivers with the porting headers in the place of Linux's DMA headers.

usage: compile.py LINUX_TREE [--files FILE...] [--draw N] [--seed N] [--jobs N] [--baseline-cache FILE]

LINUX_TREE is unpacked and prepared (make allmodconfig prepare). Every driver is compiled twice with -fsyntax-only: with all
of Linux's own headers, and with include/ of this repository first in the path. A driver that does not compile with Linux's
own headers (it is for another processor) is not counted; another one is drawn for it.

Prints a row for each driver that does not compile, or has a warning more than with Linux's own headers, and a summary. Exits
with 1 unless every driver compiles without such a warning.
"""
import argparse
import concurrent.futures
import json
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent

# What counts as a call of the DMA API.
CALL = re.compile(
    r"\b(dmam?_(alloc|free|map|unmap|sync|set|get|pool|zalloc|mapping_error|coerce|need|max|opt)[a-z_]*|"
    r"sg_(init|set|next|alloc|free|copy|pcopy|miter|nents|dma|page|virt|phys|mark|chain|last)[a-z_]*)\s*\(")

FLAGS = """-nostdinc -I{arch}/include -I{arch}/include/generated -Iinclude -I{arch}/include/uapi
-I{arch}/include/generated/uapi -Iinclude/uapi -Iinclude/generated/uapi
-include include/linux/compiler-version.h -include include/linux/kconfig.h -include include/linux/compiler_types.h
-D__KERNEL__ -DMODULE -DCC_USING_FENTRY -std=gnu11 -fshort-wchar -funsigned-char -fno-strict-aliasing -fno-PIE -mno-sse -mno-mmx -mno-sse2 -mno-avx
-m64 -mno-80387 -mcmodel=kernel -mno-red-zone -fcf-protection=branch -fno-jump-tables -O2 -fno-strict-overflow
-Wall -Wextra -Wundef -Wno-trigraphs -Wno-frame-address -Wno-address-of-packed-member -Wmissing-declarations
-Wmissing-prototypes -Wno-main -Wvla -Wno-pointer-sign -Wcast-function-type -Wno-array-bounds -Wimplicit-fallthrough=5
-Wenum-conversion -Wno-unused-but-set-variable -Wno-unused-const-variable -Wno-packed-not-aligned -Wno-override-init
-Wno-missing-field-initializers -Wno-type-limits -Wno-shift-negative-value -Wno-maybe-uninitialized -Wno-sign-compare
-Wno-unused-parameter -Werror=implicit-function-declaration -Werror=implicit-int -Werror=return-type
-Werror=strict-prototypes -Werror=incompatible-pointer-types -Werror=designated-init -fsyntax-only"""


def include_flags(tree, file):
    """Returns the flags that the Makefiles on the way to a file add: folders and macros."""
    flags = [f"-I{file.parent}"]
    for folder in [file.parent, *file.parent.parents]:
        makefile = tree / folder / "Makefile"
        if folder == pathlib.Path(".") or not makefile.exists():
            continue
        text = makefile.read_text(errors="replace").replace("\\\n", " ")
        for line in re.findall(r"^\s*(?:subdir-)?ccflags-y\s*[:+]?=(.*)$|^\s*CFLAGS_\w+\.o\s*[:+]?=(.*)$", text, re.M):
            line = "".join(line).replace("$(srctree)/", "").replace("$(src)", str(folder)).replace("$(obj)", str(folder))
            line = re.sub(r"-I\s+", "-I", line)
            flags += [word for word in line.split() if re.match(r"-[ID][\w./=-]+$", word)]
    return flags


def compile_one(tree, file, ours):
    """Returns the compiler's messages, and whether the file compiles."""
    name = file.stem.replace("-", "_")
    front = [f"-I{ROOT}/include", f"-I{ROOT}/include/porting", f"-I{HERE}/include"] if ours else []
    names = [f'-DKBUILD_BASENAME="{name}"', f'-DKBUILD_MODNAME="{name}"', f"-D__KBUILD_MODNAME=kmod_{name}"]
    command = ["gcc", *front, *FLAGS.format(arch="arch/x86").split(), *include_flags(tree, file), *names, str(file)]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, errors="replace")
    return result.stderr, result.returncode == 0


def complaints(text):
    """Returns the warnings and errors without their places, which differ from one header to the other."""
    return [match.group(1) for match in re.finditer(r"^\S+?:\d+:\d+: ((?:fatal )?(?:error|warning): .*)$", text, re.M)]


class Baseline:
    """The results with Linux's own headers, which are kept: they depend on the tree only."""

    def __init__(self, tree, path):
        self.tree, self.path = tree, path
        self.known = json.loads(path.read_text()) if path and path.exists() else {}

    def of(self, file):
        if str(file) not in self.known:
            text, compiles = compile_one(self.tree, file, False)
            self.known[str(file)] = [compiles, complaints(text)]
        return self.known[str(file)]

    def save(self):
        if self.path:
            self.path.write_text(json.dumps(self.known))


def population(tree):
    """Returns all drivers that call the DMA API, in a fixed order."""
    files = sorted(path for top in ("drivers", "sound") for path in (tree / top).rglob("*.c"))
    return [path.relative_to(tree) for path in files if CALL.search(path.read_text(errors="replace"))]


def judge(tree, file, baseline):
    """Returns None for a file that does not compile with Linux's own headers, else its messages with ours."""
    compiles, known = baseline.of(file)
    if not compiles:
        return None
    text, compiles = compile_one(tree, file, True)
    new = [line for line in complaints(text) if line not in known]
    return compiles, new


def report(title, rows):
    """Prints the table of one group, and returns whether all of it is right."""
    compiled = sum(1 for _, (compiles, _) in rows if compiles)
    quiet = sum(1 for _, (compiles, new) in rows if compiles and not new)
    print(f"\n{title}: {compiled} of {len(rows)} compile, {quiet} without a warning of their own")
    for file, (compiles, new) in rows:
        if not compiles or new:
            print(f"  {file}: {'warns' if compiles else 'does not compile'}")
            for line in sorted(set(new))[:8]:
                print(f"      {line}")
    return quiet == len(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--draw", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--baseline-cache", type=pathlib.Path)
    arguments = parser.parse_args()
    tree = arguments.tree.resolve()
    baseline = Baseline(tree, arguments.baseline_cache)

    listed = arguments.files or [
        line for line in (HERE / "drivers.txt").read_text().splitlines() if line and not line.startswith("#")]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        judged = lambda files: zip(files, pool.map(lambda file: judge(tree, file, baseline), files))
        chosen = [(file, result or (False, ["does not compile with Linux's own headers"]))
                  for file, result in judged([pathlib.Path(name) for name in listed])]
        good = report("chosen drivers", chosen)
        drawn = []
        if arguments.draw:
            rest = population(tree)
            print(f"\n{len(rest)} files in drivers/ and sound/ call the DMA API", flush=True)
            random.Random(arguments.seed).shuffle(rest)
            while len(drawn) < arguments.draw and rest:
                batch, rest = rest[:arguments.draw - len(drawn)], rest[arguments.draw - len(drawn):]
                drawn += [(file, result) for file, result in judged(batch) if result]
            good &= report(f"drivers drawn with seed {arguments.seed}", drawn)
    baseline.save()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
