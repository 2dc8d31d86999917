# SPDX-License-Identifier: Apache-2.0
"""A page, and the code blocks in it."""

import re
import subprocess

import markdown_it

from parts.repository import read

COMMENT = re.compile(r"<!-- ci: (.*?) -->\s*$", re.S)


class Wrong(Exception):
    """A page promises something that does not hold."""


class Block:
    """A code block of a page."""

    def __init__(self, page, token, order):
        self.page, self.line = page, token.map[0] + 1
        self.language = token.info.strip() if token.type == "fence" else None
        self.text = token.content
        self.order = order  # what the comment before the block demands, or ""

    def where(self):
        return "%s:%d" % (self.page, self.line)

    def ordered(self, word):
        """Returns what follows `word` in the comment before the block, or None if the comment is another one."""
        return self.order[len(word):].strip() if self.order.startswith(word) else None


def tokens_of(page):
    return markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").parse(read(page))


def blocks(page):
    """Returns the code blocks of a page, in order."""
    found, order = [], ""
    for token in tokens_of(page):
        if token.type in ("fence", "code_block"):
            found.append(Block(page, token, order))
        comment = COMMENT.match(token.content) if token.type == "html_block" else None
        order = " ".join(comment.group(1).split()) if comment else ""
    return found


def run(command, **kwargs):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
