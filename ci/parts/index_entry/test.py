# SPDX-License-Identifier: Apache-2.0
"""Makes entries in a temporary folder, checks them, and checks that each rule finds a violation."""

import sys
import tempfile

from parts.index_entry.check import check, check_repository
from parts.index_entry.fields import check_fields
from parts.index_entry.files import PLACEHOLDER, Wrong, read_package
from parts.repository import ROOT
from parts.index_entry.make import make
from parts.index_entry.violations import BROKEN, edit_package, set_addresses


def test():
    try:
        check_fields(read_package(ROOT), False)
    except Wrong as wrong:
        sys.exit("ci/package-index: FAIL: at the top of the repository: %s" % wrong)
    failed = []

    def result(name, problem):
        print("test package_index_%s ... %s" % (name, "FAILED" if problem else "ok"), flush=True)
        if problem:
            print(problem)
            failed.append(name)

    def attempt(edit, versions=(("1.0.0", "1234567"),), publish=False):
        with tempfile.TemporaryDirectory() as folder:
            place = make(folder, versions)
            edit(place)
            try:
                check(folder, place, publish)
            except Wrong as wrong:
                return str(wrong)
        return None

    result("has_the_package_without_a_release", attempt(lambda place: None, ()))
    result("has_the_package_with_releases",
           attempt(lambda place: None, (("1.0.0", "1234567"), ("1.1.0-rc.1", "v1.1.0-rc.1"))))
    result("tells_releases_with_the_same_digits_apart",
           attempt(lambda place: None, (("1.1.10", "1234567"), ("1.11.0", "1234568"), ("11.1.0", "1234569"))))
    for name, (edit, expected) in BROKEN.items():
        problem = attempt(edit)
        result("finds_" + name, None if problem and expected in problem else "found instead: %s" % problem)
    problem = attempt(edit_package(lambda package: package["author"].update(email="a@b.invalid")), publish=True)
    result("is_not_published_without_an_email_address", None if problem and "email" in problem else "found: %s" % problem)
    problem = attempt(edit_package(lambda package: package["author"].update(email="a@b.org")), publish=True)
    result("is_not_published_without_a_repository", None if problem and PLACEHOLDER in problem else "found: %s" % problem)
    published = attempt(set_addresses, publish=True)
    result("is_published_with_addresses", published)
    try:
        check_repository()
        result("has_a_repository_as_the_index_asks", None)
    except Wrong as wrong:
        result("has_a_repository_as_the_index_asks", str(wrong))
    if failed:
        sys.exit("ci/package-index: FAIL: " + ", ".join(failed))
    print("ci/package-index: PASS")
