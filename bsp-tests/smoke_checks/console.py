# SPDX-License-Identifier: Apache-2.0
"""A kernel's console: what it prints, and what is typed."""

import os
import re
import subprocess
import sys
import threading
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Ended(Exception):
    """The expected text did not appear on the console."""


class Console:
    """QEMU's serial line: the text that the kernel printed, and the input."""

    def __init__(self, command, fatal, echo):
        self.fatal = re.compile(fatal) if fatal else None
        self.echo = echo
        self.text = ""
        self.ended = False
        self.changed = threading.Condition()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 4096):
            if self.echo:
                sys.stderr.write(data.decode(errors="replace"))
                sys.stderr.flush()
            with self.changed:
                self.text += data.decode(errors="replace")
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def since(self, start):
        """Returns the text from `start` on, without colours and carriage returns."""
        with self.changed:
            return ESCAPES.sub("", self.text[start:])

    def mark(self):
        with self.changed:
            return len(self.text)

    def wait(self, start, wanted, timeout):
        """Waits until `wanted` is printed after `start`. Returns the text from `start` to now."""
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                text = ESCAPES.sub("", self.text[start:])
                if wanted in text:
                    return text
                if self.fatal and (found := self.fatal.search(text)):
                    self.changed.wait_for(lambda: self.ended, 2)  # the rest of the kernel's last message
                    line = ESCAPES.sub("", self.text[start:])[found.start():].splitlines()[0]
                    raise Ended(f"the kernel stopped: {line}")
                if self.ended:
                    raise Ended(f"QEMU ended (status {self.process.wait()}) before {wanted!r}")
                if (left := end - time.monotonic()) <= 0:
                    raise Ended(f"no {wanted!r} within {timeout:g} s")
                self.changed.wait(left)

    def type(self, line):
        try:
            os.write(self.process.stdin.fileno(), line.encode() + b"\r")
        except OSError as error:
            raise Ended(f"QEMU takes no input: {error}") from None

    def exited(self, timeout):
        try:
            self.process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
