"""The fix for an update that waits between its reading and its writing."""

from __future__ import annotations

import libcst as cst

from conclint.model import Fix, Span
from conclint.source.source import Source
from conclint.source.tree import below

# What the fix calls what was waited for.
GOT = "value"


def wait_first(source: Source, span: Span) -> Fix | None:
    """`x += await f()` in two statements: the wait, then the update in one step."""
    for update in source.all(cst.AugAssign):
        if not isinstance(update.value, cst.Await) or source.span(update) != span:
            continue
        line, around = source.parent(update), source.function_node(update)
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1 or around is None:
            return None  # something else on the line may have to come first
        if any(isinstance(one, cst.Name) and one.value == GOT for one in below(around)):
            return None
        value, target = source.code(update.value), source.code(update.target)
        text = f"{GOT} = {value}\n{source.indent(update)}{target} {source.operator(update)} {GOT}"
        return Fix("await first", (source.replace(update, text),))
    return None
