# SPDX-License-Identifier: Apache-2.0
"""Makes changes to clones of the committed tree, each of which must be found, or must pass."""

import os
import subprocess
import tempfile

from parts.releases.archives import check_cargo, compressed, environment_of, other_environment, packed, sources_of
from parts.releases.tree import Wrong, interface
from parts.repository import ROOT


def edit(path, old, new):
    def change(clone):
        with open(os.path.join(clone, path), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(clone, path), "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
    return change


def commit(clone):
    git = ["git", "-c", "user.name=ci", "-c", "user.email=ci@ci.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(git + ["add", "--all"], cwd=clone, check=True)
    subprocess.run(git + ["commit", "--quiet", "--allow-empty", "-m", "A change"], cwd=clone, check=True)


def small_archives():
    """Makes what takes no compiler: the sources, and a folder in the place of the prebuilt archives."""
    environment = environment_of("1000000000")
    with tempfile.TemporaryDirectory() as place:
        os.mkdir(os.path.join(place, "folder"))
        with open(os.path.join(place, "folder", "file"), "w", encoding="utf-8") as file:
            file.write("text\n")
        return [compressed(data, environment) for data in
                (sources_of("sources", environment), packed(place, "folder", "1000000000", environment))]


def same_in_another_environment():
    """Returns what differs if other variables are set."""
    before, variables = small_archives(), environment_of("0")
    with other_environment():
        others = {key: value for key, value in environment_of("0").items() if not key.startswith("GIT_CONFIG_")}
        if others != {key: value for key, value in variables.items() if not key.startswith("GIT_CONFIG_")}:
            return "the tools get other variables: %s" % sorted(others.items() ^ variables.items())
        return None if before == small_archives() else "the archives have other bytes"


def refuses_settings_of_cargo():
    """Returns what is wrong if a configuration of cargo is accepted that changes the code."""
    with tempfile.TemporaryDirectory() as home:
        for text, expected in (("[net]\nretry = 3\n", None), ("[profile.release]\nlto = false\n", "profile")):
            with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as file:
                file.write(text)
            try:
                check_cargo(home, dict(environment_of("0"), CARGO_HOME=home))
                found = None
            except Wrong as wrong:
                found = str(wrong)
            if bool(found) != bool(expected) or expected and expected not in found:
                return "%s: %s" % (text, found)
    return None


def test_environment():
    passed = True
    for name, check in (("makes_the_same_bytes_in_another_environment", same_in_another_environment),
                        ("refuses_a_configuration_of_cargo_that_changes_the_code", refuses_settings_of_cargo)):
        why = check()
        print("test release_%s ... %s" % (name, "FAILED" if why else "ok"), flush=True)
        if why:
            print(why)
            passed = False
    return passed


def test(version):
    """Makes changes to clones of the committed tree, each of which must be found, or must pass."""
    broken, abi = "0.0.0-none", "docs/abi/%s.txt" % version
    faults = {
        # name: (the version asked for, prepared before, the change, committed, what the script must print)
        "a_tree_that_is_not_clean": (version, True, edit("LICENSE", "a", "b"), False, "not clean"),
        "a_version_that_cargo_does_not_have": (broken, False, None, True, "Cargo.toml has version"),
        "a_version_that_the_header_does_not_have": (
            version, True, edit("include/rt_dma_version.h", "VERSION_MINOR ", "VERSION_MINOR 9"), True, "rt_dma_version.h has"),
        "no_date": (version, True, edit("CHANGELOG.md", "## [%s] - 2" % version, "## [%s] - " % version), True, "--prepare"),
        "no_list": (version, True, lambda clone: os.remove(os.path.join(clone, abi)), True, "no docs/abi"),
        "a_list_that_differs": (version, True, edit(abi, "constant ", "constant X"), True, "differs from docs/abi/current.txt"),
        "a_symbol_that_is_gone_since": (
            version, True, edit("docs/abi/current.txt", "symbol rt_dma_alloc\n", ""), True, "differs from docs/abi/current.txt"),
        "nothing_in_a_prepared_tree": (version, True, None, True, None),
    }
    failed = not test_environment()
    for name, (asked, prepared, change, committed, expected) in faults.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
            script = os.path.join(folder, "ci", "release")
            if prepared and interface(version + ".txt") is None:
                subprocess.run([script, version, "--prepare"], check=True, stdout=subprocess.DEVNULL)
                commit(folder)
            if change:
                change(folder)
            if committed:
                commit(folder)
            result = subprocess.run([script, asked, "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        is_right = result.returncode == 0 if expected is None else result.returncode and expected in result.stdout
        print("test release_finds_%s ... %s" % (name, "ok" if is_right else "FAILED"), flush=True)
        if not is_right:
            print(result.stdout)
            failed = True
    if failed:
        raise Wrong("a test has failed")
