"""The interpreter's own tables, which every thread changes: `sys.modules` and the names of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.source.acts import VIEWS
from conclint.source.source import Source


class Table(NamedTuple):
    """A table as it is walked at `node`, written there as `text`; `changed`: what changes it."""

    node: cst.BaseExpression
    name: str
    text: str
    changed: str


def live_tables(source: Source) -> Iterator[Table]:
    """Loops and comprehensions over one of them, no copy; while a module is imported nobody else is in it."""
    iterated = [loop.iter for loop in source.all(cst.For)] + [part.iter for part in source.all(cst.CompFor)]
    for walked in (one for one in iterated if source.function_node(one) is not None):
        inner = walked.func if isinstance(walked, cst.Call) else None
        view = isinstance(inner, cst.Attribute) and inner.attr.value in VIEWS
        table = inner.value if isinstance(inner, cst.Attribute) and view else walked
        if "sys.modules" in source.names(table):
            yield Table(walked, "sys.modules", source.code(walked), "an import")
        elif isinstance(table, cst.Call) and source.calls(table, "builtins.globals"):
            yield Table(walked, "globals()", source.code(walked), "the first assignment to a global")
