#!/usr/bin/env python3
"""Acts as QEMU and the kernel in it: prints a console's text and answers commands, for the tests of bsp-tests/smoke.

usage: console.py WHAT...    (the options that bsp-tests/smoke adds for QEMU are ignored)

no-boot-lines   The log is up, but no line of the pools is printed at boot.
ulog            RT-Thread with RT_USING_ULOG: nothing is logged before the banner, and lines have ulog's form.
other-threads   Between the lines of a command, and where a line is begun, other threads print theirs.
c-original      RT-Thread's own dma_pool.c is linked.
failure         One check of dma_smoke fails.
lost            One line of dma_smoke does not appear.
"""

import sys

WHAT = set(sys.argv[1:])
PROMPT = "msh />"
OTHERS = [
    "[W/mmc] card 0 not found.\n",
    "[I/mm.page] region [0x40000000, 0x50000000]\n",
    "[E/phy] self-test FAIL on port 3\n",
    "[123] I/net eth0: link up\n",
    "eth0: command not found\n",
    "...",
]


def write(text):
    sys.stdout.write(text.replace("\n", "\r\n"))
    sys.stdout.flush()


def print_lines(lines):
    for number, line in enumerate(lines):
        write(line)
        if "other-threads" in WHAT:
            write(OTHERS[number % len(OTHERS)])


def boot():
    logs = [] if "ulog" in WHAT else ["[I/rtdm.ofw] Booting RT-Thread on physical CPU 0x0\n"]
    if not WHAT & {"ulog", "no-boot-lines"}:
        logs += ["[I/dma.pool] coherent-pool: Reserved 2.0 MiB at 0x4cefd000\n",
                 "[I/dma.pool] cma: Reserved 6.0 MiB at 0x4d0fd000\n"]
    banner = ["\n \\ | /\n", "- RT -     Thread Operating System\n", " / | \\     5.2.2 build Nov 28 2026 00:00:00\n"]
    late = ["I/rtdm.mnt: file system initialization done!\n" if "ulog" in WHAT else "[I/cpu] Call cpu 1 on success\n"]
    print_lines(logs + banner + late)


def list_dma_pool():
    if "c-original" in WHAT:
        print_lines([" " * 17 + "Region\n", " " * 17 + "[0x000000004cefd000, 0x000000004d0fd000]\n",
                     " " * 17 + "[0x000000004d0fd000, 0x000000004d6fd000]\n", "2 DMA memory found\n"])
        return
    print_lines(["Name\t\tRegion\t\t\t\tKiB\tUsed\tFree\tPeak\tFailed\tFlags",
                 "\ncoherent-pool   [0x4cefd000, 0x4d0fd000]\t2048\t0\t2048\t", "1028\t0\t", " linear", " 32bits",
                 "\ncma             [0x4d0fd000, 0x4d6fd000]\t6144\t0\t6144\t", "0\t0\t", " linear", " 32bits",
                 "\n2 DMA memory found\n"])


def dma_smoke():
    lines = ["PASS each pool in one piece\n", "race: first core: 3 buffers\n", "PASS every page once\n",
             "[E/dma.pool] free: bad size (0x1000)\n", "PASS wrong calls change nothing\n"]
    failed = 0
    if "failure" in WHAT:
        lines[2] = "FAIL every page once: 2045 pages of 2048\n"
        failed = 1
    if "lost" in WHAT:
        del lines[2]
    print_lines(lines + [f"dma_smoke: {3 - failed} passed, {failed} failed\n"])


def list_dma_block_pool():
    print_lines(["name         in use  blocks  size  pages\n", "requests 0 0 16 0\n", "1 DMA block pools found\n"])


COMMANDS = {"list_dma_pool": list_dma_pool, "dma_smoke": dma_smoke, "list_dma_block_pool": list_dma_block_pool}
if "c-original" in WHAT:
    del COMMANDS["list_dma_block_pool"]

boot()
while True:
    write(PROMPT)
    line = ""
    while (character := sys.stdin.read(1)) not in ("\r", "\n"):
        if not character:
            sys.exit(1)
        line += character
        print_lines([character])
    write("\n")
    if line == "poweroff":
        sys.exit(0)
    if line in COMMANDS:
        COMMANDS[line]()
    else:
        write(f"{line}: command not found.\n")
