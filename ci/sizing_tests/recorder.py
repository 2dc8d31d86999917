# SPDX-License-Identifier: Apache-2.0
"""Runs a driver with bsp-tests/record_trace.c on this host, and gives bsp-tests/sizing what it prints."""

import os
import subprocess
import tempfile

from sizing_tests.program import ROOT, run

HERE = os.path.dirname(os.path.abspath(__file__))


def test_what_the_recorder_prints_is_a_trace():
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        sources = [os.path.join(HERE, "kernel.c"), os.path.join(HERE, "recorded.c"),
                   os.path.join(ROOT, "bsp-tests", "record_trace.c")]
        includes = ["-I" + os.path.join(ROOT, "bsp-tests", "include"), "-I" + os.path.join(ROOT, "include")]
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-DSTAND_IN_REVISION=2", "-fno-builtin", "-o", image,
                        "-Wl,--wrap=rt_dma_alloc,--wrap=rt_dma_free"] + sources + includes, check=True)
        trace = subprocess.run([image], stdout=subprocess.PIPE, text=True, check=True).stdout
    status, text = run("trace", "FILE", text=trace)
    assert status == 0 and "peak:     12 KiB (3 pages)" in text, trace + text
