# SPDX-License-Identifier: Apache-2.0
"""Runs a driver with bsp-tests/record_trace.c on this host, and gives bsp-tests/sizing what it prints."""

import os
import subprocess
import tempfile

from parts.sizing_tests.program import run
from parts.repository import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))


# The functions of RT-Thread, and those of the library by which recorded.c allocates.
RT_THREAD = ("rt_dma_alloc", "rt_dma_free")
LIBRARY = ("rt_dma_zalloc", "rt_dma_alloc_wc")


def expect_a_trace(functions, flags):
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        sources = [os.path.join(HERE, "kernel.c"), os.path.join(HERE, "recorded.c"),
                   os.path.join(ROOT, "bsp-tests", "record_trace.c")]
        includes = ["-I" + os.path.join(ROOT, "bsp-tests", "include"), "-I" + os.path.join(ROOT, "include")]
        wrapped = "-Wl" + "".join(",--wrap=" + name for name in functions)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-DSTAND_IN_REVISION=2", "-fno-builtin", "-o", image, wrapped]
                       + flags + sources + includes, check=True)
        trace = subprocess.run([image], stdout=subprocess.PIPE, text=True, check=True).stdout
    status, text = run("trace", "FILE", text=trace)
    assert status == 0 and "peak:     12 KiB (3 pages)" in text, trace + text


def test_what_the_recorder_prints_is_a_trace():
    expect_a_trace(RT_THREAD, [])


def test_the_recorder_prints_allocations_by_functions_of_the_library():
    expect_a_trace(RT_THREAD + LIBRARY, ["-DWITH_RT_DMA_H"])
