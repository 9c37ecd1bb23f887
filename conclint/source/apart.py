"""The fix of a loop that joins what it starts: the joins get a loop of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.model import Edit, Fix, Span
from conclint.source.alone import Round
from conclint.source.edits import add_line, indent_unit, lines_of
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

TITLE = "join in a loop of their own"


def apart(source: Source, found: Round) -> Fix | None:
    """The edits that join in a second loop; None where the rest of the round may count on the join."""
    loop, join = found.loop, source.statement(found.join)
    body = list(loop.body.body)
    if not isinstance(loop, cst.For) or loop.orelse is not None or loop.asynchronous is not None:
        return None  # the items of a `while` may come from the worker itself
    if not body or body[-1] is not join or not isinstance(join, cst.SimpleStatementLine) or len(join.body) > 1:
        return None  # what follows may need the worker to have ended
    if not isinstance(join.body[0], cst.Expr) or join.body[0].value is not found.join:
        return None
    worker = path_of(found.join.func).removesuffix(".join")
    if found.made is None:
        return _second_loop(source, loop, join)
    return _collected(source, found, worker) if worker.isidentifier() else None


def _second_loop(source: Source, loop: cst.For, join: cst.SimpleStatementLine) -> Fix | None:
    """The loop goes over workers: its head once more before the join."""
    if not isinstance(loop.iter, (cst.Name, cst.Attribute)) or len(loop.body.body) < 2:
        return None  # what can be walked over once only would be empty the second time
    line = source.line(join)
    head = f"{source.indent(loop)}for {source.code(loop.target)} in {source.code(loop.iter)}:\n"
    return Fix(TITLE, (Edit(Span(line, 1, line, 1), head),))


def _collected(source: Source, found: Round, worker: str) -> Fix | None:
    """The workers are collected, and joined after the loop."""
    around = source.function_node(found.join) or source.module(found.join)
    taken = {part.value for part in below(around) if isinstance(part, cst.Name)}
    kind = "processes" if PROCESS in source.names(found.made.func if found.made else found.join) else "threads"
    name = next((one for one in (kind, "started", "running") if one not in taken), "")
    span = source.span(found.join)
    end = lines_of(source, found.loop, found.loop).end_line
    if not name or end != span.end_line:
        return None
    indent, unit = source.indent(found.loop), indent_unit(source, found.loop)
    second = f"{indent}for {worker} in {name}:\n{indent}{unit}{worker}.join()\n"
    return Fix(
        TITLE,
        (
            add_line(source, found.loop, f"{name} = []"),
            Edit(span, f"{name}.append({worker})"),
            Edit(Span(end + 1, 1, end + 1, 1), second),
        ),
    )
