# SPDX-License-Identifier: Apache-2.0
"""The checks, in the order in which they are made at the console."""

import re
import subprocess
import time

from smoke_checks.console import Ended
from smoke_checks.report import Report

# A line of the log as rtdbg.h prints it; a line of the log in that form or in ulog's, "I/tag" and "[tick] I/tag"; and the
# first line of RT-Thread's banner.
LOG_LINE = re.compile(r"^\[[DIWE]/[^\]\n]+\] ", re.MULTILINE)
ANY_LOG_LINE = re.compile(r"(\[[^\]]*\] )?\[?[DIWE]/")
BANNER = re.compile(r"^ \\ \| /", re.MULTILINE)
# The region in a line of list_dma_pool. In the lines of RT-Thread's own dma_pool.c, the name is blank and nothing follows
# the region. In the library's lines, numbers follow.
REGION = r"\[(?:0x)?[0-9a-f]+, (?:0x)?[0-9a-f]+\]"
# A line of the debug mode: the device, the mistake, and the caller's address.
MISTAKE = re.compile(r"^.*\[E/dma\.pool\] ([^:\n]+): (?:\d+ times: )?([^:;\n]+)[:;].*\bcaller 0x([0-9a-f]+)$", re.MULTILINE)
# The devices and mistakes of those checks of dma_smoke that call the library wrongly.
WRONG_FREES = {"free with another size", "free with another handle", "freed twice", "free of what is not allocated"}
WRONG_MAPS = {"buffer at an unmapped address", "unmap with another size", "unmapped twice"}
WRONG_CALLS = {"dma_smoke": WRONG_FREES, "context": WRONG_FREES, "endless": WRONG_MAPS}
C_ORIGINAL = ("RT-Thread's own dma_pool.c is linked, not the library: scons did not read the package. Either "
              "PKG_USING_RT_DMA_POOL is not set, or the BSP has no packages/SConscript because pkgs --update never ran "
              "there: docs/moving-a-bsp.md has the text to put into that file")


class Smoke:
    def __init__(self, console, options):
        self.console = console
        self.options = options
        self.report = Report()
        self.has_fw_cfg = False
        self.smoke_text = ""

    def command(self, line):
        """Types a command. Returns its output, from the line after its echo to the next prompt."""
        start = self.console.mark()
        self.console.type(line)
        text = self.console.wait(start, self.options.prompt, self.options.timeout)
        return text[:text.rindex(self.options.prompt)]

    def answer(self, line):
        """Types a command. Returns its output, or None after a check that failed because no prompt followed."""
        try:
            return self.command(line)
        except Ended as error:
            self.report.check(f"{line} answers", False, error, self.console.since(0))
            return None

    def boot(self):
        try:
            text = self.console.wait(0, self.options.prompt, self.options.timeout)
        except Ended as error:
            self.report.check("the kernel boots to its prompt", False, error, self.console.since(0))
            return False
        print(text[:text.rindex(self.options.prompt)].strip("\n"), flush=True)
        self.report.check("the kernel boots to its prompt", True)
        early = BANNER.split(text)[0]
        logs_early = LOG_LINE.search(early) or ": Reserved" in early
        for pool in self.options.pools:
            wanted = f"{pool}: Reserved"
            if logs_early:
                self.report.check(f"boot reserves {pool}", wanted in text, f"no line with {wanted!r}", text)
            else:
                self.report.skip(f"boot reserves {pool}", "the kernel logs nothing that early")
        return True

    def known(self, command, text):
        """Returns whether the kernel has the command. Other threads may also print that something is not found."""
        return f"{command}: command not found" not in text

    def list(self):
        text = self.answer("list_dma_pool")
        if text is None:
            return False
        print(text.strip("\n"), flush=True)
        if not self.known("list_dma_pool", text):
            self.report.check("list_dma_pool lists the pools", False, "the kernel has no such command", text)
            return False
        names = "|".join(map(re.escape, self.options.pools))
        if re.search(rf"^[ \t]*(?:{names})?[ \t]*{REGION}[ \t]*$", text, re.I | re.MULTILINE):
            self.report.check("the library is in the image", False, C_ORIGINAL, text)
            return False
        for pool in self.options.pools:
            listed = re.search(rf"^\s*{re.escape(pool)}\b.*{REGION}", text, re.I | re.MULTILINE)
            self.report.check(f"list_dma_pool shows {pool}", listed,
                              f"no line that begins with {pool!r} and has [0x..., 0x...]", text)
        found = re.search(r"(\d+) DMA memory found", text)
        self.report.check("list_dma_pool counts the pools", found and int(found[1]) >= len(self.options.pools),
                          f"no line 'N DMA memory found' with N >= {len(self.options.pools)}", text)
        return True

    def list_blocks(self):
        """Checks list_dma_block_pool, if the kernel has it. It runs after dma_smoke, whose fw_cfg driver keeps a pool."""
        text = self.answer("list_dma_block_pool")
        if text is None:
            return False
        if not self.known("list_dma_block_pool", text):
            self.report.skip("list_dma_block_pool", "the kernel has no such command")
            return True
        print(text.strip("\n"), flush=True)
        pools = re.findall(r"^(\S.*?) +(\d+) +(\d+) +(\d+) +(\d+)\b", text, re.MULTILINE)
        found = re.search(r"(\d+) DMA block pools found", text)
        self.report.check("list_dma_block_pool counts the pools", found and int(found[1]) <= len(pools),
                          f"{len(pools)} lines with a name and four numbers, but {found and found[0]!r}", text)
        if self.has_fw_cfg:
            self.report.check("list_dma_block_pool shows the pool of fw_cfg", ("fw_cfg", "0", "0", "16", "0") in pools,
                              "no line with its name, no block, 16 bytes, no page", text)
        return True

    def dma_smoke(self):
        start = self.console.mark()
        try:
            text = self.command("dma_smoke")
            ended = None
        except Ended as error:
            text = self.console.since(start)
            ended = error
        if not self.known("dma_smoke", text):
            self.report.skip("dma_smoke", "the kernel has no such command")
            return ended is None
        self.has_fw_cfg = "PASS fw_cfg" in text
        self.smoke_text = text
        passed = failed = 0
        for line in text.splitlines():
            # Another thread may have printed text without an end of line just before the command's line.
            mine = None if ANY_LOG_LINE.match(line) else re.search(r"\b(PASS|FAIL) (.*)", line)
            if mine and mine[1] == "PASS":
                passed += 1
                self.report.check(mine[2], True)
            elif mine:
                failed += 1
                name, _, why = mine[2].partition(": ")
                self.report.check(name, False, why, text)
            elif skipped := re.match(r"SKIP ([^:]*): (.*)", line):
                self.report.skip(skipped[1], skipped[2])
            elif line and not line.startswith("dma_smoke"):
                print(f"     {line}", flush=True)
        if ended:
            self.report.check("dma_smoke ends", False, ended, text)
            return False
        summary = re.search(r"dma_smoke: (\d+) passed, (\d+) failed", text)
        counts = (int(summary[1]), int(summary[2])) if summary else None
        self.report.check("dma_smoke ends", counts == (passed, failed) and passed + failed,
                          f"{passed} PASS and {failed} FAIL lines, summary {summary[0] if summary else 'missing'!r}",
                          text)
        return True

    def functions(self):
        """Returns the functions of the kernel: address, size and name, or nothing without --nm."""
        if not self.options.nm:
            return []
        command = [self.options.nm, "-S", self.options.kernel]
        lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        symbols = [line.split() for line in lines]
        return [(int(fields[0], 16), int(fields[1], 16), fields[3]) for fields in symbols
                if len(fields) == 4 and fields[2] in "tT"]

    def debug(self):
        """Checks the debug mode, if the kernel has it."""
        text = self.answer("list_dma_debug")
        if text is None:
            return False
        if not self.known("list_dma_debug", text):
            return True
        self.report.check("list_dma_debug lists the mistakes", re.search(r"^\d+ mistakes found$", text, re.MULTILINE),
                          "no line 'N mistakes found'", text)
        # The lines "NAME: holds ..." list what keeps a pool from being uninstalled. dma_smoke tries that on purpose.
        others = [found[0] for found in MISTAKE.finditer(self.smoke_text)
                  if found[2] not in WRONG_CALLS.get(found[1], ()) and not found[2].startswith("holds ")]
        self.report.check("right drivers cause no line of the debug mode", not others, f"{len(others)} lines",
                          "\n".join(others))
        return self.wrong_drivers() and self.failures()

    def wrong_drivers(self):
        text = self.answer("dma_wrong")
        if text is None:
            return False
        if not self.known("dma_wrong", text):
            self.report.skip("dma_wrong", "the kernel has no such command")
            return True
        functions = self.functions()
        parts = re.split(r"^wrong (\w+): (.*)$", text, flags=re.MULTILINE)
        for name, label, lines in zip(parts[1::3], parts[2::3], parts[3::3]):
            found = [match.groups() for match in MISTAKE.finditer(lines)]
            inside = [function for at, size, function in functions for _, _, caller in found[:1]
                      if at <= int(caller, 16) <= at + size]
            ok = found and all(line[:2] == (name, label) for line in found) and (not functions or name in inside)
            self.report.check(f"wrong driver {name}: {label}", ok, f"found {found}, called in {inside}", lines)
        self.report.check("dma_wrong ends", re.search(r"^dma_wrong: ([1-9]\d*) drivers, \1 found$", text, re.MULTILINE),
                          "no line 'dma_wrong: N drivers, N found'", text)
        print(text.strip("\n"), flush=True)
        device = "sync_nocache"
        text = self.answer(f"list_dma_debug {device}")
        if text is None:
            return False
        print(text.strip("\n"), flush=True)
        self.report.check("list_dma_debug lists the mistakes of one device", "\n1 mistakes found" in text, "not one", text)
        return True

    def failures(self):
        text = self.answer("dma_failures")
        if text is None:
            return False
        if not self.known("dma_failures", text):
            self.report.skip("dma_failures", "the kernel has no such command")
            return True
        for result, name, rest in re.findall(r"^(PASS|FAIL) failures of (.*?): (.*)$", text, re.MULTILINE):
            self.report.check(f"driver {name}, with allocations and mappings that fail: {rest}", result == "PASS", rest, text)
        self.report.check("dma_failures ends", re.search(r"^dma_failures: 0 of [1-9]\d* drivers failed$", text, re.MULTILINE),
                          "no line 'dma_failures: 0 of N drivers failed'", text)
        mistakes = [found[0] for found in MISTAKE.finditer(text)]
        self.report.check("drivers whose calls fail cause no line of the debug mode", not mistakes,
                          f"{len(mistakes)} lines", "\n".join(mistakes))
        return True

    def power_off(self):
        start = self.console.mark()
        try:
            self.console.type("poweroff")
        except Ended as error:
            self.report.check("poweroff ends the machine", False, error, self.console.since(start))
            return
        end = time.monotonic() + self.options.timeout
        while time.monotonic() < end:
            if self.console.exited(0.1):
                status = self.console.process.returncode
                self.report.check("poweroff ends the machine", status == 0, f"QEMU's status is {status}",
                                  self.console.since(start))
                return
            text = self.console.since(start)
            if self.options.prompt in text:
                self.report.skip("poweroff", "the kernel has no such command, or stays up")
                return
        self.report.check("poweroff ends the machine", False, f"still up after {self.options.timeout:g} s",
                          self.console.since(start))

    def run(self):
        if self.boot() and self.list() and self.dma_smoke() and self.list_blocks() and self.debug():
            self.power_off()
        return self.report.end()
