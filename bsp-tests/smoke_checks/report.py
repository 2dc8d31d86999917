# SPDX-License-Identifier: Apache-2.0
"""The results of the checks."""


class Report:
    """Prints one line for each check, and the transcripts of failed checks at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.transcripts = []

    def check(self, name, ok, why="", transcript=""):
        if ok:
            self.passed += 1
            print(f"PASS {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {name}: {why}", flush=True)
        if name.startswith("fault_"):
            # The form of cargo, for the summary of ci/test.
            print(f"test {name} ... {'ok' if ok else 'FAILED'}", flush=True)
        if not ok:
            if transcript and (not self.transcripts or self.transcripts[-1][1] != transcript):
                self.transcripts.append((name, transcript))
        return ok

    def skip(self, name, why):
        self.skipped += 1
        print(f"SKIP {name}: {why}", flush=True)

    def end(self):
        for name, transcript in self.transcripts:
            print(f"\n---- transcript: {name} ----\n{transcript.rstrip()}\n---- end ----")
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 1 if self.failed else 0
