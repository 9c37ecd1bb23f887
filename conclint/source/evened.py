"""Texts that Python reads and libcst does not: blocks whose indentation does not begin with that of the block around.

Python compares columns, of which a tab makes up to eight; libcst compares the characters.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

WITHIN = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.ENDMARKER})


def evened(text: str) -> str:
    """The same text, each block indented like the one around and further, in as many characters; "" where none is."""
    lines = text.split("\n")
    try:
        for row, old, new in _indents(text):
            if len(new) != len(old):
                return ""
            lines[row - 1] = new + lines[row - 1][len(old) :]
    except (tokenize.TokenError, SyntaxError):
        return ""
    return "\n".join(lines)


def _indents(text: str) -> Iterator[tuple[int, str, str]]:
    """For each logical line: its number (from 1), how it is indented, and how it is to be."""
    blocks = [""]
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.INDENT:
            blocks.append(_inside(blocks[-1], token.string))
        elif token.type == tokenize.DEDENT:
            blocks.pop()
        elif token.type == tokenize.NEWLINE:
            begins = True
        elif begins and token.type not in WITHIN:
            begins = False
            yield token.start[0], token.line[: token.start[1]], blocks[-1]


def _inside(around: str, own: str) -> str:
    return own if own.startswith(around) and own != around else around + " " * max(1, len(own) - len(around))
