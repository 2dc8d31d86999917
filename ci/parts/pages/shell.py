# SPDX-License-Identifier: Apache-2.0
"""Code blocks that are run: commands in a shell, keys at a terminal, lines at a kernel's prompt."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from parts.pages.page import Wrong
from parts.repository import ROOT, read

# bsp-tests/smoke can talk to a kernel.
sys.path.insert(0, os.path.join(ROOT, "bsp-tests"))
from smoke_checks.console import Console, Ended

KEYS = {"Down": "\x1bOB", "Up": "\x1bOA", "Enter": "\r", "Space": " "}
KEYS_TIMEOUT = 60  # seconds


def commands(text):
    """Returns the lines of a block or of a script, without comments and the documentation of a script in Python."""
    lines = (line.split(" #")[0].strip() for line in re.sub(r'""".*?"""', "", text, flags=re.S).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def check_is_run_by(block, path):
    if not os.access(os.path.join(ROOT, path), os.X_OK):
        raise Wrong("there is no script " + path)
    script = "\n".join(commands(read(path)))
    for command in commands(block.text):
        if not re.search(r"(?<![\w-])%s(?![\w/.-])" % re.escape(command), script):
            raise Wrong("%s does not contain the command '%s'" % (path, command))


class Shell:
    """One shell in a fresh clone of the sources as they are now. Its state stays from block to block."""

    END = "=== ci/documents: end of block"

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="documents ")
        clone = os.path.join(self.folder.name, "my clone")
        os.mkdir(clone)
        files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                               stdout=subprocess.PIPE).stdout.split(b"\0")
        for name in filter(None, map(os.fsdecode, files)):
            if os.path.exists(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(os.path.join(clone, name)), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, name), os.path.join(clone, name))
        git = ["git", "-c", "user.name=ci", "-c", "user.email=ci@ci.invalid", "-c", "commit.gpgsign=false"]
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "The sources"]):
            subprocess.run(git + command, cwd=clone, check=True)
        environment = dict(os.environ, CARGO_TARGET_DIR=os.path.join(ROOT, "target", "documents"),
                           PYTHONDONTWRITEBYTECODE="1", TMPDIR=self.folder.name)
        self.process = subprocess.Popen(["bash", "-eu", "-o", "pipefail"], cwd=clone, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def run(self, text):
        """Runs commands and returns what they printed."""
        try:
            self.process.stdin.write("{\n%s\n} </dev/null\nprintf '\\n%s\\n'\n" % (text, self.END))
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Wrong("the shell ended in an earlier block")
        lines = []
        for line in self.process.stdout:
            if line.strip() == self.END:
                return "".join(lines)
            lines.append(line)
        raise Wrong("the commands failed:\n" + "".join(lines[-30:]))

    def place(self):
        return self.run("pwd").strip()


def run_with_keys(shell, block, keys):
    """Runs a block on a terminal, as a person does. A key is typed when the program has been silent for half a second."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(shell.place())
        os.execvpe("bash", ["bash", "-eu", "-c", block.text], dict(os.environ, TERM="xterm", LINES="40", COLUMNS="100"))
    waiting, text, end = [KEYS.get(key, key) for key in keys.split()], b"", time.monotonic() + KEYS_TIMEOUT
    while True:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            break
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if ready:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                data = b""
            if not data:
                break
            text += data
        elif waiting and b"\x1b[" in text:
            os.write(terminal, waiting.pop(0).encode())
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    if status or waiting:
        raise Wrong("status %d, and %d keys were not read:\n%s" % (status, len(waiting), text.decode(errors="replace")))


def must_follow(printed, expected):
    """Checks that the lines of `expected` were printed in this order, without others between them except at '...'."""
    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    at, free = 0, False
    for line in (" ".join(line.split()) for line in expected):
        if line == "...":
            free = True
            continue
        pattern = re.escape(line).replace("<hex>", "[0-9a-f]+")
        end = len(lines) if free else at + 1
        found = next((index for index in range(at, min(end, len(lines))) if re.fullmatch(pattern, lines[index])), None)
        if found is None:
            raise Wrong("was not printed here: %s\nprinted:\n%s" % (line, printed))
        at, free = found + 1, False


def run_console(shell, block):
    """Runs '$ COMMAND'. If lines are typed at its prompt, waits for the prompt before each, as bsp-tests/smoke does."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.M)
    if parts[0].strip() or len(parts) < 3:
        raise Wrong("a block of console begins with a line '$ COMMAND'")
    for command, text in zip(parts[1::2], parts[2::2]):
        typed = re.findall(r"^msh />(.*)$", text, re.M)
        if not typed:
            must_follow(shell.run(command), [line for line in text.splitlines() if line.strip()])
            continue
        console = Console(["bash", "-c", "cd \"$0\" && exec " + command, shell.place()], None, False)
        try:
            start = 0
            for expected, line in zip(re.split(r"^msh />.*\n?", text, flags=re.M), typed):
                printed = console.wait(start, "msh />", 60).split("msh />")[0]
                # The console repeats the line that was typed.
                printed = printed.split("\n", 1)[1] if start else printed
                must_follow(printed, [part for part in expected.splitlines() if part.strip()])
                start = console.mark()
                console.type(line)
            if not console.exited(60):
                raise Wrong("the kernel did not end after the last line")
        except Ended as ended:
            raise Wrong("%s\nprinted:\n%s" % (ended, console.text))
        finally:
            console.kill()
