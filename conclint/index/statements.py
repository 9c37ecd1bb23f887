"""Where the statements of a text stand: what `ast` tells in a tenth of the time in which libcst writes them out."""

from __future__ import annotations

import ast
import warnings
from typing import NamedTuple

BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")


class Extent(NamedTuple):
    """From the first character to behind the last: lines from 1, offsets into the line in bytes of UTF-8, from 0."""

    line: int
    offset: int
    end_line: int
    end_offset: int


def statements(text: str) -> list[Extent]:
    """Every statement and `except`, an outer one before those in it, in the order of the text.

    Raises SyntaxError, ValueError, RecursionError or MemoryError where `ast` does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stack: list[ast.AST] = [*reversed(ast.parse(text).body)]
    found: list[Extent] = []
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            found.append(Extent(node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0))
        for block in BLOCKS:
            inner = getattr(node, block, None)
            if isinstance(inner, list):
                stack += reversed(inner)
    return found
