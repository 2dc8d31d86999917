# SPDX-License-Identifier: Apache-2.0
"""Has changes of an entry that each break one rule, and a word that the check must print then."""

import json
import os

from parts.index_entry.files import PLACEHOLDER, read, write


def edit_package(change):
    def edit(place):
        package = json.loads(read(place, "package.json"))
        change(package)
        write(json.dumps(package), place, "package.json")
    return edit


def set_addresses(place):
    """Replaces the placeholders, as a maintainer does before the entry is published."""
    text = read(place, "package.json").replace(PLACEHOLDER, "owner").replace("maintainers@rt-dma-pool.invalid", "a@b.org")
    write(text, place, "package.json")


def edit_kconfig(old, new):
    def edit(place):
        text = read(place, "Kconfig")
        assert old in text, old
        write(text.replace(old, new), place, "Kconfig")
    return edit


def replace_bytes(name, data):
    def edit(place):
        with open(os.path.join(place, name), "wb") as file:
            file.write(data)
    return edit


BROKEN = {
    "no_author": (edit_package(lambda package: package.pop("author")), "author"),
    "no_email": (edit_package(lambda package: package["author"].update(email="")), "email"),
    "no_licence": (edit_package(lambda package: package.update(license="")), "license"),
    "no_homepage": (edit_package(lambda package: package.pop("homepage")), "homepage"),
    "other_host": (edit_package(lambda package: package.update(repository="https://example.com/a")), "repository"),
    "host_that_looks_alike": (
        edit_package(lambda package: package.update(repository="https://github.com.example.com/a")), "repository"),
    "http": (edit_package(lambda package: package["site"][0].update(URL="http://github.com/a/b.git")), "site"),
    "digit_first": (edit_package(lambda package: package.update(repository="https://github.com/a/1b")), "digit"),
    "no_site": (edit_package(lambda package: package.update(site=[])), "site"),
    "no_ver_sha": (edit_package(lambda package: package["site"][0].pop("VER_SHA")), "VER_SHA"),
    "no_filename": (edit_package(lambda package: package["site"][0].update(URL="https://github.com/a/b.zip")),
                    "filename"),
    "no_file": (edit_package(lambda package: package["site"][0].update(URL="https://github.com/a/b", filename="b")),
                "no file"),
    "version_twice": (edit_package(lambda package: package["site"].append(package["site"][0])), "twice"),
    "version_without_a_choice": (
        edit_package(lambda package: package["site"].append(dict(package["site"][0], version="v9.9.9"))), "choice"),
    "other_name": (edit_package(lambda package: package.update(name="other")), "folder"),
    "other_symbol": (edit_package(lambda package: package.update(enable="PKG_USING_OTHER")), "PKG_USING_OTHER"),
    "site_of_text": (edit_package(lambda package: package.update(site=["latest"])), "no object"),
    "no_object": (replace_bytes("package.json", b"[]"), "no object"),
    "no_json": (replace_bytes("package.json", b"{"), "package.json"),
    "package_not_utf8": (replace_bytes("package.json", b"{\"name\": \"\xff\"}"), "package.json"),
    "kconfig_not_utf8": (replace_bytes("Kconfig", b"# \xff\n"), "UTF-8"),
    "kconfig_empty": (replace_bytes("Kconfig", b"\n"), "empty"),
    "kconfig_missing": (lambda place: os.remove(os.path.join(place, "Kconfig")), "no Kconfig"),
    "kconfig_without_endif": (edit_kconfig("\nendif\n", "\n"), "Kconfig: "),
    "kconfig_unknown_word": (edit_kconfig("default n", "defaults n"), "Kconfig: "),
    "kconfig_without_path": (edit_kconfig("PKG_RT_DMA_POOL_PATH", "PKG_RT_DMA_POOL_PLACE"), "_PATH"),
    "kconfig_other_path": (edit_kconfig("/packages/system/rt-dma-pool\"", "/packages/system/other\""), "_PATH"),
    "kconfig_without_version": (edit_kconfig("PKG_RT_DMA_POOL_VER\n", "PKG_RT_DMA_POOL_REVISION\n"), "_VER"),
    "category_without_source": (
        lambda place: write("menu \"none\"\nendmenu\n", os.path.dirname(place), "Kconfig"), "category"),
}
