# SPDX-License-Identifier: Apache-2.0
"""Checks package.json by the rules of the index."""

import json
import re
from urllib.parse import urlparse

from parts.index_entry.files import PLACEHOLDER, require

HOSTS = ("github.com", "gitee.com")


def require_text(package, name):
    require(isinstance(package.get(name), str) and package[name], "%s is missing" % name)


def require_address(text, name):
    address = urlparse(text if isinstance(text, str) else "")
    require(address.scheme == "https" and address.netloc in HOSTS, "%s: not an https address of %s: %r"
            % (name, " or ".join(HOSTS), text))


def check_author(author, publish):
    require(isinstance(author, dict), "author is missing")
    for name in ("name", "email"):
        require(isinstance(author.get(name), str) and author[name], "author's %s is missing" % name)
    if publish:
        require(not author["email"].endswith(".invalid"), "author's email is none yet: write one into package.json")


def check_site(site):
    require(isinstance(site, dict), "site holds something that is no object")
    require_text(site, "version")
    where = "site " + site["version"]
    require_address(site.get("URL"), where)
    if site["URL"].endswith(".git"):
        require(isinstance(site.get("VER_SHA"), str) and site["VER_SHA"], where + ": VER_SHA is missing")
    else:
        require(isinstance(site.get("filename"), str) and site["filename"], where + ": filename is missing")
        require(re.search(r"\.\w+$", urlparse(site["URL"]).path), where + ": URL is no file")


def check_fields(package, publish):
    """Checks the content of package.json. With `publish` its placeholders are refused, too."""
    for name in ("name", "description", "description_zh", "category", "enable", "license", "icon", "homepage", "doc"):
        require_text(package, name)
    require(re.fullmatch(r"PKG_USING_[A-Z0-9_]+", package["enable"]), "enable is no PKG_USING_ symbol")
    require(isinstance(package.get("keywords"), list) and package["keywords"], "keywords are missing")
    check_author(package.get("author"), publish)
    if publish:
        require(PLACEHOLDER not in json.dumps(package), "%s stands for the repository's account: write the address into "
                "package.json" % PLACEHOLDER)
    require_address(package.get("repository"), "repository")
    # The index's mirror cannot hold a name that begins with a digit.
    require(not urlparse(package["repository"]).path.split("/")[-1][:1].isdigit(), "repository begins with a digit")
    require(isinstance(package.get("site"), list) and package["site"], "site is missing")
    for site in package["site"]:
        check_site(site)
    versions = [site["version"] for site in package["site"]]
    require(len(set(versions)) == len(versions), "a version is there twice")
