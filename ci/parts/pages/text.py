# SPDX-License-Identifier: Apache-2.0
"""Checks what a page states outside of its code blocks: links, and names of files, options, functions and settings."""

import functools
import glob
import os
import re
import urllib.parse

from parts.pages.page import Wrong, blocks, tokens_of
from parts.repository import ROOT, read


def anchors(page):
    """Returns the names under which GitHub links to the page's headings."""
    tokens = tokens_of(page)
    names = (following.content for token, following in zip(tokens, tokens[1:]) if token.type == "heading_open")
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names}


def check_links(page):
    for token in tokens_of(page):
        for child in token.children or []:
            target = child.attrGet("href") or child.attrGet("src")
            if not target or re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            where = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(os.path.join(ROOT, where)):
                raise Wrong("%s: links to %s, which does not exist" % (page, target))
            if anchor and anchor not in anchors(where):
                raise Wrong("%s: links to %s, and %s has no such heading" % (page, target, where))


def check_translation(page):
    """Checks that a translated page has the headings, table rows, names and code blocks of the original, so that nothing is left out."""
    original = page.replace("_zh.md", ".md")
    for kind in ("heading_open", "tr_open"):
        numbers = [sum(token.type == kind for token in tokens_of(name)) for name in (original, page)]
        if numbers[0] != numbers[1]:
            raise Wrong("%s: has %d of %s, and %s has %d" % (page, numbers[1], kind, original, numbers[0]))
    missing = {code for _, code in inline_code(original)} - {code for _, code in inline_code(page)}
    if missing:
        raise Wrong("%s: does not mention `%s`, as %s does" % (page, "`, `".join(sorted(missing)), original))
    check_translated_code(page, original)
    check_translated_links(page)


def check_translated_links(page):
    """Checks that a link leads to the translation of a page, or is marked as one to a page in English."""
    for token in tokens_of(page):
        children = token.children or []
        for number, child in enumerate(children):
            target = (child.attrGet("href") or "").partition("#")[0]
            if not target.endswith(".md") or target.endswith("_zh.md") or children[number + 1].content == "English":
                continue
            if os.path.exists(os.path.join(ROOT, os.path.dirname(page), target.replace(".md", "_zh.md"))):
                raise Wrong("%s: links to %s, which is translated" % (page, target))
            closed = next(at for at in range(number, len(children)) if children[at].type == "link_close")
            if not "".join(each.content for each in children[closed + 1:]).startswith(("（英文）", "，英文）")):
                raise Wrong("%s: the link to %s is not followed by （英文）" % (page, target))


def check_translated_code(page, original):
    """Checks that the code blocks are those of the original. Comments in them may differ."""
    def code(name):
        return [re.sub(r"/\*.*?\*/|(?<= )# .*|^# .*", "", block.text, flags=re.M) for block in blocks(name)
                if block.language != "text"]

    squeezed = [[" ".join(text.split()) for text in code(name)] for name in (original, page)]
    for first, second in zip(*squeezed):
        if first != second:
            raise Wrong("%s: has another code block than %s:\n%s\nand\n%s" % (page, original, second, first))
    if len(squeezed[0]) != len(squeezed[1]):
        raise Wrong("%s: has %d code blocks, and %s has %d" % (page, len(squeezed[1]), original, len(squeezed[0])))


# Names in `inline code`


FOLDERS = ("benches", "bsp-tests", "ci", "docs", "examples", "include", "rtthread-port", "src", "tests", "tools")
A_PATH = re.compile(r"(?<![\w./-])(?:%s)/[\w./*-]*\w|(?<![\w./-])(?:%s)/(?!\w)" % ("|".join(FOLDERS), "|".join(FOLDERS)))
A_FUNCTION = re.compile(r"\b(?:rt_dmam?|list_dma)_\w+\b(?!\.[ch]\b)")
# A file of the library, whose folder the page does not repeat.
A_FILE = re.compile(r"(?<!/)\brt_dma\w*\.[ch]\b")
A_SETTING = re.compile(r"\b(?:PKG_RT_DMA_POOL_\w+|PKG_USING_RT_DMA_POOL\w*)")
A_TEST = re.compile(r"cargo test\b.* --test (\w+)")
# Functions of other trees, which a page may mention.
FOREIGN = ("rt_dma_chan", "rt_dma_controller")


@functools.lru_cache(maxsize=None)
def sources(*patterns):
    """Returns the text of all files that fit the patterns."""
    files = sorted(path for pattern in patterns for path in glob.glob(os.path.join(ROOT, pattern), recursive=True))
    return "\n".join(read(path) for path in files if os.path.isfile(path))


def inline_code(page):
    for token in tokens_of(page):
        for child in token.children or []:
            if child.type == "code_inline":
                yield token.map[0] + 1, child.content


def check_names(page):
    """Checks that each path, option of a script, test, function and setting in inline code exists."""
    for line, code in inline_code(page):
        problem = wrong_path(code, page) or wrong_option(code) or wrong_name(code)
        if problem:
            raise Wrong("%s:%d: `%s`: %s" % (page, line, code, problem))


def check_folder_table(page):
    """Checks that files and folders exist which a table has in its first column, if that column's heading begins with 'folder'."""
    tokens, heading = tokens_of(page), ""
    for before, cell, text in zip(tokens, tokens[1:], tokens[2:]):
        if before.type != "tr_open":
            continue
        if cell.type == "th_open":
            heading = text.content
        elif heading.startswith(("folder", "目录")):
            for name in (child.content for child in text.children if child.type == "code_inline"):
                if not os.path.exists(os.path.join(ROOT, os.path.dirname(page), name)):
                    raise Wrong("%s:%d: there is no %s" % (page, text.map[0] + 1, name))


def check_has_every_file(page):
    """Checks that a page contains the name of each file in its folder."""
    written = " ".join(code for _, code in inline_code(page)).split()
    for name in sorted(os.listdir(os.path.join(ROOT, os.path.dirname(page)))):
        if name not in written and name + "/" not in written and name != os.path.basename(page):
            raise Wrong("%s: there is no row for %s" % (page, name))


def check_design(page):
    """Checks that the code which a page about the design describes exists: each name with an underscore, in drawings too."""
    written = [(line, code) for line, code in inline_code(page)] + [(block.line, block.text) for block in blocks(page)]
    known = sources("src/**/*.rs", "rtthread-port/*", "include/**/*.h", "bsp-tests/include/**/*.h", "tests/*.rs", "ci/*")
    folders = {name for name in glob.glob(os.path.join(ROOT, "src/**/*"), recursive=True)}
    known += "\n" + "\n".join(os.path.basename(name) for name in folders)
    for line, code in written:
        for name in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", code):
            if not re.search(r"\b%s" % name, known):
                raise Wrong("%s:%d: there is no %s" % (page, line, name))


def wrong_path(code, page):
    """Returns what is wrong with a path, which counts from the top of the repository, or from the folder of the page."""
    for path in A_PATH.findall(code):
        # A page may name a file to be made: docs/abi/VERSION.txt.
        made = re.sub(r"[A-Z]{3,}", "*", path)
        if not any(glob.glob(os.path.join(ROOT, folder, made)) for folder in ("", os.path.dirname(page))):
            return "there is no %s" % path
    for name in A_FILE.findall(code):
        if not any(glob.glob(os.path.join(ROOT, folder, "**", name), recursive=True) for folder in ("include", "rtthread-port")):
            return "there is no file %s" % name
    for name in A_TEST.findall(code):
        is_there = any(os.path.isfile(os.path.join(ROOT, "tests", name + end)) for end in (".rs", "/main.rs"))
        if not is_there and 'name = "%s"' % name not in read("Cargo.toml"):
            return "there is no test %s" % name
    return None


def wrong_option(code):
    """The code may begin with a script. Returns a message if it has an option that the script lacks."""
    script = re.match(r"(?:[A-Z_]+=\S+ )*((?:ci|tools|bsp-tests)/[\w-]+)", code)
    if not script or not os.path.isfile(os.path.join(ROOT, script.group(1))):
        return None
    text = read(script.group(1))
    for option in re.findall(r"(?<=\s)--[a-z][\w-]*", code[script.end():].split(" -- ")[0]):
        if option not in text:
            return "%s has no option %s" % (script.group(1), option)
    return None


def wrong_name(code):
    declared = sources("include/**/*.h", "bsp-tests/include/**/*.h", "rtthread-port/*", "src/**/*.rs")
    for name in A_FUNCTION.findall(code):
        # "rt_dma_sync_*" and "rt_dma_map_" stand for all functions that begin so.
        if name not in declared and not name.startswith(FOREIGN):
            return "there is no %s" % name
    settings = sources("Kconfig", "ci/parts/index_entry/*.py")
    for name in A_SETTING.findall(code):
        if name not in settings and name[len("PKG_"):] not in sources("SConscript"):
            return "there is no setting %s" % name
    return None
