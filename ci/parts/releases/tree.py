# SPDX-License-Identifier: Apache-2.0
"""Checks and writes what a release needs in the tree: the version, the section of CHANGELOG.md, and the list of the C interface."""

import datetime
import os
import re
import subprocess
import tomllib

from parts.repository import ROOT, read


class Wrong(Exception):
    """No release can be made of this tree, or on this machine."""


def write(text, *path):
    with open(os.path.join(ROOT, *path), "w", encoding="utf-8") as file:
        file.write(text)


def interface(name):
    """Returns the lines of a list in docs/abi/, without comments; None if there is no such list."""
    if not os.path.exists(os.path.join(ROOT, "docs", "abi", name)):
        return None
    return [line for line in read("docs", "abi", name).splitlines() if not line.startswith("#")]


def check_version(version):
    own = tomllib.loads(read("Cargo.toml"))["package"]["version"]
    if own != version:
        raise Wrong("Cargo.toml has version %s" % own)
    numbers = re.findall(r"^#define RT_DMA_POOL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", read("include", "rt_dma_version.h"), re.M)
    if ".".join(numbers) != version.split("-")[0]:
        raise Wrong("include/rt_dma_version.h has version " + ".".join(numbers))


def check_tree(version, candidate):
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout:
        raise Wrong("the tree is not clean: commit first")
    check_version(version)
    if candidate:
        return
    if not re.search(r"^## \[%s\] - \d{4}-\d{2}-\d{2}$" % re.escape(version), read("CHANGELOG.md"), re.M):
        raise Wrong("CHANGELOG.md has no section '## [%s] - DATE': run 'ci/release %s --prepare'" % (version, version))
    released = interface(version + ".txt")
    if released is None:
        raise Wrong("there is no docs/abi/%s.txt: run 'ci/release %s --prepare'" % (version, version))
    if released != interface("current.txt"):
        raise Wrong("docs/abi/%s.txt differs from docs/abi/current.txt" % version)


def prepare(version):
    """Writes what a release needs in the tree."""
    check_version(version)
    heading = "## [Unreleased] - %s\n" % version
    changelog = read("CHANGELOG.md")
    if heading not in changelog:
        raise Wrong("CHANGELOG.md has no section '%s'" % heading.strip())
    if interface(version + ".txt") is not None:
        raise Wrong("docs/abi/%s.txt exists: the version was released before" % version)
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    write(changelog.replace(heading, "## [%s] - %s\n" % (version, date)), "CHANGELOG.md")
    write("# The C interface of version %s.\n%s\n" % (version, "\n".join(interface("current.txt"))),
          "docs", "abi", version + ".txt")
