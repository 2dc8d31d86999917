# SPDX-License-Identifier: Apache-2.0
"""Runs bsp-tests/sizing with traces, lists and arguments, right and wrong ones."""

import os
import subprocess
import sys
import tempfile

from parts.repository import ROOT

PROGRAM = os.path.join(ROOT, "bsp-tests", "sizing")


def run(*arguments, text=None):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "input")
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        command = [sys.executable, PROGRAM] + [path if word == "FILE" else word for word in arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


TRACE = """\
# two descriptor rings and a frame
alloc ring0 8192
alloc ring1 4096   # one page
alloc frame 0x10000
free ring0
alloc late 12k
free frame
"""


def test_a_trace_gives_peak_need_and_proof():
    status, text = run("trace", "FILE", text=TRACE)
    assert status == 0 and "peak:     80 KiB (20 pages)" in text, text
    assert "measured: 88 KiB (22 pages)" in text, text
    status, text = run("trace", "FILE", "--size", "76k", text=TRACE)
    assert status == 1 and "no room 1 times" in text and "not proven" in text, text
    status, text = run("trace", "FILE", "--size", "1M", text=TRACE)
    assert status == 0 and "had room for all" in text and "proven to be enough" in text, text


def test_a_trace_that_cannot_be_is_refused_with_its_line():
    for text, line in (("free a\n", 1), ("alloc a 4096\nalloc a 4096\n", 2), ("alloc a\n", 1), ("alloc a 0\n", 1),
                       ("\nalloc a many\n", 2), ("grow a 1\n", 1)):
        status, output = run("trace", "FILE", text=text)
        assert status == 2 and output.count("\n") == 1, output
        assert ("line %d" % line in output) or "is no size" in output, output
    assert run("trace", "FILE", text="# nothing\n")[0] == 2
    assert run("trace", "/nonexistent")[0] == 2


LIST = """\
Name\t\tRegion\t\t\t\tKiB\tUsed\tFree\tFlags
coherent-pool   [0x48000000, 0x48200000]\t2048\t64\t1984\t linear 32bits
cma             [0x48200000, 0x48800000]\t6144\t0\t6144\t linear 32bits
2 DMA memory found
"""


def test_a_list_is_judged_by_its_peaks_or_what_is_in_use():
    status, text = run("list", "FILE", "--largest", "64k", text=LIST)
    assert status == 0 and "64 KiB of 8192 KiB in use now" in text, text
    peaks = LIST.replace("Used\tFree", "Used\tPeak\tFree").replace("64\t1984", "64\t2000\t1984") \
        .replace("0\t6144\t linear", "0\t100\t6144\t linear")
    status, text = run("list", "FILE", "--largest", "64k", text=peaks)
    assert status == 1 and "2100 KiB of 8192 KiB at most in use" in text and "not proven" in text, text
    assert run("list", "FILE", "--largest", "64k", text="nothing\n")[0] == 2
    assert run("list", "FILE", "--largest", "64k", text=LIST.split("\n", 1)[1])[0] == 2


def test_a_peak_is_judged():
    status, text = run("peak", "2M", "64k", "--size", "2M", "--size", "6M")
    assert status == 1 and "2 pools" in text, text
    assert run("peak", "2M", "64k", "--size", "2M", "--size", "16M")[0] == 0
    assert run("peak", "4k", "64k")[0] == 2
    assert run("peak", "4k", "0")[0] == 2
    status, text = run("peak", "1M", "4k", "--size", "1M")
    assert status == 0, text


def test_zeros_in_front_of_a_size_do_not_count():
    assert run("peak", "010M", "064k", "--size", "0100M") == run("peak", "10M", "64k", "--size", "100M")
    assert run("trace", "FILE", text="alloc a 08192\n") == run("trace", "FILE", text="alloc a 8192\n")


HEADER = "Name Region KiB Used Free Peak Failed Flags"


def test_failed_requests_leave_nothing_proven():
    text = HEADER + "\ncma [0x48000000, 0x48600000] 6144 0 6144 64 %d linear 32bits\n"
    assert run("list", "FILE", "--largest", "64k", text=text % 0)[0] == 0
    status, printed = run("list", "FILE", "--largest", "64k", text=text % 3)
    assert status == 1 and "3 requests failed" in printed, printed


def test_a_list_that_was_cut_off_or_contradicts_itself_is_refused():
    for line in ("[0x48000000, 0x48600000] 6144 0", "[0x48000000, 0x48600000] 6144 0 6144 9999 0 linear",
                 "[0x48000000, 0x48600000] 6144 \u00b2 6144 0 0", "[0x0, 0x%s] 6144 0 6144 0 0" % ("f" * 400),
                 "[0x48000000, 0x48000000] 0 0 0 0 0", "[0x48600000, 0x48000000] 6144 0 6144 0 0"):
        status, printed = run("list", "FILE", "--largest", "64k", text=HEADER + "\ncma " + line + "\n")
        assert status == 2 and printed.count("\n") == 1, line + "\n" + printed


def test_a_size_for_pools_that_are_not_listed_is_refused():
    text = HEADER + "\ncamera [0x48000000, 0x48600000] 6144 0 6144 64 0 linear 32bits\n"
    assert run("list", "FILE", "--largest", "64k", text=text)[0] == 0
    assert run("list", "FILE", "--largest", "64k", "--size", "4k", text=text)[0] == 2


def test_odd_input_is_refused():
    for arguments in (["--pools", "0"], ["--pools", "-1"], ["--pools", "1", "--size", "1M", "--size", "1M"],
                      ["--size", "0"], ["--size", "100"]):
        assert run("peak", "2M", "64k", *arguments)[0] == 2, arguments
    assert run("peak", "99999999999999999999", "64k")[0] == 2
    status, printed = run("peak", "1" * 5000, "64k")
    assert status == 2 and printed.count("\n") == 1, printed
    for line in ("alloc a -4", "alloc a 99999999999999999999", "alloc a", "free", "alloc a 4k 4k", "realloc a 4k"):
        status, printed = run("trace", "FILE", text="alloc b 4k\n" + line + "\n")
        assert status == 2 and "line 2: " in printed, printed
    # Windows: a byte order mark, and carriage returns.
    assert run("trace", "FILE", text="\ufeffalloc a 4k\r\nfree a\r\n")[0] == 0
