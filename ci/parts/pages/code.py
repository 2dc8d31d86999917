# SPDX-License-Identifier: Apache-2.0
"""Code blocks that are compiled, or read by the parser of their language."""

import glob
import json
import os
import re
import tempfile
import tomllib

import kconfiglib

from parts.pages.page import Wrong, run
from parts.repository import ROOT, read

COMPILER = "aarch64-linux-gnu-gcc"
FLAGS = ["-std=gnu11", "-Os", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fsyntax-only",
         "-DRT_USING_OFW"] + ["-I" + os.path.join(ROOT, folder) for folder in ("bsp-tests/include", "include", "include/porting")]
PRELUDE = "#include <rtthread.h>\n#include <rtdevice.h>\n#include <rt_dma.h>\n"


def check_c(block):
    declarations = block.ordered("with") or ""
    source = PRELUDE + declarations + "\n#line %d \"%s\"\n" % (block.line + 1, block.page) + block.text
    for revision in (1, 2):
        result = run([COMPILER, "-DSTAND_IN_REVISION=%d" % revision, *FLAGS, "-x", "c", "-"], input=source)
        if result.returncode:
            raise Wrong("does not compile with revision r%d:\n%s" % (revision, result.stdout))


def check_rust(block):
    for path in glob.glob(os.path.join(ROOT, "src", "**", "*.rs"), recursive=True):
        if re.search(r'#\[doc = include_str!\("[./]*%s"\)\]' % re.escape(block.page), read(path)):
            return
    raise Wrong("no file of src/ includes the page as documentation, so its Rust is not compiled")


def check_kconfig(block):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "Kconfig")
        with open(path, "w", encoding="utf-8") as file:
            file.write(block.text.replace('rsource "', 'orsource "').replace('\nsource "', '\nosource "'))
        kconfiglib.Kconfig(path, warn_to_stderr=False)


def check_dts(block):
    text = block.text if "/dts-v1/" in block.text else \
        "/dts-v1/;\n/ {\n#address-cells = <2>;\n#size-cells = <2>;\n%s\n};\n" % block.text
    result = run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", os.devnull, "-"], input=text)
    if result.returncode:
        raise Wrong("dtc refuses it:\n" + result.stdout)


# The beginning of a line that is a command, after assignments: a prompt, a program, or a command of RT-Thread's shell.
PROMPT = re.compile(r"(\$|msh ?/?>) ?\w")
PROGRAM = re.compile(r"(sudo|apt-get|cargo|cd|cp|docker|export|git|mkdir|pip3?|pkgs|python3?|rm|rustup|scons|sh|qemu-system-\w+|"
                     r"[\w-]+-(addr2line|ar|gcc|ld|nm|objcopy|objdump|size)|list_dma_\w+|dma_fail)( |$)")
# A line of C: the end of a statement, a brace, a line of the preprocessor, the beginning of a function.
C_LINES = [re.compile(pattern) for pattern in (
    r".*\);$", r".* [-+*/%&|^]?= .*;$", r"(return|break|continue|goto)\b.*;$", r"[{}];?$",
    r"# ?(include|define|undef|if|ifdef|ifndef|endif)\b", r"(static|struct|enum|const|void|char|int|rt_\w+_t) [^:]*[;{)]$")]


def is_command(line):
    line = re.sub(r"^(\w+=\S* +)*", "", line)
    path = os.path.join(ROOT, line.split(" ")[0])
    return PROMPT.match(line) or PROGRAM.match(line) or line.startswith("./") or os.path.isfile(path) and os.access(path, os.X_OK)


def check_text(block):
    """Refuses commands and C, which would not be run or compiled."""
    for line in block.text.splitlines():
        line = re.sub(r"\s*(/\*.*?\*/|//.*)$", "", line.strip())
        if is_command(line):
            raise Wrong("has a command: 'console', or 'sh', and a comment with the reason if it cannot be run: " + line)
        if any(pattern.match(line) for pattern in C_LINES):
            raise Wrong("has C: 'c', and a comment with its declarations: " + line)


PARSERS = {
    "python": lambda block: compile(block.text, block.where(), "exec"),
    "toml": lambda block: tomllib.loads(block.text),
    "json": lambda block: json.loads(block.text),
    "kconfig": check_kconfig,
    "dts": check_dts,
    "rust": check_rust,
    "c": check_c,
    "text": check_text,
}
