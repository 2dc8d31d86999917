# SPDX-License-Identifier: Apache-2.0
"""Makes an entry from package.json and Kconfig at the top of this repository."""

import json
import os
import re

from parts.index_entry.fields import check_fields
from parts.index_entry.files import Wrong, read, read_package, write
from parts.repository import ROOT


def make_package(versions):
    package = read_package(ROOT)
    check_fields(package, False)
    latest = package["site"]
    released = [dict(latest[0], version="v" + version, VER_SHA=commit) for version, commit in versions]
    package["site"] = released + latest
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


# What an entry has in its Kconfig in addition to the package's own options.
ADDITION = """
    config PKG_RT_DMA_POOL_PATH
        string
        default "/packages/%(category)s/%(name)s"

    choice
        prompt "Version"
        default %(default)s
        help
            Select the package version

%(choices)s
    endchoice

    config PKG_RT_DMA_POOL_VER
        string
%(defaults)s

endif
"""


def symbol(version):
    """Returns the end of a version's Kconfig symbol: V110 as in other packages, or V1_1_10 if a number has two digits."""
    number, _, suffix = version.upper().partition("-")
    numbers = number.split(".")
    joined = ("" if all(len(part) == 1 for part in numbers) else "_").join(numbers)
    return "V" + joined + ("_" + re.sub(r"\W", "_", suffix) if suffix else "")


def make_kconfig(package, versions):
    options = [("v" + version, symbol(version)) for version, _ in versions]
    options = [(version, "PKG_USING_RT_DMA_POOL_" + name) for version, name in options + [("latest", "LATEST_VERSION")]]
    own = read(ROOT, "Kconfig").rstrip()
    if not own.endswith("\nendif"):
        raise Wrong("Kconfig does not end with the endif of the package")
    return "# Kconfig file for package %s\n%s\n%s" % (package["name"], own[:-len("endif")].rstrip(), ADDITION % {
        "category": package["category"],
        "name": package["name"],
        # The newest release, or "latest" if there is no release.
        "default": options[-2 if versions else -1][1],
        "choices": "\n\n".join("        config %s\n            bool \"%s\"" % (name, version) for version, name in options),
        "defaults": "\n".join("        default \"%s\" if %s" % option for option in options),
    })


def make(folder, versions):
    text = make_package(versions)
    package = json.loads(text)
    place = os.path.join(folder, package["category"], package["name"])
    write(text, place, "package.json")
    write(make_kconfig(package, versions), place, "Kconfig")
    write("menu \"%s packages\"\nsource \"$PKGS_DIR/packages/%s/%s/Kconfig\"\nendmenu\n"
          % (package["category"], package["category"], package["name"]), folder, package["category"], "Kconfig")
    return place
