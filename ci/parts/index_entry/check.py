# SPDX-License-Identifier: Apache-2.0
"""Checks an entry, its Kconfig, and the repository by the rules of the index."""

import os
import subprocess
import tempfile

import kconfiglib

from parts.index_entry.fields import check_fields
from parts.index_entry.files import Wrong, read, read_package, require, write
from parts.repository import ROOT

# The options of RT-Thread on which the package's Kconfig depends. The parser here does not read RT-Thread's own
# Kconfig.
RT_THREAD_OPTIONS = ("RT_USING_DM", "RT_USING_DMA", "RT_USING_MSH")


def parse_kconfig(file, packages_folder):
    """Parses a Kconfig file with RT-Thread's options on, as menuconfig in a BSP does."""
    with tempfile.TemporaryDirectory() as folder:
        options = "".join("config %s\n    def_bool y\n" % name for name in RT_THREAD_OPTIONS)
        write("%ssource \"%s\"\n" % (options, file), folder, "Kconfig")
        before = dict(os.environ)
        os.environ.update(PKGS_DIR=packages_folder, srctree=folder)
        try:
            return kconfiglib.Kconfig(os.path.join(folder, "Kconfig"), warn_to_stderr=False)
        except kconfiglib.KconfigError as error:
            raise Wrong("Kconfig: %s" % str(error).strip())
        finally:
            os.environ.clear()
            os.environ.update(before)


def check_kconfig(place, package, category_kconfig, packages_folder):
    path = os.path.join(place, "Kconfig")
    require(os.path.isfile(path), "there is no Kconfig")
    try:
        require(read(path).strip(), "Kconfig is empty")
    except UnicodeDecodeError:
        raise Wrong("Kconfig is not UTF-8")
    expected = "packages/%s/%s/Kconfig" % (package["category"], package["name"])
    require(expected in read(category_kconfig), "the category's Kconfig does not source " + expected)
    kconfig = parse_kconfig(category_kconfig, packages_folder)
    require(not kconfig.warnings, "Kconfig: " + "; ".join(kconfig.warnings))
    require(package["enable"] in kconfig.syms and kconfig.syms[package["enable"]].nodes,
            "Kconfig does not define " + package["enable"])
    kconfig.syms[package["enable"]].set_value("y")
    stem = package["enable"].replace("PKG_USING_", "PKG_")
    for name in (stem + "_PATH", stem + "_VER"):
        require(name in kconfig.syms and kconfig.syms[name].nodes, "Kconfig does not define " + name)
    require(kconfig.syms[stem + "_PATH"].str_value == "/packages/%s/%s" % (package["category"], package["name"]),
            stem + "_PATH is not the package's folder in the index")
    offered = set()
    for choice in kconfig.choices:
        if any(node.prompt and node.prompt[0] == "Version" for node in choice.nodes):
            for version in choice.syms:
                version.set_value("y")
                offered.add(kconfig.syms[stem + "_VER"].str_value)
    require(offered == {site["version"] for site in package["site"]}, "the choice of versions gives %s, site has %s"
            % (sorted(offered), sorted(site["version"] for site in package["site"])))


def check(folder, place, publish=False):
    package = read_package(place)
    check_fields(package, publish)
    require(os.path.basename(place) == package["name"], "the folder is not named as the package")
    # $PKGS_DIR/packages is the index.
    with tempfile.TemporaryDirectory() as packages_folder:
        os.symlink(os.path.abspath(folder), os.path.join(packages_folder, "packages"))
        category = os.path.join(packages_folder, "packages", package["category"], "Kconfig")
        check_kconfig(place, package, category, packages_folder)


def check_repository():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.split(b"\0")
    require(b".gitmodules" not in files, "submodules: the index's mirror does not hold them")
    kconfig = parse_kconfig(os.path.join(ROOT, "Kconfig"), ROOT)
    require(not kconfig.warnings, "Kconfig at the top: " + "; ".join(kconfig.warnings))
    require(read_package(ROOT).get("enable") in kconfig.syms, "Kconfig at the top lacks the package")
