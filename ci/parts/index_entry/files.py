# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the files of an entry."""

import json
import os

# Stands for the repository's account in package.json. An account's name does not begin with a hyphen.
PLACEHOLDER = "-not-published-"


class Wrong(Exception):
    """The entry breaks a rule of the index."""


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def write(text, *path):
    path = os.path.join(*path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def require(condition, text):
    if not condition:
        raise Wrong(text)


def read_package(*place):
    """Returns the content of a package.json, whose fields need not be right."""
    try:
        package = json.loads(read(*place, "package.json"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Wrong("package.json: %s" % error)
    require(isinstance(package, dict), "package.json: it holds no object")
    return package
